# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Managed disks. Nobody makes one here but a cluster's storage driver, by `attach`. Second-hand: documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..arm import Answer, AzureError, ResourceId, ResourceType

if TYPE_CHECKING:
    from ..arm import Request
    from ..simulator import Simulator

DISKS = "Microsoft.Compute/disks"
SECONDS = 5


class Disks(ResourceType):
    type = DISKS

    def update(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        """Change tags, and nothing else."""
        if "tags" in (request.body or {}):
            current["tags"] = dict(request.body["tags"] or {})
        return Answer(200, self.present(request, rid, current))

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        if current is None:
            return Answer(204)
        machine = user(request.simulator, current)
        if machine:
            message = f"Disk {rid.name} is attached to VM {machine}."
            raise AzureError(409, "OperationNotAllowed", message)
        current["properties"]["provisioningState"] = "Deleting"
        store = request.simulator.store
        kind = f"{self.type} DELETE"
        started = request.simulator.operations.start(
            SECONDS, kind=kind, on_done=lambda: store.delete(rid), resource=rid
        )
        place = f"/subscriptions/{rid.subscription}/providers/Microsoft.Compute/locations/{current['location']}"
        return Answer(202, None, {"Location": request.url(f"{place}/DiskOperations/{started.id}")})

    def present(self, request: Request, rid: ResourceId, stored: dict[str, Any]) -> dict[str, Any]:
        body = super().present(request, rid, stored)
        machine = user(request.simulator, stored)
        body["properties"] = {**body["properties"], "diskState": "Attached" if machine else "Unattached"}
        return {**body, "managedBy": machine} if machine else body

    def location_route(self, request: Request, location: str, rest: list[str]) -> Answer | None:
        del location
        if rest[0].lower() != "diskoperations" or len(rest) < 2:
            return None
        operation = request.simulator.operations.find(rest[1])
        if operation is None:
            raise AzureError(404, "NotFound", f"Operation {rest[1]} was not found.")
        return Answer(200 if operation.done else 202, None, {} if operation.done else {"Location": request.target})


def user(simulator: Simulator, disk: dict[str, Any]) -> str:
    """Say which machine uses a disk: one of its cluster's nodes, unless that goes away."""
    cluster = simulator.store.get(disk.get("_cluster") or "/")
    group = simulator.store.get(ResourceId(disk["id"]).group_id) or {"properties": {}}
    if cluster is None or cluster["properties"].get("resourceUID") != disk.get("_cluster_uid"):
        return ""
    if "Deleting" in {one["properties"].get("provisioningState") for one in (cluster, group)}:
        return ""
    nodes = f"/subscriptions/{ResourceId(disk['id']).subscription}/resourceGroups/"
    nodes += f"{cluster['properties'].get('nodeResourceGroup', '')}"
    return f"{nodes}/providers/Microsoft.Compute/virtualMachineScaleSets/aks-system/virtualMachines/0"


def attach(  # noqa: PLR0917
    simulator: Simulator, cluster: dict[str, Any], rid: ResourceId, gigabytes: int, sku: str, tags: dict[str, str]
) -> None:
    """Let a disk be there, as a cluster's storage driver made it, and be that cluster's."""
    if simulator.store.get(rid.group_id) is None:
        return
    document = simulator.store.get(rid) or simulator.store.put(
        rid,
        {
            "id": str(rid),
            "name": rid.name,
            "type": DISKS,
            "location": cluster["location"],
            "sku": {"name": sku, "tier": sku.partition("_")[0]},
            "tags": tags,
            "properties": {
                "diskSizeGB": gigabytes,
                "creationData": {"createOption": "Empty"},
                "provisioningState": "Succeeded",
                "timeCreated": simulator.clock.text(),
            },
        },
    )
    document["_cluster"], document["_cluster_uid"] = cluster["id"], cluster["properties"].get("resourceUID")


TYPES = [Disks()]
