# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be asked of a cluster beside reading and writing it: start, stop, abort, credentials, upgrades, commands."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from ..arm import Answer
from . import containerservice_checks as checks
from . import containerservice_credentials as credentials
from . import containerservice_operations as operations
from . import containerservice_pools as pools
from . import containerservice_versions as versions
from .containerservice_settle import private_link
from .documents import guid

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..arm import Request, ResourceId, ResourceType

ROLES: list[dict[str, Any]] = [
    {
        "sourceResourceType": "Microsoft.MachineLearningServices/workspaces",
        "name": "mlworkload",
        "rules": [
            {"verbs": ["get", "list", "watch"], "apiGroups": [""], "resources": ["namespaces"], "resourceNames": [],
             "nonResourceURLs": []}
        ],
    }
]  # fmt: skip
MESH = ("asm-1-26", "asm-1-27", "asm-1-28")


def run(kind: ResourceType, request: Request, rid: ResourceId, current: dict[str, Any], name: str) -> Answer:
    what = name.lower()
    if what in credentials.KINDS:
        return credentials.list_credentials(request, rid, current, name)
    if what in POWER:
        return power(request, rid, current, what)
    if what in RENEWALS:
        return renew(request, rid, current, what)
    if what == "abort":
        return operations.abort(request, rid, current["location"], kind.present(request, rid, current))
    if what == "runcommand":
        return command(request, rid, current)
    reader = READERS.get(what)
    if reader is not None:
        return Answer(200, reader(current, pools.stored(request.simulator, rid)))
    first, _, rest = name.partition("/")
    if first.lower() == "accessprofiles" and rest:
        return credentials.access_profile(request, rid, current, rest.split("/")[0])
    if first.lower() == "commandresults" and rest:
        return command_result(request, rid, rest)
    raise kind.no_such_type(request, rid)


# What stops and what starts: the state meanwhile, the power before and after, how long.
POWER: dict[str, tuple[str, str, str, float]] = {
    "stop": ("Stopping", "Running", "Stopped", operations.STOP),
    "start": ("Starting", "Stopped", "Running", operations.START),
}
RENEWALS = (
    "rotateclustercertificates",
    "rotateserviceaccountsigningkeys",
    "resetserviceprincipalprofile",
    "resetaadprofile",
)


def change(
    request: Request, rid: ResourceId, current: dict[str, Any], how: tuple[str, float], on_done: Callable[[], None]
) -> Answer:
    """Change the cluster and all of its pools; the answer has no body."""
    (state, seconds), simulator = how, request.simulator

    def ended(status: str) -> None:
        for document in (current, *pools.stored(simulator, rid)):
            document["properties"]["provisioningState"] = status
        current["eTag"] = guid(simulator.rng)

    def done() -> None:
        ended(operations.SUCCEEDED)
        on_done()

    for document in (current, *pools.stored(simulator, rid)):
        document["properties"]["provisioningState"] = state
    verb = request.path.rsplit("/", maxsplit=1)[-1]
    operation = operations.begin(request, rid, seconds, done, lambda status, _error: ended(status), verb=verb)
    return Answer(202, None, operations.headers(rid, current["location"], operation, result=True))


def power(request: Request, rid: ResourceId, current: dict[str, Any], what: str) -> Answer:
    state, before, after, seconds = POWER[what]
    properties = current["properties"]
    operations.need_idle(current, pools.stored(request.simulator, rid))
    if properties["powerState"]["code"] != before:
        raise operations.wrong_power(properties, "stopping" if what == "stop" else "starting")

    def done() -> None:
        properties["powerState"] = {"code": after}
        for pool in pools.stored(request.simulator, rid):
            pool["properties"]["powerState"] = {"code": after}

    return change(request, rid, current, (state, seconds), done)


def renew(request: Request, rid: ResourceId, current: dict[str, Any], what: str) -> Answer:
    operations.need_idle(current, pools.stored(request.simulator, rid))
    operations.need_running(current, "updating")
    sent = request.body or {}

    def done() -> None:
        if what == "rotateclustercertificates":
            credentials.rotate(request, rid)
        if what == "resetserviceprincipalprofile":
            current["properties"]["servicePrincipalProfile"] = {"clientId": sent.get("clientId")}

    state = "RotatingClusterCertificates" if what == "rotateclustercertificates" else "Updating"
    return change(request, rid, current, (state, operations.ROTATE), done)


def upgrades(current: dict[str, Any], found: list[dict[str, Any]]) -> dict[str, Any]:
    version = current["properties"]["currentKubernetesVersion"]
    del found
    return {
        "id": f"{current['id']}/upgradeprofiles/default",
        "name": "default",
        "type": "Microsoft.ContainerService/managedClusters/upgradeprofiles",
        "properties": {
            "controlPlaneProfile": {
                "kubernetesVersion": version,
                "osType": "Linux",
                "upgrades": versions.upgrade_list(version),
            },
            "agentPoolProfiles": None,
        },
    }


def pool_versions(current: dict[str, Any], found: list[dict[str, Any]]) -> dict[str, Any]:
    del found
    control = current["properties"]["currentKubernetesVersion"]
    offered = [patch for patches in versions.OFFERED.values() for patch in patches]
    usable = [{"kubernetesVersion": patch} for patch in offered if versions.parts(patch) <= versions.parts(control)]
    return {
        "id": f"{current['id']}/availableAgentPoolVersions",
        "name": "default",
        "type": "Microsoft.ContainerService/managedClusters/availableAgentPoolVersions",
        "properties": {"agentPoolVersions": usable},
    }


def links(current: dict[str, Any], found: list[dict[str, Any]]) -> dict[str, Any]:
    del found
    return {"value": [private_link(current, put=False)] if "privateFQDN" in current["properties"] else []}


def nothing(current: dict[str, Any], found: list[dict[str, Any]]) -> dict[str, Any]:
    del current, found
    return {"value": []}


def mesh_upgrades(current: dict[str, Any], found: list[dict[str, Any]]) -> dict[str, Any]:
    del found
    used = checks.at(current["properties"], "serviceMeshProfile.istio.revisions") or []
    entry = {
        "id": f"{current['id']}/meshUpgradeProfiles/istio",
        "name": "istio",
        "type": "Microsoft.ContainerService/managedClusters/meshUpgradeProfiles",
        "properties": {"revision": used[-1], "upgrades": [one for one in MESH if one > used[-1]]} if used else {},
    }
    return {"value": [entry] if used else []}


READERS: dict[str, Callable[[dict[str, Any], list[dict[str, Any]]], dict[str, Any]]] = {
    "upgradeprofiles/default": upgrades,
    "availableagentpoolversions": pool_versions,
    "privatelinkresources": links,
    "meshupgradeprofiles": mesh_upgrades,
    "privateendpointconnections": nothing,
}


def command(request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
    """Run kubectl in the cluster: polled by its own results, not by an operation."""
    operations.need_running(current, "running a command")
    if checks.at(current["properties"], "apiServerAccessProfile.disableRunCommand"):
        raise checks.refuse(400, "BadRequest", "The Run Command feature is disabled on this cluster.")
    identifier = uuid.UUID(guid(request.simulator.rng)).hex
    text = (request.body or {}).get("command") or ""
    operation = request.simulator.operations.start(
        5, kind=f"{rid.type} runCommand", resource=f"{rid}/commands", id=identifier
    )
    operation.result = f"$ {text}\n"
    return Answer(202, None, {"Location": result_url(request, rid, identifier)})


def result_url(request: Request, rid: ResourceId, identifier: str) -> str:
    group = f"/subscriptions/{rid.subscription}/resourceGroups/{rid.group}"
    return request.url(
        f"{group}/providers/Microsoft.ContainerService/managedclusters/{rid.name}/commandResults/{identifier}"
    )


def command_result(request: Request, rid: ResourceId, identifier: str) -> Answer:
    operation = operations.find(request, identifier)
    clock = request.simulator.clock
    if not operation.done:
        body = {"id": identifier, "properties": {"provisioningState": "Running"}}
        return Answer(202, body, {"Location": result_url(request, rid, identifier)})
    properties = {
        "provisioningState": "Succeeded",
        "exitCode": 0,
        "startedAt": f"{clock.text(operation.started)[:19]}Z",
        "finishedAt": f"{clock.text(operation.ended)[:19]}Z",
        "logs": "",
    }
    return Answer(200, {"id": identifier, "properties": properties})


def location_more(what: str, location: str, path: str) -> Answer | None:
    """Answer for lists of a region that nothing depends upon."""
    if what == "meshrevisionprofiles":
        profiles = [{"revision": one, "upgrades": [later for later in MESH if later > one]} for one in MESH]
        entry = {
            "id": f"{path}/istio",
            "name": "istio",
            "type": "Microsoft.ContainerService/locations/meshRevisionProfiles",
            "properties": {"meshRevisions": profiles},
        }
        return Answer(200, {"value": [entry]})
    del location
    return Answer(200, {"value": []}) if what in ("nodeimageversions", "usages", "guardrailsversions") else None
