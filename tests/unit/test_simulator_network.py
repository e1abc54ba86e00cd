# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's public addresses and virtual networks, by Azure's generic resource client and by plain requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure.mgmt.resource.resources import ResourceManagementClient
from simulator_requests import GROUP_ID, Requests, code, signed_in

if TYPE_CHECKING:
    from simulator.arm import Answer

NETWORK = f"{GROUP_ID}/providers/Microsoft.Network"
ADDRESS = f"{NETWORK}/publicIPAddresses/out"
VNET = f"{NETWORK}/virtualNetworks/net"
STATIC = {"publicIPAllocationMethod": "Static"}
VERSION = "2024-05-01"


def body(**more: Any) -> dict[str, Any]:
    return {"location": "westeurope", "sku": {"name": "Standard"}, "properties": STATIC, **more}


class Arm(Requests):
    version = VERSION

    def address(self, name: str = "", **more: Any) -> Answer:
        return self.call("PUT", ADDRESS + name, body(**more))

    def own(self, path: str = ADDRESS) -> dict[str, Any]:
        return self.call("GET", path).body["properties"]

    def poll(self, answer: Answer) -> str:
        path = answer.headers["Azure-AsyncOperation"].partition(".com")[2].partition("?")[0]
        return str(self.call("GET", path).body["status"])


@pytest.fixture
def arm() -> Arm:
    return Arm()


def test_the_sdk_makes_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        signed_in(monkeypatch) as (credential, simulator),
        ResourceManagementClient(credential, simulator.subscription, polling_interval=0) as sdk,
    ):
        made = sdk.resources.begin_create_or_update_by_id(ADDRESS, body(tags={"a": "b"}), api_version=VERSION).result()
        assert made.properties["provisioningState"] == "Succeeded"
        assert made.properties["ipAddress"].count(".") == 3
        assert (made.sku.name, made.tags) == ("Standard", {"a": "b"})
        sdk.resources.begin_update_by_id(ADDRESS, {"tags": {"c": "d"}}, api_version=VERSION).result()
        assert sdk.resources.get_by_id(ADDRESS, api_version=VERSION).tags == {"c": "d"}
        sdk.resources.begin_delete_by_id(ADDRESS, api_version=VERSION).result()
        assert not simulator.store.get(ADDRESS)


def test_making_an_address_takes_a_moment(arm: Arm) -> None:
    answer = arm.address()
    assert answer.status == 201
    assert answer.body["properties"]["provisioningState"] == "Updating"
    assert arm.poll(answer) == "InProgress"
    arm.simulator.clock.advance(20)
    assert arm.poll(answer) == "Succeeded"
    own = arm.own()
    assert (own["provisioningState"], own["idleTimeoutInMinutes"]) == ("Succeeded", 4)
    again = arm.address()
    assert (again.status, again.body["properties"]["ipAddress"]) == (200, own["ipAddress"])


def test_no_two_addresses_are_the_same(arm: Arm) -> None:
    found = {arm.address(f"-{number}").body["properties"]["ipAddress"] for number in range(300)}
    assert len(found) == 300


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"sku": {"name": "Basic"}}, "IPv4BasicSkuPublicIpCountLimitReached"),
        ({"properties": {"publicIPAllocationMethod": "Dynamic"}}, "StandardSkuPublicIPAddressMustBeStatic"),
        ({"properties": {**STATIC, "idleTimeoutInMinutes": 31}}, "IdleTimeoutOutOfRange"),
    ],
)
def test_what_a_new_address_must_not_be(arm: Arm, more: dict[str, Any], expected: str) -> None:
    answer = arm.address(**more)
    assert (answer.status, code(answer)) == (400, expected)


def test_what_cannot_be_changed(arm: Arm) -> None:
    arm.address(zones=["1", "2", "3"])
    arm.simulator.clock.advance(20)
    assert code(arm.address()) == "ResourceAvailabilityZonesCannotBeModified"
    assert code(arm.address(zones=["1", "2", "3"], sku={"name": "Basic"})) == "PublicIPAddressSkuCannotBeChanged"
    assert code(arm.address(zones=["1", "2", "3"], location="eastus")) == "InvalidResourceLocation"
    longer = arm.address(zones=["3", "2", "1"], properties={**STATIC, "idleTimeoutInMinutes": 30})
    assert longer.status == 200
    arm.simulator.clock.advance(20)
    assert arm.own()["idleTimeoutInMinutes"] == 30


def test_what_a_cluster_uses_cannot_be_deleted(arm: Arm) -> None:
    arm.address()
    arm.simulator.clock.advance(20)
    cluster = f"{GROUP_ID}/providers/Microsoft.ContainerService/managedClusters/aks"
    outbound = {"loadBalancerProfile": {"outboundIPs": {"publicIPs": [{"id": ADDRESS.upper()}]}}}
    properties = {"nodeResourceGroup": "MC_rg_aks", "networkProfile": outbound}
    arm.simulator.store.put(cluster, {"id": cluster, "name": "aks", "properties": properties})
    assert "/resourceGroups/MC_rg_aks/" in arm.own()["ipConfiguration"]["id"]
    answer = arm.call("DELETE", ADDRESS)
    assert (answer.status, code(answer)) == (400, "PublicIPAddressCannotBeDeleted")
    arm.simulator.store.delete(cluster)
    gone = arm.call("DELETE", ADDRESS)
    assert gone.status == 202
    assert "Location" in gone.headers
    arm.simulator.clock.advance(20)
    assert arm.call("GET", ADDRESS).status == 404
    assert arm.call("DELETE", ADDRESS).status == 204


def test_a_group_takes_a_cluster_and_its_address_along(arm: Arm) -> None:
    arm.address()
    outbound = {"loadBalancerProfile": {"outboundIPs": {"publicIPs": [{"id": ADDRESS}]}}}
    cluster = f"{GROUP_ID}/providers/Microsoft.ContainerService/managedClusters/aks"
    arm.simulator.store.put(cluster, {"id": cluster, "properties": {"networkProfile": outbound}})
    assert code(arm.call("DELETE", ADDRESS)) == "PublicIPAddressCannotBeDeleted"
    arm.simulator.store.get(GROUP_ID)["properties"]["provisioningState"] = "Deleting"
    assert arm.call("DELETE", ADDRESS).status == 202


def test_a_network_has_the_subnets_of_its_last_put(arm: Arm) -> None:
    space = {"addressPrefixes": ["10.0.0.0/16"]}
    first = {"name": "a", "properties": {"addressPrefix": "10.0.0.0/24"}}
    asked = {"location": "westeurope", "properties": {"addressSpace": space, "subnets": [first]}}
    assert arm.call("PUT", VNET, asked).status == 201
    added = arm.call("PUT", f"{VNET}/subnets/b", {"properties": {"addressPrefix": "10.0.1.0/24"}})
    assert added.status == 201
    arm.simulator.clock.advance(20)
    assert [one["name"] for one in arm.own(VNET)["subnets"]] == ["a", "b"]
    arm.call("PUT", VNET, asked)
    assert [one["name"] for one in arm.own(VNET)["subnets"]] == ["a"]
    outside = arm.call("PUT", f"{VNET}/subnets/c", {"properties": {"addressPrefix": "10.1.0.0/24"}})
    assert code(outside) == "NetcfgInvalidSubnet"
    assert arm.call("DELETE", VNET).status == 202
    arm.simulator.clock.advance(20)
    assert arm.call("GET", VNET).status == 404
    assert not arm.simulator.store.get(f"{VNET}/subnets/a")
