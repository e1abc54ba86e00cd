# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user-assigned identity as a document, and its principal in the directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..arm import Request, ResourceId

TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities"


def written_id(rid: ResourceId) -> str:
    """Write resourceGroups in small letters, as this provider does."""
    parts = str(rid).split("/")
    return "/".join(["resourcegroups" if part.lower() == "resourcegroups" else part for part in parts])


def new_identity(request: Request, rid: ResourceId, location: str, tags: dict[str, str]) -> dict[str, Any]:
    """Make and store one; role assignments know its principal only after a while."""
    simulator = request.simulator
    principal = simulator.principals.add_managed_identity(rid.name, resource=rid)
    document = {
        "location": location,
        "tags": tags,
        "id": written_id(rid),
        "name": rid.name,
        "type": TYPE,
        "properties": {
            "tenantId": simulator.tenant,
            "principalId": principal.object_id,
            "clientId": principal.app_id,
        },
    }
    return simulator.store.put(rid, document)
