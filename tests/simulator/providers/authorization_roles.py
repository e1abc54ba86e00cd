# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role definitions: the built-in ones, and custom ones.

As recorded: RoleDefinitionDoesNotExist and the shape of a list. What is refused of custom roles is second-hand, from
Azure's documentation.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

from ..access import DEFINITIONS
from ..arm import Answer, AzureError, Request, ResourceId, ResourceType
from ..roles import BUILTIN
from .documents import azure_time, properties

_NAME = re.compile(r"roleName eq '((?:[^']|'')*)'", re.IGNORECASE)
_KIND = re.compile(r"type eq '(\w+)'", re.IGNORECASE)


def missing(name: str) -> AzureError:
    text = f"The specified role definition with ID '{name}' does not exist."
    return AzureError(404, "RoleDefinitionDoesNotExist", text)


class RoleDefinitions(ResourceType):
    type = DEFINITIONS
    extension = True

    def load(self, request: Request, rid: ResourceId) -> dict[str, Any] | None:
        found = BUILTIN.get(rid.name.lower())
        custom = request.simulator.store.all(DEFINITIONS)
        return found or next((one for one in custom if one["name"].lower() == rid.name.lower()), None)

    def not_found(self, rid: ResourceId) -> AzureError:
        return missing(rid.name)

    def present(self, request: Request, rid: ResourceId, stored: dict[str, Any]) -> dict[str, Any]:
        """Begin a role's id with the subscription that it was asked for in."""
        body = deepcopy(super().present(request, rid, stored))
        where = f"/subscriptions/{rid.subscription}" if rid.subscription else ""
        body["id"] = f"{where}/providers/{DEFINITIONS}/{stored['name']}"
        return body

    def collection(self, request: Request, rid_parent: ResourceId, items: list[dict[str, Any]]) -> Answer:
        del items
        wanted = request.query.get("$filter", "")
        name, kind = _NAME.search(wanted), _KIND.search(wanted)
        found = []
        for one in (*BUILTIN.values(), *request.simulator.store.all(DEFINITIONS)):
            own = one["properties"]
            if name and own["roleName"].lower() != name[1].replace("''", "'").lower():
                continue
            if kind and own["type"].lower() != kind[1].lower():
                continue
            if any(
                rid_parent.within(scope) or ResourceId(scope).within(rid_parent) for scope in own["assignableScopes"]
            ):
                found.append(self.present(request, rid_parent, one))
        return Answer(200, {"value": found})

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        own = properties(request.body)
        if current is not None and current["properties"]["type"] == "BuiltInRole":
            text = "Built-in roles cannot be changed."
            raise AzureError(403, "RoleDefinitionUpdateNotPermitted", text)  # code: none recorded
        self._check(request, rid, own)
        now = azure_time(request.simulator.clock.now())
        caller = request.principal.object_id if request.principal else None
        old = current["properties"] if current else {"createdOn": now, "createdBy": caller}
        permissions = [
            {key: entry.get(key) or [] for key in ("actions", "notActions", "dataActions", "notDataActions")}
            for entry in own.get("permissions") or []
        ]
        document = {
            "properties": {
                "roleName": own["roleName"],
                "type": "CustomRole",
                "description": own.get("description") or "",
                "assignableScopes": own["assignableScopes"],
                "permissions": permissions,
                "createdOn": old["createdOn"],
                "updatedOn": now,
                "createdBy": old["createdBy"],
                "updatedBy": caller,
            },
            "id": f"{rid.subscription_id}/providers/{DEFINITIONS}/{rid.name}",
            "type": DEFINITIONS,
            "name": rid.name,
        }
        request.simulator.store.put(document["id"], document)
        return Answer(201, self.present(request, rid, document))

    @staticmethod
    def _check(request: Request, rid: ResourceId, own: dict[str, Any]) -> None:
        if not own.get("roleName") or not own.get("assignableScopes"):
            text = "The request to create a role needs a role name and at least one assignable scope."
            raise AzureError(400, "InvalidRoleDefinition", text)  # code: none recorded
        for one in (*BUILTIN.values(), *request.simulator.store.all(DEFINITIONS)):
            if one["properties"]["roleName"] == own["roleName"] and one["name"].lower() != rid.name.lower():
                text = "A custom role with the same name already exists in this directory. Use a different name."
                raise AzureError(409, "RoleDefinitionWithSameNameExists", text)

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        if current is None:
            return Answer(204)
        if current["properties"]["type"] == "BuiltInRole":
            raise AzureError(403, "RoleDefinitionUpdateNotPermitted", "Built-in roles cannot be deleted.")
        used = request.simulator.store.all("Microsoft.Authorization/roleAssignments")
        if any(one["properties"]["roleDefinitionId"].lower().endswith(rid.name.lower()) for one in used):
            text = "There are existing role assignments referencing role."
            raise AzureError(400, "RoleDefinitionHasAssignments", text)
        request.simulator.store.delete(current["id"])
        return Answer(200, self.present(request, rid, current))


TYPES = [RoleDefinitions()]
