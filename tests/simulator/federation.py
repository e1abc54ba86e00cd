# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workload identity: another issuer's token in place of a secret, if a federated credential names it.

Texts and numbers of the refusals are second-hand, from Microsoft Entra's public list of error codes.
"""

from __future__ import annotations

import time
import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import jwt

from .errors import Answer

if TYPE_CHECKING:
    from .arm import Request
    from .principals import Principal
    from .simulator import Simulator

AUDIENCE = "api://AzureADTokenExchange"
CREDENTIALS = "federatedIdentityCredentials"


class EntraError(Exception):
    """An error of login.microsoftonline.com, numbered AADSTS…."""

    def __init__(self, number: int, error: str, message: str, *, status: int = 400) -> None:
        super().__init__(f"AADSTS{number}: {message}")
        self.number, self.error, self.status = number, error, status

    def answer(self, simulator: Simulator) -> Answer:
        stamp = datetime.fromtimestamp(simulator.clock.now(), timezone.utc).strftime("%Y-%m-%d %H:%M:%SZ")
        trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        text = f"{self} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}"
        body = {
            "error": self.error,
            "error_description": text,
            "error_codes": [self.number],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }
        return Answer(self.status, body)


def credentials(simulator: Simulator, principal: Principal) -> list[dict[str, Any]]:
    """Return the federated credentials of an app, or those below a managed identity."""
    found = list(principal.federated)
    if principal.resource:
        found += [one["properties"] for one in simulator.store.children(principal.resource, CREDENTIALS)]
    return found


def issuer_document(simulator: Simulator, request: Request) -> Answer:
    """Answer for the issuers of AKS clusters, each of which has its own path at a region's host."""
    for issuer, source in simulator.tokens.oidc_keys.items():
        base = issuer.rstrip("/")
        path = f"https://{request.host}{request.path}".removeprefix(base)
        if path == "/.well-known/openid-configuration":
            keys = f"{base}/openid/v1/jwks"
            return Answer(200, {"issuer": issuer, "jwks_uri": keys, "id_token_signing_alg_values_supported": ["RS256"]})
        if path == "/openid/v1/jwks":
            return Answer(200, source() if callable(source) else source)
    return Answer(404)


def check_assertion(simulator: Simulator, principal: Principal, assertion: str) -> None:
    """Raise unless the token's issuer, subject and audience are those of a credential, and it is signed and valid."""
    try:
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        raise EntraError(50027, "invalid_client", "JWT token is invalid or malformed.") from None
    _find(credentials(simulator, principal), claims)
    if claims.get("exp", 0) < time.time():
        message = "Client assertion is not within its valid time range. Current time and expiry time do not agree."
        raise EntraError(700024, "invalid_client", message, status=401)
    _check_signature(simulator, assertion, claims["iss"])


def _find(known: list[dict[str, Any]], claims: dict[str, Any]) -> None:
    issuer, subject = str(claims.get("iss", "")), str(claims.get("sub", ""))
    audiences = claims.get("aud", "")
    given = {audiences} if isinstance(audiences, str) else set(audiences)
    shown = audiences if isinstance(audiences, str) else ", ".join(audiences)
    start = "No matching federated identity record found for presented assertion"
    where = "Check your federated identity credential Subject, Audience and Issuer against the presented assertion."
    if not known:
        text = f"{start}. Assertion Issuer: '{issuer}'. Assertion Subject: '{subject}'. Assertion Audience: '{shown}'."
        raise EntraError(70021, "invalid_request", text)
    # Compared letter by letter: a missing slash or another case does not match.
    of_issuer = [one for one in known if one["issuer"] == issuer]
    if not of_issuer:
        raise EntraError(700211, "invalid_request", f"{start} issuer '{issuer}'. {where}", status=401)
    of_subject = [one for one in of_issuer if one["subject"] == subject]
    if not of_subject:
        raise EntraError(700213, "invalid_request", f"{start} subject '{subject}'. {where}", status=401)
    if not any(given & set(one.get("audiences") or [AUDIENCE]) for one in of_subject):
        raise EntraError(700212, "invalid_request", f"{start} audience '{shown}'. {where}", status=401)


def _check_signature(simulator: Simulator, assertion: str, issuer: str) -> None:
    """Check it against the issuer's keys, where these can be had: nobody is asked over the network."""
    source = simulator.tokens.oidc_keys.get(issuer)
    if source is None:
        return
    keys = jwt.PyJWKSet.from_dict(source() if callable(source) else source)
    name = jwt.get_unverified_header(assertion).get("kid")
    try:
        key = next(one for one in keys.keys if one.key_id == name)
        jwt.decode(assertion, key, algorithms=["RS256", "ES256"], options={"verify_aud": False})
    except StopIteration:
        message = f"Client assertion failed signature validation: no key '{name}' was found at the issuer '{issuer}'."
        raise EntraError(700027, "invalid_client", message, status=401) from None
    except jwt.InvalidTokenError:
        message = "Client assertion failed signature validation."
        raise EntraError(700027, "invalid_client", message, status=401) from None
