# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The identity of a resource: one of its own, which the directory gets, or user-assigned ones, which must be there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..arm import GATEWAY, AzureError, ResourceId
from .documents import presumes
from .managedidentity_documents import new_identity

if TYPE_CHECKING:
    from ..arm import Request

_ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"


def assigned(
    request: Request, rid: ResourceId, asked: dict[str, Any] | None, current: dict[str, Any] | None
) -> dict[str, Any]:
    """Make the identity that a request asks for; {} where it asks for none."""
    if not asked:
        return {}
    current = current or {}
    kinds = {part.strip().lower() for part in str(asked.get("type", "None")).split(",")}
    result: dict[str, Any] = {"type": asked.get("type", "None")}
    if "systemassigned" in kinds:
        result |= _own(request, rid, current)
    elif current.get("principalId"):
        request.simulator.principals.remove(current["principalId"])
    if "userassigned" in kinds:
        result["userAssignedIdentities"] = _users(request, rid, asked, current)
    return result


def forget(request: Request, current: dict[str, Any]) -> None:
    """Take the identity of a resource that is deleted out of the directory."""
    request.simulator.principals.remove((current.get("identity") or {}).get("principalId", ""))


def _own(request: Request, rid: ResourceId, current: dict[str, Any]) -> dict[str, Any]:
    principal = current.get("principalId")
    if not principal:
        principal = request.simulator.principals.add_managed_identity(rid.name, resource=rid).object_id
    return {"principalId": principal, "tenantId": request.simulator.tenant}


def _users(
    request: Request, rid: ResourceId, asked: dict[str, Any], current: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    """Replace them all, where any are named; a null is one that goes."""
    named = asked.get("userAssignedIdentities")
    if named is None:
        return dict(current.get("userAssignedIdentities") or {})
    return {name: _user(request, rid, name) for name, value in named.items() if value is not None}


def _user(request: Request, rid: ResourceId, name: str) -> dict[str, Any]:
    identity = ResourceId(name)
    stored = request.simulator.store.get(identity)
    if stored is None and presumes(request, identity):
        stored = new_identity(request, identity, "westus", {})
    if stored is None:
        inner = f"Resource '{name}' was not found."
        response = f'{{"error":{{"code":"BadRequest","message":"{inner}"}}}}'
        text = (
            f"Identity operation for resource '{rid}' failed with error 'Failed to perform resource identity "
            f"operation. Status: 'BadRequest'. Response: '{response}'.'."
        )
        raise AzureError(400, "FailedIdentityOperation", text, headers=GATEWAY)
    principal = request.principal
    if principal is not None and not request.simulator.access.allowed(principal, _ASSIGN, identity):
        text = (
            f"The client '{principal.app_id or principal.name}' with object id '{principal.object_id}' has permission "
            f"to perform action '{rid.type}/write' on scope '{rid}'; however, it does not have permission to perform "
            f"action(s) '{_ASSIGN}' on the linked scope(s) '{name}' (respectively) or the linked scope(s) are invalid."
        )
        raise AzureError(403, "LinkedAuthorizationFailed", text, headers=GATEWAY)
    return {key: stored["properties"][key] for key in ("principalId", "clientId")}
