# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft.ContainerService/snapshots: what a node pool was, to make others of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..arm import Answer, ResourceType
from . import containerservice_checks as checks
from .containerservice_values import drop_empty, location
from .documents import system_data

if TYPE_CHECKING:
    from ..arm import Request, ResourceId


class Snapshots(ResourceType):
    type = "Microsoft.ContainerService/snapshots"

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        sent = checks.body(request.body)
        source = checks.at(sent, "creationData.sourceResourceId") or ""
        pool = request.simulator.store.get(source) if source else None
        if pool is None:
            raise checks.invalid("creationData.sourceResourceId", "There is no such node pool.")
        found = pool["properties"]
        document = {
            "id": f"/subscriptions/{rid.subscription}/resourceGroups/{rid.group}/providers/{self.type}/{rid.name}",
            "name": rid.name,
            "type": "Microsoft.ContainerService/Snapshots",
            "location": location(request.body.get("location") or ""),
            "tags": request.body.get("tags") or {},
            "systemData": system_data(request, (current or {}).get("systemData")),
            "properties": {
                "creationData": {"sourceResourceId": source},
                "snapshotType": sent.get("snapshotType") or "NodePool",
                "kubernetesVersion": found["currentOrchestratorVersion"],
                "nodeImageVersion": found.get("nodeImageVersion"),
                "osType": found["osType"],
                "osSku": found["osSKU"],
                "vmSize": found["vmSize"],
                "enableFIPS": found["enableFIPS"],
            },
        }
        drop_empty(document, "tags")
        request.simulator.store.put(rid, document)
        return Answer(200, self.present(request, rid, document))

    def update(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        current["tags"] = (request.body or {}).get("tags") or {}
        drop_empty(current, "tags")
        return Answer(200, self.present(request, rid, current))


TYPES: list[ResourceType] = [Snapshots()]
