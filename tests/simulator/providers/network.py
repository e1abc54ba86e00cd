# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft.Network: public addresses, and as much of virtual networks and subnets as a cluster's own subnet needs.

Second-hand throughout: no recording has one that is made. From public documentation and bug reports: a PUT is 201 (200
for what exists) with Azure-AsyncOperation; an address that something uses cannot be deleted; zones and SKU cannot be
changed; the Basic SKU is retired.
"""

from __future__ import annotations

import copy
from ipaddress import IPv4Network, ip_network
from typing import TYPE_CHECKING, Any

from ..arm import Answer, AzureError, ResourceId, ResourceType
from .documents import guid, merged
from .documents import properties as asked_of
from .places import plain, same_place

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..arm import Request

ADDRESSES = "Microsoft.Network/publicIPAddresses"
NETWORKS = "Microsoft.Network/virtualNetworks"
SUBNETS = f"{NETWORKS}/subnets"
CLUSTERS = "Microsoft.ContainerService/managedClusters"
SECONDS = 10
DELETE_SECONDS = 12
# Addresses that no one has, for the documentation's sake (RFC 5737), and then what is free in 20.0.0.0/8.
_DOCUMENTED = IPv4Network("203.0.113.0/24")
_AZURE = IPv4Network("20.0.0.0/8")


class Part(ResourceType):
    """What the types here have in common."""

    def begin(self, request: Request, location: str, status: int, body: Any, done: Callable[[], None]) -> Answer:
        deleting = body is None
        seconds = DELETE_SECONDS if deleting else SECONDS
        rid, store = ResourceId(request.path), request.simulator.store

        def failed(_status: str, _error: dict[str, Any]) -> None:
            there = store.get(rid)
            if there is not None:
                store.put(rid, merged(there, {"properties": {"provisioningState": "Failed"}}))

        kind = f"{self.type} {request.method}"
        started = request.simulator.operations.start(seconds, on_done=done, on_failed=failed, kind=kind, resource=rid)
        place = f"/subscriptions/{request.path.split('/')[2]}/providers/Microsoft.Network/locations/{location}"
        url = f"https://management.azure.com{place}/{{}}/{started.id}?api-version={request.api_version}"
        headers = {"Azure-AsyncOperation": url.format("operations"), "Retry-After": "10" if deleting else "3"}
        if deleting:
            headers["Location"] = url.format("operationResults")
        return Answer(status, body, headers)

    def write(self, request: Request, rid: ResourceId, document: dict[str, Any], location: str, *, new: bool) -> Answer:
        store = request.simulator.store
        document["etag"] = f'W/"{guid(request.simulator.rng)}"'
        during = copy.deepcopy(document)
        during["properties"]["provisioningState"] = "Updating"
        store.put(rid, during)

        def done() -> None:
            if store.get(rid) is not None:
                store.put(rid, document)

        return self.begin(request, location, 201 if new else 200, self.present(request, rid, during), done)

    def location_route(self, request: Request, location: str, rest: list[str]) -> Answer | None:
        del location
        what, *more = rest
        if what.lower() not in {"operations", "operationresults"} or not more:
            return None
        operation = request.simulator.operations.find(more[0])
        if operation is None:
            raise AzureError(404, "NotFound", f"Operation {more[0]} was not found.")
        if what.lower() == "operationresults":
            return Answer(202 if operation.status == "InProgress" else 204)
        body = {"status": operation.status}
        if operation.error:
            body["error"] = operation.error
        return Answer(200, body, {"Retry-After": "10"} if operation.status == "InProgress" else {})


def user(request: Request, rid: ResourceId) -> str:
    """Say what uses the address: a cluster's load balancer, in the group of its nodes."""
    for cluster in request.simulator.store.all(CLUSTERS):
        if _goes(request, cluster):
            continue
        network = cluster["properties"].get("networkProfile") or {}
        outbound = (network.get("loadBalancerProfile") or {}).get("outboundIPs") or {}
        if str(rid).lower() in {a.get("id", "").lower() for a in outbound.get("publicIPs") or []}:
            group = cluster["properties"].get("nodeResourceGroup", "")
            balancer = (
                f"/subscriptions/{rid.subscription}/resourceGroups/{group}/providers/Microsoft.Network/loadBalancers"
            )
            return f"{balancer}/kubernetes/frontendIPConfigurations/{rid.name}"
    return ""


def _goes(request: Request, cluster: dict[str, Any]) -> bool:
    """Whether the cluster is being deleted, by itself or with its group."""
    group = request.simulator.store.get(ResourceId(cluster["id"]).group_id) or {"properties": {}}
    return "Deleting" in {one["properties"].get("provisioningState") for one in (cluster, group)}


class PublicAddresses(Part):
    type = ADDRESSES

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        body = request.body if isinstance(request.body, dict) else {}
        asked = asked_of(body)
        sku = {"name": "Standard", "tier": "Regional", **(body.get("sku") or {})}
        if "sku" not in body:
            sku = copy.deepcopy(current["sku"]) if current else {"name": "Basic", "tier": "Regional"}
        self._check(rid, body, sku, current)
        location = plain(body.get("location"))
        base = current["properties"] if current else self._defaults(request)
        document = {
            "name": rid.name,
            "id": str(rid),
            "location": location,
            "properties": {**merged(base, asked), "provisioningState": "Succeeded"},
            "type": ADDRESSES,
            "sku": sku,
        }
        document.update({k: copy.deepcopy(body[k]) for k in ("tags", "zones") if body.get(k)})
        if "ipAddress" not in document["properties"] and document["properties"]["publicIPAllocationMethod"] == "Static":
            document["properties"]["ipAddress"] = free(request)
        label = (document["properties"].get("dnsSettings") or {}).get("domainNameLabel")
        if label:
            document["properties"]["dnsSettings"]["fqdn"] = f"{label}.{location}.cloudapp.azure.com"
        return self.write(request, rid, document, location, new=current is None)

    def _defaults(self, request: Request) -> dict[str, Any]:
        return {
            "provisioningState": "Updating",
            "resourceGuid": guid(request.simulator.rng),
            "publicIPAddressVersion": "IPv4",
            "publicIPAllocationMethod": "Dynamic",
            "idleTimeoutInMinutes": 4,
            "ipTags": [],
            "ddosSettings": {"protectionMode": "VirtualNetworkInherited"},
        }

    def _check(
        self, rid: ResourceId, body: dict[str, Any], sku: dict[str, Any], current: dict[str, Any] | None
    ) -> None:
        asked = asked_of(body)
        if current:
            self._check_change(rid, body, sku, current)
        elif sku["name"] == "Basic":
            text = "Cannot create more than 0 IPv4 Basic SKU public IP addresses for this subscription in this region."
            raise AzureError(400, "IPv4BasicSkuPublicIpCountLimitReached", text)
        method = asked.get("publicIPAllocationMethod") or (current or {"properties": {}})["properties"].get(
            "publicIPAllocationMethod", "Dynamic"
        )
        if sku["name"].startswith("Standard") and method != "Static":
            text = f"Standard sku publicIp {rid} must have AllocationMethod set to Static."
            raise AzureError(400, "StandardSkuPublicIPAddressMustBeStatic", text)
        timeout = asked.get("idleTimeoutInMinutes", 4)
        if not 4 <= timeout <= 30:
            text = f"Idle timeout {timeout} of {rid} is not between 4 and 30 minutes."
            raise AzureError(400, "IdleTimeoutOutOfRange", text)

    def _check_change(
        self, rid: ResourceId, body: dict[str, Any], sku: dict[str, Any], current: dict[str, Any]
    ) -> None:
        if sku["name"] != current["sku"]["name"]:
            text = (
                f"Sku of the public IP address {rid} cannot be changed from {current['sku']['name']} to {sku['name']}."
            )
            raise AzureError(400, "PublicIPAddressSkuCannotBeChanged", text)
        had, wants = sorted(current.get("zones") or []), sorted(body.get("zones") or [])
        if had != wants:
            shown = [", ".join(zones) or "NoZone" for zones in (had, wants)]
            text = (
                f"Resource {rid} has an existing availability zone constraint {shown[0]} and the request has "
                f"availability zone constraint {shown[1]}, which do not match. Zones cannot be added/updated/removed "
                "once the resource is created."
            )
            raise AzureError(400, "ResourceAvailabilityZonesCannotBeModified", text)
        same_place(rid, current["location"], body.get("location"))

    def update(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        """Change tags, and nothing else. It is no long operation."""
        document = copy.deepcopy(current)
        document["tags"] = copy.deepcopy((request.body or {}).get("tags") or {})
        request.simulator.store.put(rid, document)
        return Answer(200, self.present(request, rid, document))

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        if current is None:
            return Answer(204)
        used = user(request, rid)
        if used:
            text = (
                f"Public IP address {rid} can not be deleted since it is still allocated to resource {used}. In "
                "order to "
                "delete the public IP, disassociate/detach the Public IP address from the resource.  To learn "
                "how to do "
                "this, see aka.ms/deletepublicip."
            )
            raise AzureError(400, "PublicIPAddressCannotBeDeleted", text)
        store = request.simulator.store
        store.put(rid, merged(current, {"properties": {"provisioningState": "Deleting"}}))
        return self.begin(request, current["location"], 202, None, lambda: store.delete(rid))

    def present(self, request: Request, rid: ResourceId, stored: dict[str, Any]) -> dict[str, Any]:
        body = {k: copy.deepcopy(v) for k, v in stored.items() if not k.startswith("_")}
        used = user(request, rid)
        if used:
            body["properties"]["ipConfiguration"] = {"id": used}
        return body


def free(request: Request) -> str:
    """Find an address that no other resource has."""
    used = {a["properties"].get("ipAddress") for a in request.simulator.store.all(ADDRESSES)}
    documented = next((str(a) for a in _DOCUMENTED.hosts() if str(a) not in used), None)
    return documented or str(_AZURE[request.simulator.rng.randrange(1, _AZURE.num_addresses - 1)])


class Networks(Part):
    """Virtual networks. Their subnets are resources of their own, and shown in them."""

    type = NETWORKS

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        body = request.body if isinstance(request.body, dict) else {}
        asked = copy.deepcopy(body.get("properties") or {})
        subnets = asked.pop("subnets", None)
        spaces = (asked.get("addressSpace") or {}).get("addressPrefixes") or []
        if not spaces:
            raise AzureError(400, "InvalidRequestFormat", "A virtual network needs an address space.")
        location = plain(body.get("location"))
        document = {
            "name": rid.name,
            "id": str(rid),
            "type": NETWORKS,
            "location": location,
            "properties": {
                "provisioningState": "Succeeded",
                "resourceGuid": (current or {"properties": {}})["properties"].get("resourceGuid")
                or guid(request.simulator.rng),
                "virtualNetworkPeerings": [],
                "enableDdosProtection": False,
                **asked,
            },
        }
        if body.get("tags"):
            document["tags"] = copy.deepcopy(body["tags"])
        self._subnets(request, rid, subnets, spaces)
        return self.write(request, rid, document, location, new=current is None)

    def _subnets(
        self, request: Request, rid: ResourceId, asked: list[dict[str, Any]] | None, spaces: list[str]
    ) -> None:
        """Make the subnets in a PUT the network's subnets: those it doesn't list go."""
        store, kept = request.simulator.store, {subnet["name"].lower() for subnet in asked or []}
        for subnet in store.children(rid, SUBNETS):
            if asked is not None and subnet["name"].lower() not in kept:
                store.delete(ResourceId(subnet["id"]))
        for subnet in asked or []:
            child = rid.child("subnets", subnet["name"])
            store.put(child, subnet_document(request, child, subnet.get("properties") or {}, spaces))

    def update(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        document = copy.deepcopy(current)
        document["tags"] = copy.deepcopy((request.body or {}).get("tags") or {})
        request.simulator.store.put(rid, document)
        return Answer(200, self.present(request, rid, document))

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        if current is None:
            return Answer(204)
        store = request.simulator.store
        return self.begin(request, current["location"], 202, None, lambda: store.delete(rid))

    def present(self, request: Request, rid: ResourceId, stored: dict[str, Any]) -> dict[str, Any]:
        body = {k: copy.deepcopy(v) for k, v in stored.items() if not k.startswith("_")}
        body["properties"]["subnets"] = [
            {k: v for k, v in subnet.items() if not k.startswith("_")}
            for subnet in request.simulator.store.children(rid, SUBNETS)
        ]
        return body


def subnet_document(request: Request, rid: ResourceId, asked: dict[str, Any], spaces: list[str]) -> dict[str, Any]:
    prefixes = asked.get("addressPrefixes") or ([asked["addressPrefix"]] if asked.get("addressPrefix") else [])
    inside = prefixes and all(any(ip_network(p).subnet_of(ip_network(s)) for s in spaces) for p in prefixes)
    if not inside:
        text = f"Subnet '{rid.name}' is not valid in virtual network '{rid.names[0]}'."
        raise AzureError(400, "NetcfgInvalidSubnet", text)
    return {
        "name": rid.name,
        "id": str(rid),
        "etag": f'W/"{guid(request.simulator.rng)}"',
        "properties": {
            "provisioningState": "Succeeded",
            "delegations": [],
            "privateEndpointNetworkPolicies": "Disabled",
            "privateLinkServiceNetworkPolicies": "Enabled",
            **copy.deepcopy(asked),
        },
        "type": SUBNETS,
    }


class Subnets(Part):
    type = SUBNETS

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        network = request.simulator.store.get(rid.parent())
        asked = (request.body or {}).get("properties") or {}
        document = subnet_document(request, rid, asked, network["properties"]["addressSpace"]["addressPrefixes"])
        return self.write(request, rid, document, network["location"], new=current is None)

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        if current is None:
            return Answer(204)
        store = request.simulator.store
        return self.begin(request, store.get(rid.parent())["location"], 202, None, lambda: store.delete(rid))


TYPES = [PublicAddresses(), Networks(), Subnets()]
