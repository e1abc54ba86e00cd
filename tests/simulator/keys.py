# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key that tokens are signed with, and the certificates of the hosts. Made once in a process."""

from __future__ import annotations

import base64
import ssl
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import trustme
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

KEY_ID = "simulator-1"
# Whoever asks the proxy for another host is refused.
HOSTS = (
    "management.azure.com",
    "login.microsoftonline.com",
    "*.blob.core.windows.net",
    "*.vault.azure.net",
    "*.oic.prod-aks.azure.com",
)


@cache
def signing_key() -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _number(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()


@cache
def published_keys() -> dict[str, Any]:
    """Return the key set that others check our tokens with."""
    numbers = signing_key().public_key().public_numbers()
    key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID, "n": _number(numbers.n), "e": _number(numbers.e)}
    return {"keys": [key]}


_given: list[trustme.CA] = []


def use_authority(given: trustme.CA) -> None:
    """Let all certificates come from this one, which somebody trusts already. To be called before they are made."""
    _given[:] = [given]
    authority.cache_clear()
    server_context.cache_clear()


@cache
def authority() -> trustme.CA:
    import trustme

    return _given[0] if _given else trustme.CA()


@cache
def server_context() -> ssl.SSLContext:
    """Return a context whose one certificate is good for every host that is simulated."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    authority().issue_cert(*HOSTS).configure_cert(context)
    return context


def simulated(host: str) -> bool:
    """Whether a host is one of ours."""
    host = host.lower()
    above = "*." + host.partition(".")[2]
    return host in HOSTS or above in HOSTS
