# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft.Resources: resource groups."""

from __future__ import annotations

from typing import Any

from ..arm import Answer, Request, ResourceId, ResourceType, group_not_found


class ResourceGroups(ResourceType):
    type = "Microsoft.Resources/resourceGroups"

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        body = request.body or {}
        document = {
            "id": f"/subscriptions/{rid.subscription}/resourceGroups/{rid.group}",
            "name": rid.group,
            "type": self.type,
            "location": body.get("location", "").replace(" ", "").lower(),
            "properties": {"provisioningState": "Succeeded"},
        }
        document |= {key: body[key] for key in ("managedBy", "tags") if key in body}
        request.simulator.store.put(rid, document)
        return Answer(201 if current is None else 200, self.present(request, rid, document))

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        if current is None:
            raise self.not_found(rid)
        request.simulator.store.delete(rid)
        return Answer(202)

    def not_found(self, rid: ResourceId) -> Any:
        return group_not_found(rid.group)


TYPES = [ResourceGroups()]
