# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft.ContainerService/managedClusters/agentPools: each is a resource, and a part of its cluster's answer."""

from __future__ import annotations

import zlib
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..arm import Answer, AzureError, ResourceType
from . import containerservice_checks as checks
from . import containerservice_operations as operations
from . import containerservice_poolbody as body
from . import containerservice_versions as versions
from .containerservice_keys import pool as known_keys
from .containerservice_settle import AUTOSCALER, scaled
from .documents import guid

if TYPE_CHECKING:
    from ..arm import Request, ResourceId
    from ..simulator import Simulator

TYPE = "Microsoft.ContainerService/managedClusters/agentPools"


def stored(simulator: Simulator, rid: ResourceId) -> list[dict[str, Any]]:
    """Return a cluster's pools, by name."""
    return sorted(simulator.store.children(rid, "agentPools"), key=lambda pool: pool["name"])


def properties(pool: dict[str, Any], api_version: str, *, put: bool = False) -> dict[str, Any]:
    """Return a pool's properties as an answer has them; that to a PUT has labels even if there are none."""
    shown = known_keys(pool["properties"], api_version)
    if put or api_version < "2021":
        shown.setdefault("nodeLabels", {})
    return shown


@dataclass
class Plan:
    """What a PUT of a cluster does to its pools."""

    changed: dict[str, dict[str, Any]] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)

    def documents(self, existing: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the pools as they will be."""
        kept = [pool for pool in existing if pool["name"] not in self.changed and pool["name"] not in self.removed]
        return kept + [{"name": name, "properties": found} for name, found in self.changed.items()]


def plan(
    request: Request, sent: list[dict[str, Any]] | None, existing: list[dict[str, Any]], cluster: dict[str, Any]
) -> Plan:
    """Without pools in the request they stay as they are; a list is the whole list: a pool that isn't in it goes."""
    result = Plan()
    if not sent:
        return result
    before = {pool["name"]: pool["properties"] for pool in existing}
    for profile in sent:
        name = profile.get("name") or ""
        checks.pool(request, name, profile, before.get(name))
        if name in before:
            checks.pool_upgrade(before[name], profile.get("orchestratorVersion"), request.api_version)
        result.changed[name] = body.normalised(profile, before.get(name), cluster, mode="User")
    result.removed = [name for name in before if name not in result.changed]
    for name, found in result.changed.items():
        others = [other for its, other in result.changed.items() if its != name]
        checks.whole_pool(found, cluster, others)
    return result


def apply(request: Request, rid: ResourceId, cluster: dict[str, Any], plan: Plan, state: str) -> None:
    """Store what a cluster's PUT makes of its pools; all of them are being changed with it."""
    for name, found in plan.changed.items():
        store_pool(request, rid.child("agentPools", name), cluster, found)
    for pool in stored(request.simulator, rid):
        pool["properties"]["provisioningState"] = "Deleting" if pool["name"] in plan.removed else state


def store_pool(request: Request, rid: ResourceId, cluster: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    found["eTag"] = guid(request.simulator.rng)
    document = {"id": f"{cluster['id']}/agentPools/{rid.name}", "name": rid.name, "type": TYPE, "properties": found}
    return request.simulator.store.put(rid, document)


class AgentPools(ResourceType):
    type = TYPE

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        sent = checks.body(request.body)
        cluster = self.cluster(request, rid)
        before = current["properties"] if current else None
        checks.pool(request, rid.name, sent, before)
        self.need_idle(cluster, current)
        operations.need_running(cluster, "updating agent pool")
        found = body.normalised(sent, before, cluster["properties"], mode="User")
        if before:
            checks.pool_upgrade(before, sent.get("orchestratorVersion"), request.api_version)
        others = [pool["properties"] for pool in stored(request.simulator, rid.parent()) if pool["name"] != rid.name]
        checks.whole_pool(found, cluster["properties"], others)
        if before and before["mode"] == "System" != found["mode"]:
            self.need_other_system(others)
        found["provisioningState"] = doing(before, found)
        old = deepcopy(current)
        document = store_pool(request, rid, cluster, found)
        operation = self.begin(request, rid, operations.POOL, old)
        headers = operations.headers(rid, cluster["location"], operation, result=False)
        return Answer(200 if current else 201, self.present(request, rid, document), headers)

    def cluster(self, request: Request, rid: ResourceId) -> dict[str, Any]:
        above = rid.parent()
        found = request.simulator.store.get(above) if above else None
        if found is None:
            raise self.parent_not_found(request, rid, above or rid)
        return found

    def need_idle(self, cluster: dict[str, Any], current: dict[str, Any] | None) -> None:
        """Pools can be changed side by side, but neither beside their cluster nor twice at once."""
        operations.need_idle(cluster, [current] if current else [])

    def need_other_system(self, others: list[dict[str, Any]]) -> None:
        if not any(other["mode"] in ("System", "ManagedSystem") for other in others):
            raise checks.refuse(400, "BadRequest", "There has to be at least one system agent pool.")

    def begin(
        self, request: Request, rid: ResourceId, seconds: float, old: dict[str, Any] | None, verb: str = ""
    ) -> Any:
        """Begin what ends with the pool Succeeded. When it is cancelled, the pool is as it was before."""
        simulator = request.simulator

        def ended(state: str) -> dict[str, Any] | None:
            document = simulator.store.get(rid)
            if document is not None:
                document["properties"]["provisioningState"] = state
                document["properties"]["eTag"] = guid(simulator.rng)
            return document

        def done() -> None:
            document = ended(operations.SUCCEEDED)
            if document is not None:
                finish(simulator, rid, document["properties"])

        def failed(status: str, error: dict[str, Any]) -> None:
            if status == operations.CANCELED and old is not None and simulator.store.get(rid) is not None:
                simulator.store.put(rid, old)
            document = ended(status)
            if document is not None:
                document["properties"]["status"] = {"provisioningError": error}

        return operations.begin(request, rid, seconds, done, failed, verb=verb)

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        if current is None:
            return Answer(204)
        cluster = self.cluster(request, rid)
        self.need_idle(cluster, current)
        others = [pool["properties"] for pool in stored(request.simulator, rid.parent()) if pool["name"] != rid.name]
        if current["properties"]["mode"] == "System":
            self.need_other_system(others)
        current["properties"]["provisioningState"] = "Deleting"
        simulator = request.simulator

        def failed(status: str, _error: dict[str, Any]) -> None:
            current["properties"]["provisioningState"] = status

        operation = operations.begin(request, rid, operations.POOL_DELETE, lambda: simulator.store.delete(rid), failed)
        return Answer(202, None, operations.headers(rid, cluster["location"], operation, result=True))

    def action(self, request: Request, rid: ResourceId, current: dict[str, Any], name: str) -> Answer:
        what = name.lower()
        cluster = self.cluster(request, rid)
        if what == "upgradeprofiles/default":
            return Answer(200, self.upgrades(current))
        if what == "abort":
            return self.abort(request, rid, current, cluster)
        if what == "upgradenodeimageversion":
            self.need_idle(cluster, current)
            operations.need_running(cluster, "upgrading node image version")
            old = deepcopy(current)
            current["properties"]["provisioningState"] = "UpgradingNodeImageVersion"
            current["properties"]["nodeImageVersion"] = body.image(current["properties"])
            operation = self.begin(request, rid, operations.IMAGE, old, "upgradeNodeImageVersion")
            headers = operations.headers(rid, cluster["location"], operation, result=True)
            return Answer(202, self.present(request, rid, current), headers)
        if what == "deletemachines":
            return self.delete_machines(request, rid, current, cluster)
        if what == "machines" or what.startswith("machines/"):
            return self.machines(rid, current, name)
        return super().action(request, rid, current, name)

    def abort(self, request: Request, rid: ResourceId, current: dict[str, Any], cluster: dict[str, Any]) -> Answer:
        return operations.abort(request, rid, cluster["location"], self.present(request, rid, current))

    def upgrades(self, current: dict[str, Any]) -> dict[str, Any]:
        found = current["properties"]
        entry = {
            "kubernetesVersion": found["currentOrchestratorVersion"],
            "osType": found["osType"],
            "latestNodeImageVersion": body.image(found),
            "upgrades": versions.upgrade_list(found["currentOrchestratorVersion"]),
        }
        kind = "Microsoft.ContainerService/managedClusters/agentPools/upgradeProfiles"
        return {"id": f"{current['id']}/upgradeProfiles/default", "name": "default", "type": kind, "properties": entry}

    def delete_machines(
        self, request: Request, rid: ResourceId, current: dict[str, Any], cluster: dict[str, Any]
    ) -> Answer:
        self.need_idle(cluster, current)
        names = set((request.body or {}).get("machineNames") or [])
        there = {machine(current, number)["name"] for number in range(current["properties"]["count"])}
        old = deepcopy(current)
        current["properties"]["count"] -= len(names & there)
        current["properties"]["provisioningState"] = "DeletingMachines"
        operation = self.begin(request, rid, operations.POOL_DELETE, old, "deleteMachines")
        return Answer(202, None, operations.headers(rid, cluster["location"], operation, result=True))

    def machines(self, rid: ResourceId, current: dict[str, Any], name: str) -> Answer:
        """Show the nodes of a pool."""
        entries = [machine(current, number) for number in range(current["properties"]["count"])]
        if "/" not in name:
            return Answer(200, {"value": entries})
        wanted = name.split("/")[1]
        for entry in entries:
            if entry["name"] == wanted:
                return Answer(200, entry)
        del rid
        raise operations.not_found(
            "GetMachine", "Machine not found", "The entity was not found.", more="_HCPServerError"
        )

    def etag(self, current: dict[str, Any]) -> str | None:
        found = current["properties"].get("eTag")
        return str(found) if found else None

    def precondition_failed(self, request: Request, current: dict[str, Any] | None) -> AzureError:
        del request, current
        return operations.stale_etag()

    def collection(self, request: Request, rid_parent: ResourceId, items: list[dict[str, Any]]) -> Answer:
        return super().collection(request, rid_parent, sorted(items, key=lambda item: item["name"]))

    def present(self, request: Request, rid: ResourceId, stored: dict[str, Any]) -> dict[str, Any]:
        del rid
        return {**stored, "properties": properties(stored, request.api_version)}

    def not_found(self, rid: ResourceId) -> AzureError:
        message = (
            f"Could not find the agentpool: {rid.name} in subscription: {rid.subscription}, "
            f"resourceGroup: {rid.group}, resourceName: {rid.names[0]}."
        )
        return operations.not_found("GetAgentPool", "Agent Pool not found", message)

    def parent_not_found(self, request: Request, rid: ResourceId, parent: ResourceId) -> AzureError:
        return operations.cluster_not_found(super().parent_not_found(request, rid, parent), request, parent)


def doing(before: dict[str, Any] | None, found: dict[str, Any]) -> str:
    """Return the state of a pool while it is changed, which says what is done to it."""
    if before is None:
        return "Creating"
    was, now = (checks.at(one, "powerState.code") for one in (before, found))
    if was != now:
        return "Stopping" if now == "Stopped" else "Starting"
    upgraded = before["currentOrchestratorVersion"] != found["currentOrchestratorVersion"]
    return "Upgrading" if upgraded else "Updating"


def finish(simulator: Simulator, rid: ResourceId, found: dict[str, Any]) -> None:
    scaled(found)
    above = rid.parent()
    cluster = simulator.store.get(above) if above else None
    if cluster is not None and found.get("enableAutoScaling"):
        cluster["properties"].setdefault("autoScalerProfile", dict(AUTOSCALER))


def machine(pool: dict[str, Any], number: int) -> dict[str, Any]:
    name = f"aks-{pool['name']}-{hash_of(pool['id']):08}-vmss{number:06}"
    return {
        "id": f"{pool['id']}/machines/{name}",
        "name": name,
        "type": f"{TYPE}/machines",
        "properties": {"network": {"ipAddresses": [{"family": "IPv4", "ip": f"10.224.0.{number + 4}"}]}},
    }


def hash_of(text: str) -> int:
    return zlib.crc32(text.encode()) % 10**8
