# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The authority that every image trusts, and that signs the hosts of the rehearsal. Made once, kept in the cache."""

from __future__ import annotations

import os
from functools import cache as once
from typing import TYPE_CHECKING

from tests.kubernetes.caches import cached

if TYPE_CHECKING:
    from pathlib import Path

    import trustme

_NAME = "authority.pem"
_END = b"-----END CERTIFICATE-----\n"


def _make(folder: Path) -> None:
    import trustme

    new = trustme.CA(organization_name="Matcha", organization_unit_name="Rehearsal, not to be trusted elsewhere")
    # The key is for the tests' own user; a write over 0600 would come too late.
    with os.fdopen(os.open(folder / _NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(new.cert_pem.bytes() + new.private_key_pem.bytes())


@once
def authority() -> trustme.CA:
    """Return the authority, with its key: `authority().issue_cert(*hosts)`."""
    import trustme

    certificate, end, key = (cached("authority", "1", _make) / _NAME).read_bytes().partition(_END)
    return trustme.CA.from_pem(certificate + end, key)


def certificate() -> bytes:
    """Return the authority's certificate alone, as PEM."""
    return authority().cert_pem.bytes()
