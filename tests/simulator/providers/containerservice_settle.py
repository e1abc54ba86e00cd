# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is there when a cluster's operation is over: the group of its nodes, their identity, the outbound addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..arm import ResourceId
from . import containerservice_network as network
from .containerservice_body import AUTOSCALER
from .documents import guid
from .identities import assigned
from .managedidentity_documents import TYPE as IDENTITIES
from .managedidentity_documents import new_identity

if TYPE_CHECKING:
    from ..arm import Request
    from ..simulator import Simulator

ADDRESSES = "Microsoft.Network/publicIPAddresses"
# The add-ons that have an identity of their own in the group of the nodes.
WITH_IDENTITY = (
    "aciconnectorlinux",
    "azurekeyvaultsecretsprovider",
    "azurepolicy",
    "httpapplicationrouting",
    "ingressapplicationgateway",
    "omsagent",
)


def node_group(rid: ResourceId, properties: dict[str, Any]) -> ResourceId:
    return ResourceId(f"/subscriptions/{rid.subscription}/resourceGroups/{properties['nodeResourceGroup']}")


def settle(request: Request, rid: ResourceId, cluster: dict[str, Any], pools: list[dict[str, Any]]) -> None:
    """Fill in what a running cluster has."""
    properties = cluster["properties"]
    make_group(request.simulator, rid, cluster)
    outbound(request.simulator, rid, cluster)
    if "_identity" in cluster:
        cluster["identity"] = cluster.pop("_identity")
    if cluster.get("identity"):
        kubelet(request, rid, cluster)
        addon_identities(request, rid, cluster)
    if any(pool["properties"].get("enableAutoScaling") for pool in pools):
        properties.setdefault("autoScalerProfile", dict(AUTOSCALER))
    for pool in pools:
        scaled(pool["properties"])
    cluster["_settled"] = True


def scaled(pool: dict[str, Any]) -> None:
    """Keep the number of nodes within the autoscaler's limits."""
    if pool.get("enableAutoScaling") and pool["powerState"]["code"] == "Running":
        pool["count"] = min(max(pool["count"], pool["minCount"]), pool["maxCount"])


def make_group(simulator: Simulator, rid: ResourceId, cluster: dict[str, Any]) -> None:
    group = node_group(rid, cluster["properties"])
    if simulator.store.get(group) is None:
        simulator.store.put(
            group,
            {
                "id": str(group),
                "name": group.group,
                "type": "Microsoft.Resources/resourceGroups",
                "location": cluster["location"],
                "managedBy": cluster["id"],
                "tags": {"aks-managed-cluster-name": rid.name, "aks-managed-cluster-rg": rid.group},
                "properties": {"provisioningState": "Succeeded"},
            },
        )


def outbound(simulator: Simulator, rid: ResourceId, cluster: dict[str, Any]) -> None:
    """Make the service's own addresses, in the group of the nodes. What is shown is their id, never the address."""
    shown, count, own = network.wanted_addresses(cluster["properties"]["networkProfile"])
    if shown is None:
        return
    if not count:
        shown["effectiveOutboundIPs"] = [{"id": identifier} for identifier in own]
        return
    group = node_group(rid, cluster["properties"])
    ids = [item["id"] for item in shown.get("effectiveOutboundIPs", []) if ResourceId(item["id"]).within(group)][:count]
    for number in range(len(ids), count):
        address = group.child(ADDRESSES, guid(simulator.rng))
        simulator.store.put(address, public_address(address, cluster["location"], number))
        ids.append(str(address))
    for document in simulator.store.all(ADDRESSES, group.subscription, group.group):
        if document["id"] not in ids:
            simulator.store.delete(document["id"])
    shown["effectiveOutboundIPs"] = [{"id": identifier} for identifier in ids]


def public_address(address: ResourceId, location: str, number: int) -> dict[str, Any]:
    return {
        "id": str(address),
        "name": address.name,
        "type": ADDRESSES,
        "location": location,
        "sku": {"name": "Standard", "tier": "Regional"},
        "properties": {
            "provisioningState": "Succeeded",
            "ipAddress": f"20.{int(address.name[:2], 16)}.{int(address.name[2:4], 16)}.{number + 4}",
            "publicIPAddressVersion": "IPv4",
            "publicIPAllocationMethod": "Static",
            "idleTimeoutInMinutes": 30,
        },
    }


def managed_identity(request: Request, identity: ResourceId, location: str) -> dict[str, Any]:
    """Return an identity, made if it isn't there: a resource, and a principal that can be given roles."""
    stored = request.simulator.store.get(identity) or new_identity(request, identity, location, {})
    properties = stored["properties"]
    return {"resourceId": str(identity), "clientId": properties["clientId"], "objectId": properties["principalId"]}


def forget(simulator: Simulator, rid: ResourceId, cluster: dict[str, Any]) -> None:
    """Remove the group of a deleted cluster's nodes, and the principals of the identities that the service made."""
    group = node_group(rid, cluster["properties"])
    own = cluster.get("identity", {}).get("principalId")
    made = [document["properties"]["principalId"] for _, document in simulator.store.within(group)
            if document["type"] == IDENTITIES]  # fmt: skip
    for principal in (*made, own):
        if principal:
            simulator.principals.remove(principal)
    simulator.store.delete(group)


def in_node_group(rid: ResourceId, cluster: dict[str, Any], name: str) -> ResourceId:
    """Written as AKS writes it: with a small g in resourcegroups."""
    group = cluster["properties"]["nodeResourceGroup"]
    return ResourceId(f"/subscriptions/{rid.subscription}/resourcegroups/{group}/providers/{IDENTITIES}/{name}")


def kubelet(request: Request, rid: ResourceId, cluster: dict[str, Any]) -> None:
    profile = cluster["properties"].setdefault("identityProfile", {})
    own = (profile.get("kubeletidentity") or {}).get("resourceId")
    identity = ResourceId(own) if own else in_node_group(rid, cluster, f"{rid.name}-agentpool")
    profile["kubeletidentity"] = managed_identity(request, identity, cluster["location"])


def addon_identities(request: Request, rid: ResourceId, cluster: dict[str, Any]) -> None:
    for name, addon in (cluster["properties"].get("addonProfiles") or {}).items():
        if addon["enabled"] and name.lower() in WITH_IDENTITY:
            identity = in_node_group(rid, cluster, f"{name.lower()}-{rid.name}")
            addon["identity"] = managed_identity(request, identity, cluster["location"])
    routing = (cluster["properties"].get("ingressProfile") or {}).get("webAppRouting")
    if routing and routing.get("enabled"):
        identity = in_node_group(rid, cluster, f"webapprouting-{rid.name}")
        routing["identity"] = managed_identity(request, identity, cluster["location"])


def private_link(cluster: dict[str, Any], *, put: bool) -> dict[str, Any]:
    """Return the private link of a cluster: the answer to a PUT has the service's own end of it, others have an id."""
    link: dict[str, Any] = {
        "name": "management",
        "type": "Microsoft.ContainerService/managedClusters/privateLinkResources",
        "groupId": "management",
        "requiredMembers": ["management"],
    }
    if not put:
        return {"id": f"{cluster['id']}/privateLinkResources/management", **link}
    if cluster.get("_settled"):
        group = (
            f"/subscriptions/{ResourceId(cluster['id']).subscription}/resourceGroups/hcp-underlay-{cluster['location']}"
        )
        name = cluster["properties"]["_names"]["portal"].split("-")[0]
        link["privateLinkServiceID"] = f"{group}/providers/Microsoft.Network/privateLinkServices/a{name[1:]}"
    return link


def identity(
    request: Request, rid: ResourceId, sent: dict[str, Any], current: dict[str, Any] | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a cluster's own identity as it is shown now, and as it will be: a user's gets its ids when all is over."""
    before = current or {}
    if not sent.get("type"):
        return before, before
    asked = {name.lower() for name in sent.get("userAssignedIdentities") or {}}
    known = {k: v for k, v in (before.get("userAssignedIdentities") or {}).items() if k.lower() in asked}
    later = assigned(request, rid, sent, {**before, "userAssignedIdentities": known})
    later = {} if later["type"] == "None" else later
    now = dict(later)
    if "userAssignedIdentities" in later:
        now["userAssignedIdentities"] = {name: known.get(name, {}) for name in later["userAssignedIdentities"]}
    return now, later
