# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is there when a cluster's operation is over: the group of its nodes, their identity, the outbound addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..arm import ResourceId
from . import containerservice_network as network
from .containerservice_body import AUTOSCALER
from .documents import guid

if TYPE_CHECKING:
    from ..arm import Request
    from ..simulator import Simulator

IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
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


def settle(simulator: Simulator, rid: ResourceId, cluster: dict[str, Any], pools: list[dict[str, Any]]) -> None:
    """Fill in what a running cluster has."""
    properties = cluster["properties"]
    make_group(simulator, rid, cluster)
    outbound(simulator, rid, cluster)
    if cluster.get("identity"):
        kubelet(simulator, rid, cluster)
        addon_identities(simulator, rid, cluster)
        user_identities(simulator, cluster["identity"])
    if any(pool["properties"].get("enableAutoScaling") for pool in pools):
        properties.setdefault("autoScalerProfile", dict(AUTOSCALER))
    for pool in pools:
        scaled(pool["properties"])
    if "privateFQDN" in properties:
        properties.setdefault("privateLinkResources", [private_link(cluster)])


def scaled(pool: dict[str, Any]) -> None:
    """The autoscaler keeps the number of nodes within its limits."""
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
    """The service's own addresses lie in the group of the nodes. What is shown is their id, never the address."""
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


def managed_identity(simulator: Simulator, identity: ResourceId, location: str) -> dict[str, Any]:
    """Return an identity, made if it isn't there: a resource, and a principal that can be given roles."""
    document = simulator.store.get(identity)
    if document is None:
        principal = simulator.principals.add_managed_identity(identity, identity.name)
        document = simulator.store.put(
            identity,
            {
                "id": str(identity),
                "name": identity.name,
                "type": IDENTITIES,
                "location": location,
                "tags": {},
                "properties": {
                    "tenantId": tenant(),
                    "principalId": principal.object_id,
                    "clientId": principal.app_id,
                },
            },
        )
    properties = document["properties"]
    return {"resourceId": str(identity), "clientId": properties["clientId"], "objectId": properties["principalId"]}


def tenant() -> str:
    # The simulator imports the providers.
    from ..simulator import TENANT

    return TENANT


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


def kubelet(simulator: Simulator, rid: ResourceId, cluster: dict[str, Any]) -> None:
    profile = cluster["properties"].setdefault("identityProfile", {})
    own = (profile.get("kubeletidentity") or {}).get("resourceId")
    identity = ResourceId(own) if own else in_node_group(rid, cluster, f"{rid.name}-agentpool")
    profile["kubeletidentity"] = managed_identity(simulator, identity, cluster["location"])


def addon_identities(simulator: Simulator, rid: ResourceId, cluster: dict[str, Any]) -> None:
    for name, addon in (cluster["properties"].get("addonProfiles") or {}).items():
        if addon["enabled"] and name.lower() in WITH_IDENTITY:
            identity = in_node_group(rid, cluster, f"{name.lower()}-{rid.name}")
            addon["identity"] = managed_identity(simulator, identity, cluster["location"])
    routing = (cluster["properties"].get("ingressProfile") or {}).get("webAppRouting")
    if routing and routing.get("enabled"):
        identity = in_node_group(rid, cluster, f"webapprouting-{rid.name}")
        routing["identity"] = managed_identity(simulator, identity, cluster["location"])


def user_identities(simulator: Simulator, identity: dict[str, Any]) -> None:
    for name in identity.get("userAssignedIdentities") or {}:
        found = managed_identity(simulator, ResourceId(name), "")
        identity["userAssignedIdentities"][name] = {"clientId": found["clientId"], "principalId": found["objectId"]}


def private_link(cluster: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"{cluster['id']}/privateLinkResources/management",
        "name": "management",
        "type": "Microsoft.ContainerService/managedClusters/privateLinkResources",
        "groupId": "management",
        "requiredMembers": ["management"],
    }


def identity(request: Request, rid: ResourceId, sent: dict[str, Any], current: dict[str, Any] | None) -> dict[str, Any]:
    """A cluster's own identity. Of a user's identity, the ids are known when the operation is over."""
    kind = sent.get("type") or "None"
    if kind == "SystemAssigned":
        if current and current.get("type") == kind:
            return current
        principal = request.simulator.principals.add_managed_identity(rid, rid.name)
        return {"type": kind, "principalId": principal.object_id, "tenantId": tenant()}
    if kind == "UserAssigned":
        before = {name.lower(): value for name, value in ((current or {}).get("userAssignedIdentities") or {}).items()}
        chosen = sent.get("userAssignedIdentities") or {}
        return {"type": kind, "userAssignedIdentities": {name: before.get(name.lower(), {}) for name in chosen}}
    return {}
