# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Azure says when it refuses, as a sentence with Azure's code, its correlation id, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import MatchaError

MORE_QUOTA = (
    "Ask for more quota in this region, or take another VM size, count or region; matcha.mlops.preflight shows what "
    "is left."
)
# What a user can do about a code. Codes that need no more than Azure's own words are not here.
ADVICE = {
    "AuthorizationFailed": "Give the credential the right that the message names (a new grant takes minutes to work).",
    "AuthorizationPermissionMismatch": "The credential has no right to the data itself: grant it a data role, such as "
    "Storage Blob Data Contributor (a new grant can take ten minutes to work).",
    "InvalidAuthenticationTokenTenant": "Set tenant to the one of the subscription.",
    "SubscriptionNotFound": "Set subscription_id to a subscription that the credential can see.",
    "ResourceGroupNotFound": "Make the resource group first, with matcha.mlops.resource_group.",
    "MissingSubscriptionRegistration": "Register the resource provider: az provider register --namespace NAME.",
    "QuotaExceeded": MORE_QUOTA,
    "ErrCode_InsufficientVCPUQuota": MORE_QUOTA,
    "SignInFailed": "See that tenant, client_id and its secret, certificate or token belong together, or set "
    "auth_source to another way to sign in.",
    "SkuNotAvailable": "Take a VM size that this region offers to the subscription; matcha.mlops.preflight shows it.",
    "StorageAccountAlreadyTaken": "The name is taken in all of Azure: choose another.",
    "AlreadyInUse": "The name is taken in all of Azure: choose another.",
    "VaultAlreadyExists": "The name is taken in all of Azure, perhaps by a deleted vault that can be recovered.",
    "ForbiddenByConnection": "The vault takes no calls from a public network: come through its private endpoint.",
    "ForbiddenByFirewall": "Allow this machine's address in the vault's network_acls.",
    "ForbiddenByPolicy": "This vault has access policies in place of roles: give the credential one for secrets.",
    "ForbiddenByRbac": "Grant the credential Key Vault Secrets Officer on the vault (which takes minutes to work).",
    "RequestDisallowedByPolicy": "A policy of the subscription forbids it: ask who owns the policy.",
    "ScopeLocked": "A lock on the resource or its group forbids it: remove the lock first.",
    "TooManyRequests": "Azure is throttling the subscription: run this again later.",
}
# Somebody else is changing the resource, or Azure has not caught up: look again and try again.
BUSY = {
    "AnotherOperationInProgress",
    "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
    "Conflict",
    "ConflictingConcurrentWriteNotAllowed",
    "EtagMismatch",
    "InProgress",
    "OperationNotAllowed",
    "PreconditionFailed",
    "ResourceGroupBeingDeleted",
    "RetryableError",
    "ServerBusy",
    "ServerIsBusy",
    "StorageAccountOperationInProgress",
    "TooManyRequests",
}
# Codes that say no more than the HTTP status.
VAGUE = ("Conflict", "Forbidden")
# What tells a refusal by rule from one by time, where a code means both.
FOR_GOOD = {
    "OperationNotAllowed": ("in progress", "in-progress", "being", "currently"),
    "Conflict": ("progress", "retry"),
}


class AzureError(MatchaError):
    """A refusal. ``code``, ``status`` (0 where nothing was answered) and ``correlation_id`` are Azure's."""

    def __init__(self, what: str, message: str, code: str = "", status: int = 0, correlation_id: str = "") -> None:
        """Say what was being done, and what Azure said to it."""
        self.code, self.status, self.correlation_id = code, status, correlation_id
        self.message = message
        # An access rule's message says more about the code than we can.
        advice = ADVICE.get(code, "")
        about = ", ".join(
            filter(
                None,
                [code or (f"HTTP {status}" if status else ""), correlation_id and f"correlation id {correlation_id}"],
            )
        )
        super().__init__(f"{what}: {message.rstrip('. ')}{f' ({about})' if about else ''}. {advice}".rstrip())

    @property
    def busy(self) -> bool:
        """Return whether the same request may succeed in a while."""
        if self.code not in BUSY:
            # Our own refusals have a code and no status; where nothing was answered there is neither.
            return self.status in (429, 500, 502, 503, 504) or not (self.status or self.code)
        words = FOR_GOOD.get(self.code)
        return words is None or any(word in self.message.casefold() for word in words)

    @property
    def details(self) -> dict[str, Any]:
        """Return the parts of it, for a module's result."""
        return {
            "failure": {
                "code": self.code,
                "message": self.message,
                "status": self.status,
                "correlation_id": self.correlation_id,
            }
        }


def correlation_of(headers: Mapping[str, str]) -> str:
    """Return the id by which Azure's support finds a request."""
    return headers.get("x-ms-correlation-request-id") or headers.get("x-ms-request-id") or ""


def translate(what: str, error: Exception) -> AzureError:
    """Return an error of the SDK's as one of ours. ``what`` says what was being done."""
    from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

    response = getattr(error, "response", None)
    if isinstance(error, ClientAuthenticationError) and not error.error:
        # Whoever gives out tokens has another form of error than Resource Manager has.
        return AzureError(what, f"signing in to Azure failed: {_first_line(error)}", "SignInFailed", 401)
    if not isinstance(error, HttpResponseError) or response is None:
        return AzureError(what, f"Azure could not be reached: {_first_line(error)}")
    found = error.error
    headers = response.headers
    code = (found.code if found else "") or headers.get("x-ms-error-code") or ""
    if found and code in VAGUE:
        # Key vaults say only inside what they mean.
        code = (found.innererror or {}).get("code") or code
    message = (found.message if found else "") or error.reason or _first_line(error)
    return AzureError(
        what,
        "; ".join(_sentence(each) for each in (message, *_details(found))),
        code,
        int(error.status_code or 0),
        correlation_of(headers),
    )


def _details(found: Any) -> Iterator[str]:
    """Yield the reasons that Azure gives for a refusal, and the reasons of these."""
    for each in (found.details if found else None) or ():
        if each.message:
            yield f"{each.code}: {each.message}"
        yield from _details(each)


def _sentence(text: str) -> str:
    """Return what is said without its end, and without what storage puts there: its own id and the time."""
    return " ".join(re.sub(r"\bRequestId:\S+\s+Time:\S+", "", text).split()).rstrip(". ")


def _first_line(error: Exception) -> str:
    """Return the first line of the SDK's message: it goes on with what nobody needs."""
    return str(getattr(error, "message", None) or error).strip().partition("\n")[0]
