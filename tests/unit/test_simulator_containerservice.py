# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated AKS: by plain requests on a clock that the test moves, and by Azure's own SDK."""

from __future__ import annotations

import base64
import json
import subprocess
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.mgmt.containerservice import ContainerServiceClient

from simulator.arm import Request
from simulator.simulator import SUBSCRIPTION, TENANT, Simulator, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.arm import Answer

API = "2026-05-01"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g"
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/c"
POOLS = f"{CLUSTER}/agentPools"
NODES = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/MC_g_c_westus2"
SYSTEM = {"name": "system", "mode": "System", "count": 1, "vmSize": "Standard_DS2_v2"}
BODY: dict[str, Any] = {
    "location": "West US 2",
    "identity": {"type": "SystemAssigned"},
    "properties": {"dnsPrefix": "c", "agentPoolProfiles": [SYSTEM]},
}


class Client:
    """Plain requests, as the scorer sends them."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator

    def __call__(self, method: str, path: str, body: Any = None, *, api: str = API, **headers: str) -> Answer:
        raw = b"" if body is None else json.dumps(body).encode()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request(self.simulator, method, path, {"api-version": api}, names, raw, plain=True)
        return self.simulator.handle(request)

    def put(self, **properties: Any) -> Answer:
        """PUT the cluster with other properties than the usual; a dotted name would be too clever: they are merged."""
        body = deepcopy(BODY)
        body["properties"] |= properties
        return self("PUT", CLUSTER, body)

    def pool(self, name: str, **properties: Any) -> Answer:
        return self("PUT", f"{POOLS}/{name}", {"properties": {"vmSize": "Standard_DS2_v2", "count": 1, **properties}})

    def state(self, path: str = CLUSTER) -> str:
        return str(self("GET", path).body["properties"]["provisioningState"])

    def wait(self) -> None:
        self.simulator.clock.advance(3600)


@pytest.fixture
def client() -> Client:
    client = Client(Simulator())
    assert client("PUT", GROUP, {"location": "westus2"}).status == 201
    return client


@pytest.fixture
def made(client: Client) -> Client:
    """With a cluster."""
    assert client.put().status == 201
    client.wait()
    assert client.state() == "Succeeded"
    return client


def refused(answer: Answer, status: int, code: str) -> dict[str, Any]:
    """AKS's own errors aren't wrapped."""
    assert (answer.status, answer.body.get("code")) == (status, code), answer.body
    return dict(answer.body)


# -- making, polling, deleting


def test_create_takes_its_time_and_is_polled_by_its_operation_alone(client: Client) -> None:
    answer = client.put()
    assert answer.status == 201
    assert set(answer.headers) == {"Azure-AsyncOperation"}
    assert answer.body["properties"]["provisioningState"] == "Creating"
    operation = answer.headers["Azure-AsyncOperation"].removeprefix("https://management.azure.com").split("?")[0]
    assert client("GET", operation).body["status"] == "InProgress"
    client.simulator.clock.advance(270)
    assert client("GET", operation).body["status"] == "InProgress"
    client.simulator.clock.advance(10)
    polled = client("GET", operation).body
    assert polled["status"] == "Succeeded"
    assert polled["startTime"] < polled["endTime"]
    assert "Retry-After" not in client("GET", operation).headers


def test_what_a_new_cluster_looks_like(made: Client) -> None:
    body = made("GET", CLUSTER).body
    properties = body["properties"]
    assert body["id"] == CLUSTER.replace("resourceGroups", "resourcegroups")
    assert body["type"] == "Microsoft.ContainerService/ManagedClusters"
    assert (body["location"], body["sku"], body["kind"]) == ("westus2", {"name": "Base", "tier": "Free"}, "Base")
    assert body["eTag"]
    assert properties["kubernetesVersion"] == "1.36"
    assert properties["currentKubernetesVersion"].startswith("1.36.")
    assert properties["fqdn"].endswith(".hcp.westus2.azmk8s.io")
    assert properties["networkProfile"]["podCidrs"] == ["10.244.0.0/16"]
    assert len(properties["networkProfile"]["loadBalancerProfile"]["effectiveOutboundIPs"]) == 1
    assert properties["servicePrincipalProfile"] == {"clientId": "msi"}
    (pool,) = properties["agentPoolProfiles"]
    assert (pool["osDiskSizeGB"], pool["maxPods"], pool["osSKU"]) == (128, 110, "Ubuntu")
    assert not [key for key in json.dumps(body).split('"') if key.startswith("_")]


def test_delete_takes_the_nodes_group_along(made: Client) -> None:
    assert made("GET", NODES, api="2021-04-01").status == 200
    answer = made("DELETE", CLUSTER)
    assert (answer.status, set(answer.headers)) == (202, {"Azure-AsyncOperation", "Location"})
    assert made.state() == "Deleting"
    made.wait()
    gone = made("GET", CLUSTER)
    assert (gone.status, gone.body["error"]["code"]) == (404, "ResourceNotFound")
    assert made("GET", NODES, api="2021-04-01").status == 404
    assert made("GET", f"{POOLS}/system").status == 404
    assert made("DELETE", CLUSTER).status == 204


def test_a_second_put_changes_what_it_names(made: Client) -> None:
    answer = made.put(autoUpgradeProfile={"upgradeChannel": "patch"})
    assert answer.status == 200
    assert answer.body["properties"]["provisioningState"] == "Updating"
    made.wait()
    properties = made("GET", CLUSTER).body["properties"]
    assert properties["autoUpgradeProfile"] == {"upgradeChannel": "patch", "nodeOSUpgradeChannel": "NodeImage"}


def test_older_clients_see_older_keys(made: Client) -> None:
    old = made("GET", CLUSTER, api="2020-11-01").body
    assert "eTag" not in old
    assert "azurePortalFQDN" not in old["properties"]
    assert old["sku"]["name"] == "Basic"
    assert "osSKU" not in old["properties"]["agentPoolProfiles"][0]
    preview = made("GET", CLUSTER, api="2026-05-02-preview").body
    assert preview["properties"]["networkProfile"]["podLinkLocalAccess"] == "IMDS"


def test_secrets_never_come_back(client: Client) -> None:
    answer = client.put(
        servicePrincipalProfile={"clientId": "x", "secret": "planted-1"},
        windowsProfile={"adminUsername": "me", "adminPassword": "planted-2"},
    )
    assert answer.status == 201
    assert "planted" not in json.dumps(answer.body) + json.dumps(client("GET", CLUSTER).body)


# -- refusals


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"dnsPrefix": ""}, "InvalidParameter"),
        ({"agentPoolProfiles": [{**SYSTEM, "mode": "User"}]}, "MustDefineAtLeastOneSystemPool"),
        ({"agentPoolProfiles": [{**SYSTEM, "name": "Big"}]}, "InvalidParameter"),
        ({"agentPoolProfiles": [{**SYSTEM, "nodeTaints": ["a=b:NoSchedule"]}]}, "SystemPoolHasRestrictedTaint"),
        (
            {"agentPoolProfiles": [{**SYSTEM, "enableAutoScaling": True, "minCount": 3, "maxCount": 2}]},
            "InvalidParameter",
        ),
        ({"agentPoolProfiles": [{**SYSTEM, "enableAutoScaling": True, "minCount": 3}]}, "InvalidParameter"),
        ({"agentPoolProfiles": [{**SYSTEM, "maxPods": 9}]}, "InvalidParameter"),
        ({"kubernetesVersion": "1.30"}, "K8sVersionNotSupported"),
        ({"kubernetesVersion": "1.99.0"}, "K8sVersionNotSupported"),
        ({"networkProfile": {"networkPlugin": "flannel"}}, "InvalidParameter"),
        ({"supportPlan": "AKSLongTermSupport"}, "BadRequest"),
        ({"ingressProfile": {"gatewayAPI": {"installation": "Standard"}}}, "BadRequest"),
    ],
)
def test_what_is_refused_at_once(client: Client, properties: dict[str, Any], code: str) -> None:
    refused(client.put(**properties), 400, code)
    # The gateway believes that it is there, and the service says that it isn't.
    assert refused(client("GET", CLUSTER), 404, "NotFound")["subcode"] == "GetManagedCluster_NotFound_HCPServerError"


@pytest.mark.parametrize(
    ("properties", "target"),
    [
        ({"dnsPrefix": "other"}, "dnsPrefix"),
        ({"networkProfile": {"serviceCidr": "10.9.0.0/16"}}, "networkProfile.serviceCidr"),
        ({"agentPoolProfiles": [{**SYSTEM, "vmSize": "Standard_DS3_v2"}]}, "agentPoolProfile.vmSize"),
        ({"agentPoolProfiles": [{**SYSTEM, "osDiskSizeGB": 64}]}, "agentPoolProfile.osDiskSizeGB"),
        ({"apiServerAccessProfile": {"enablePrivateCluster": True}}, "apiServerAccessProfile.enablePrivateCluster"),
    ],
)
def test_what_cannot_be_changed(made: Client, properties: dict[str, Any], target: str) -> None:
    before = made("GET", CLUSTER).body
    assert refused(made.put(**properties), 400, "PropertyChangeNotAllowed")["target"] == target
    assert made("GET", CLUSTER).body == before


def test_the_region_cannot_be_changed(made: Client) -> None:
    answer = made("PUT", CLUSTER, {**BODY, "location": "eastus"})
    assert (answer.status, answer.body["error"]["code"]) == (409, "InvalidResourceLocation")


def test_a_busy_cluster_refuses_a_second_change(client: Client) -> None:
    client.put()
    assert "Another operation (Creating) is in progress" in refused(client.put(), 409, "OperationNotAllowed")["message"]
    refused(client.pool("more"), 409, "OperationNotAllowed")
    assert refused(client("DELETE", CLUSTER), 409, "EtagMismatch")["details"][0]["code"] == "Unspecified"
    client.wait()
    assert client.put().status == 200


def test_a_busy_pool_holds_its_cluster_but_no_other_pool(made: Client) -> None:
    assert made.pool("one").status == 201
    assert "(one - Creating)" in refused(made.put(), 409, "OperationNotAllowed")["message"]
    refused(made.pool("one"), 409, "OperationNotAllowed")
    assert made.pool("two").status == 201
    assert made.state() == "Succeeded"


def test_if_match(made: Client) -> None:
    etag = made("GET", CLUSTER).body["eTag"]
    refused(made("PUT", CLUSTER, BODY, if_match="stale"), 412, "EtagMismatch")
    assert made("PUT", CLUSTER, BODY, if_match=etag).status == 200
    made.wait()
    refused(made("PUT", CLUSTER, BODY, if_match=etag), 412, "EtagMismatch")


def test_a_provider_that_is_not_registered(client: Client) -> None:
    client.simulator.unregister("Microsoft.ContainerService")
    answer = client.put()
    assert (answer.status, answer.body["error"]["code"]) == (409, "MissingSubscriptionRegistration")


# -- failures and repairs


@pytest.mark.parametrize(("fault", "state"), [("operation_failed", "Failed"), ("operation_canceled", "Canceled")])
def test_an_operation_that_goes_wrong_is_repaired_by_a_put(client: Client, fault: str, state: str) -> None:
    client.simulator.faults.add(fault, path="managedClusters PUT")
    operation = client.put().headers["Azure-AsyncOperation"].split("azure.com")[1].split("?")[0]
    client.wait()
    polled = client("GET", operation)
    assert (polled.status, polled.body["status"]) == (200, state)
    assert polled.body["error"]["code"]
    properties = client("GET", CLUSTER).body["properties"]
    assert properties["provisioningState"] == state
    assert properties["status"]["provisioningError"] == polled.body["error"]
    assert client.put().status == 200
    client.wait()
    properties = client("GET", CLUSTER).body["properties"]
    assert properties["provisioningState"] == "Succeeded"
    assert "status" not in properties
    assert properties["identityProfile"]["kubeletidentity"]["objectId"]


def test_a_pool_that_failed_is_repaired_by_a_put(made: Client) -> None:
    made.simulator.faults.add("operation_failed", path="agentPools PUT")
    made.pool("more")
    made.wait()
    assert made("GET", f"{POOLS}/more").body["properties"]["status"]["provisioningError"]["code"]
    assert (made.state(f"{POOLS}/more"), made.state()) == ("Failed", "Succeeded")
    assert made.pool("more").status == 200
    made.wait()
    assert "status" not in made("GET", f"{POOLS}/more").body["properties"]


def test_abort(client: Client) -> None:
    client.put()
    answer = client("POST", f"{CLUSTER}/abort")
    assert (answer.status, set(answer.headers)) == (202, {"Azure-AsyncOperation", "Location"})
    client.wait()
    assert client.state() == "Canceled"
    refused(client("POST", f"{CLUSTER}/abort"), 409, "OperationNotAllowed")


def test_an_aborted_change_of_a_pool_leaves_it_as_it_was(made: Client) -> None:
    made.pool("more", count=2)
    made.wait()
    assert made.pool("more", count=5).status == 200
    assert made("POST", f"{POOLS}/more/abort").status == 202
    made.wait()
    properties = made("GET", f"{POOLS}/more").body["properties"]
    assert (properties["provisioningState"], properties["count"]) == ("Canceled", 2)


# -- power


def test_stop_and_start(made: Client) -> None:
    answer = made("POST", f"{CLUSTER}/stop")
    assert (answer.status, answer.body) == (202, None)
    assert made.state() == "Stopping"
    made.wait()
    properties = made("GET", CLUSTER).body["properties"]
    assert properties["powerState"]["code"] == properties["agentPoolProfiles"][0]["powerState"]["code"] == "Stopped"
    message = "Provisioning State(Succeeded) and Power State(Stopped)"
    assert message in refused(made.put(), 400, "OperationNotAllowed")["message"]
    refused(made.pool("more"), 400, "OperationNotAllowed")
    refused(made("POST", f"{CLUSTER}/stop"), 400, "OperationNotAllowed")
    assert made("POST", f"{CLUSTER}/start").status == 202
    made.wait()
    assert made("GET", CLUSTER).body["properties"]["powerState"]["code"] == "Running"
    assert made.put().status == 200


def test_a_stopped_pool_has_no_nodes_until_it_is_started(made: Client) -> None:
    made.pool("more", count=2)
    made.wait()
    stopped = made.pool("more", count=2, powerState={"code": "Stopped"}).body["properties"]
    assert (stopped["provisioningState"], stopped["count"]) == ("Stopping", 0)
    made.wait()
    started = made.pool("more", count=0, powerState={"code": "Running"}).body["properties"]
    assert (started["provisioningState"], started["count"]) == ("Starting", 2)


# -- versions


def test_an_alias_stays_an_alias(client: Client) -> None:
    client.put(kubernetesVersion="1.35")
    client.wait()
    properties = client("GET", CLUSTER).body["properties"]
    assert (properties["kubernetesVersion"], properties["currentKubernetesVersion"]) == ("1.35", "1.35.5")
    assert properties["agentPoolProfiles"][0]["orchestratorVersion"] == "1.35"
    # The same alias again is no upgrade; the next minor version is one, of the control plane alone.
    assert client.put(kubernetesVersion="1.35").body["properties"]["currentKubernetesVersion"] == "1.35.5"
    client.wait()
    client.put(kubernetesVersion="1.36")
    client.wait()
    properties = client("GET", CLUSTER).body["properties"]
    assert properties["currentKubernetesVersion"] == "1.36.2"
    assert properties["agentPoolProfiles"][0]["currentOrchestratorVersion"] == "1.35.5"


@pytest.mark.parametrize(("version", "verb"), [("1.35", "Downgrading"), ("1.34.6", "Downgrading")])
def test_no_way_back(made: Client, version: str, verb: str) -> None:
    assert refused(made.put(kubernetesVersion=version), 400, "OperationNotAllowed")["message"].startswith(verb)


def test_no_minor_version_is_skipped(client: Client) -> None:
    client.put(kubernetesVersion="1.34")
    client.wait()
    message = refused(client.put(kubernetesVersion="1.36"), 400, "OperationNotAllowed")["message"]
    assert message.startswith(
        "Upgrading Kubernetes version 1.34.7 to 1.36.2 is not allowed. Available upgrades: [1.35.4"
    )


def test_a_pool_is_never_ahead_of_the_control_plane(client: Client) -> None:
    client.put(kubernetesVersion="1.35")
    client.wait()
    refused(client.pool("more", orchestratorVersion="1.36"), 400, "NodePoolMcVersionIncompatible")


def test_offered_versions(made: Client) -> None:
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerService/locations/westus2/kubernetesVersions"
    values = {entry["version"]: entry for entry in made("GET", path).body["values"]}
    assert list(values) == ["1.34", "1.35", "1.36", "1.37"]
    assert [version for version, entry in values.items() if entry.get("isDefault")] == ["1.36"]
    assert "AKSLongTermSupport" in values["1.37"]["capabilities"]["supportPlan"]
    upgrades = made("GET", f"{CLUSTER}/upgradeProfiles/default").body["properties"]["controlPlaneProfile"]["upgrades"]
    assert upgrades == [{"kubernetesVersion": "1.37.0"}]


# -- pools


def test_pools_are_resources_and_part_of_their_cluster(made: Client) -> None:
    answer = made.pool("more", availabilityZones=["3", "1"], scaleSetPriority="Regular", nodeTaints=[], osDiskSizeGB=0)
    assert (answer.status, set(answer.headers)) == (201, {"Azure-AsyncOperation"})
    properties = answer.body["properties"]
    assert (properties["mode"], properties["availabilityZones"]) == ("User", ["1", "3"])
    assert not {"scaleSetPriority", "nodeTaints"} & set(properties)
    made.wait()
    assert [pool["name"] for pool in made("GET", POOLS).body["value"]] == ["more", "system"]
    names = [pool["name"] for pool in made("GET", CLUSTER).body["properties"]["agentPoolProfiles"]]
    assert names == ["more", "system"]
    assert made("DELETE", f"{POOLS}/more").status == 202
    made.wait()
    assert refused(made("GET", f"{POOLS}/more"), 404, "NotFound")["subcode"] == "GetAgentPool_NotFound"
    assert made("DELETE", f"{POOLS}/more").status == 204


def test_a_pool_that_a_put_of_the_cluster_does_not_list_is_gone(made: Client) -> None:
    made.pool("more")
    made.wait()
    made.put(agentPoolProfiles=None)
    made.wait()
    assert made("GET", f"{POOLS}/more").status == 200
    made.put()
    assert made.state(f"{POOLS}/more") == "Deleting"
    made.wait()
    assert made("GET", f"{POOLS}/more").status == 404


def test_a_spot_pool_is_labelled_and_tainted(made: Client) -> None:
    properties = made.pool("spot", scaleSetPriority="Spot").body["properties"]
    assert properties["nodeLabels"] == {"kubernetes.azure.com/scalesetpriority": "spot"}
    assert properties["nodeTaints"] == ["kubernetes.azure.com/scalesetpriority=spot:NoSchedule"]
    assert (properties["scaleSetEvictionPolicy"], properties["spotMaxPrice"]) == ("Delete", -1)


def test_the_autoscaler_keeps_its_limits(made: Client) -> None:
    made.pool("more", count=1, enableAutoScaling=True, minCount=2, maxCount=4)
    assert "autoScalerProfile" not in made("GET", CLUSTER).body["properties"]
    made.wait()
    assert made("GET", f"{POOLS}/more").body["properties"]["count"] == 2
    assert made("GET", CLUSTER).body["properties"]["autoScalerProfile"]["scan-interval"] == "10s"


def test_the_autoscaler_of_a_new_cluster_keeps_its_limits(client: Client) -> None:
    client.put(agentPoolProfiles=[{**SYSTEM, "enableAutoScaling": True, "minCount": 2, "maxCount": 4}])
    client.wait()
    assert client("GET", f"{POOLS}/system").body["properties"]["count"] == 2


def test_a_new_image_of_nodes(made: Client) -> None:
    answer = made("POST", f"{POOLS}/system/upgradeNodeImageVersion")
    assert (answer.status, answer.body["properties"]["provisioningState"]) == (202, "UpgradingNodeImageVersion")
    assert "Location" in answer.headers
    made.wait()
    assert made.state(f"{POOLS}/system") == "Succeeded"


def test_machines_that_are_deleted_are_fewer(made: Client) -> None:
    made.pool("more", count=3)
    made.wait()
    names = [machine["name"] for machine in made("GET", f"{POOLS}/more/machines").body["value"]]
    assert len(names) == 3
    refused(made("GET", f"{POOLS}/more/machines/none"), 404, "NotFound")
    assert made("POST", f"{POOLS}/more/deleteMachines", {"machineNames": names[:1]}).status == 202
    made.wait()
    assert made("GET", f"{POOLS}/more").body["properties"]["count"] == 2


def test_the_last_system_pool_stays(made: Client) -> None:
    made.pool("more")
    made.wait()
    refused(made("DELETE", f"{POOLS}/system"), 400, "BadRequest")
    refused(made.pool("system", mode="User"), 400, "BadRequest")


def test_one_managed_system_pool_to_a_cluster(made: Client) -> None:
    assert made.pool("one", mode="ManagedSystem").status == 201
    assert refused(made.pool("two", mode="ManagedSystem"), 400, "InvalidParameter")["target"] == "agentPoolProfile.mode"


# -- network, identities, add-ons


def test_outbound_addresses_are_ids_of_resources(client: Client) -> None:
    client.put(networkProfile={"loadBalancerProfile": {"managedOutboundIPs": {"count": 2}}})
    client.wait()

    def effective() -> list[str]:
        profile = client("GET", CLUSTER).body["properties"]["networkProfile"]["loadBalancerProfile"]
        return [item["id"] for item in profile["effectiveOutboundIPs"]]

    made = effective()
    assert len(made) == 2
    assert client("GET", made[0], api="2024-05-01").body["properties"]["ipAddress"]
    own = f"{GROUP}/providers/Microsoft.Network/publicIPAddresses/mine"
    client.put(networkProfile={"loadBalancerProfile": {"outboundIPs": {"publicIPs": [{"id": own}]}}})
    client.wait()
    assert effective() == [own]
    assert (
        "managedOutboundIPs" not in client("GET", CLUSTER).body["properties"]["networkProfile"]["loadBalancerProfile"]
    )


def test_from_balancer_to_gateway(client: Client) -> None:
    outbound = {"managedOutboundIPs": {"count": 2}, "idleTimeoutInMinutes": 10}
    client.put(networkProfile={"loadBalancerProfile": outbound})
    client.wait()
    client.put(networkProfile={"outboundType": "managedNATGateway"})
    client.wait()
    profile = client("GET", CLUSTER).body["properties"]["networkProfile"]
    assert profile["loadBalancerProfile"] == {"idleTimeoutInMinutes": 10}
    assert profile["natGatewayProfile"]["managedOutboundIPProfile"] == {"count": 1}
    addresses = client("GET", f"{NODES}/providers/Microsoft.Network/publicIPAddresses", api="2024-05-01").body["value"]
    assert [address["id"] for address in addresses] == [profile["natGatewayProfile"]["effectiveOutboundIPs"][0]["id"]]


def test_both_kinds_of_addresses(client: Client) -> None:
    client.put(networkProfile={"ipFamilies": ["IPv4", "IPv6"]})
    client.wait()
    profile = client("GET", CLUSTER).body["properties"]["networkProfile"]
    assert profile["loadBalancerProfile"]["managedOutboundIPs"] == {"count": 1, "countIPv6": 1}
    assert len(profile["loadBalancerProfile"]["effectiveOutboundIPs"]) == len(profile["podCidrs"]) == 2


def test_zero_of_the_other_kind_is_dropped(client: Client) -> None:
    outbound = {"managedOutboundIPs": {"count": 1, "countIPv6": 0}}
    answer = client.put(networkProfile={"loadBalancerProfile": outbound})
    assert answer.body["properties"]["networkProfile"]["loadBalancerProfile"]["managedOutboundIPs"] == {"count": 1}


def test_the_kubelets_and_addons_identities_can_be_given_roles(client: Client) -> None:
    answer = client.put(addonProfiles={"azureKeyvaultSecretsProvider": {"enabled": True, "config": {}}})
    assert "identityProfile" not in answer.body["properties"]
    client.wait()
    body = client("GET", CLUSTER).body
    kubelet = body["properties"]["identityProfile"]["kubeletidentity"]
    addon = body["properties"]["addonProfiles"]["azureKeyvaultSecretsProvider"]
    assert kubelet["resourceId"].endswith("/userAssignedIdentities/c-agentpool")
    assert addon["config"] is None
    known = client.simulator.principals.get
    for principal in (body["identity"]["principalId"], kubelet["objectId"], addon["identity"]["objectId"]):
        assert known(principal) is not None
    client("DELETE", CLUSTER)
    client.wait()
    assert client("GET", CLUSTER).status == 404
    assert known(kubelet["objectId"]) is None
    assert known(body["identity"]["principalId"]) is None


def test_a_users_identity_gets_its_ids_when_all_is_over(client: Client) -> None:
    identity = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/mine"
    body = {**BODY, "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}}
    refusal = client("PUT", CLUSTER, body)
    assert (refusal.status, refusal.body["error"]["code"]) == (400, "FailedIdentityOperation")
    assert client("PUT", identity, {"location": "westus2"}, api="2024-11-30").status in (200, 201)
    assert client("PUT", CLUSTER, body).body["identity"]["userAssignedIdentities"] == {identity: {}}
    client.wait()
    assert client("GET", CLUSTER).body["identity"]["userAssignedIdentities"][identity]["principalId"]


def test_a_private_cluster(client: Client) -> None:
    client.put(apiServerAccessProfile={"enablePrivateCluster": True})
    client.wait()
    properties = client("GET", CLUSTER).body["properties"]
    assert properties["privateFQDN"].endswith(".privatelink.westus2.azmk8s.io")
    assert properties["apiServerAccessProfile"]["privateDNSZone"] == "system"
    assert properties["privateLinkResources"][0]["name"] == "management"


def test_what_cannot_be_undone_is_kept_unsaid(client: Client) -> None:
    client.put(apiServerAccessProfile={"enablePrivateCluster": True}, aadProfile={"managed": True})
    client.wait()
    before = client("GET", CLUSTER).body["properties"]
    client.put(autoUpgradeProfile={"upgradeChannel": "patch"})
    client.wait()
    client.put()
    client.wait()
    after = client("GET", CLUSTER).body["properties"]
    assert after["apiServerAccessProfile"] == before["apiServerAccessProfile"]
    assert after["aadProfile"] == before["aadProfile"]
    assert after["privateFQDN"] == before["privateFQDN"]
    # What can be is gone.
    assert "upgradeChannel" not in after["autoUpgradeProfile"]


def test_the_issuer_cannot_be_given_up(client: Client) -> None:
    client.put(oidcIssuerProfile={"enabled": True})
    client.wait()
    issuer = client("GET", CLUSTER).body["properties"]["oidcIssuerProfile"]["issuerURL"]
    assert issuer.startswith(f"https://westus2.oic.prod-aks.azure.com/{TENANT}/")
    assert client.put().body["properties"]["oidcIssuerProfile"]["issuerURL"] == issuer
    client.wait()
    refused(client.put(oidcIssuerProfile={"enabled": False}), 400, "OIDCIssuerFeatureCannotBeDisabled")


# -- what hangs on a cluster


def test_maintenance_windows(made: Client) -> None:
    path = f"{CLUSTER}/maintenanceConfigurations/aksManagedNodeOSUpgradeSchedule"
    window = {"schedule": {"daily": {"intervalDays": 1}}, "durationHours": 4, "startTime": "02:00"}
    answer = made("PUT", path, {"properties": {"maintenanceWindow": window}})
    assert answer.status == 200
    assert answer.body["properties"]["maintenanceWindow"]["utcOffset"] == "+00:00"
    short = {"properties": {"maintenanceWindow": {**window, "durationHours": 3}}}
    refused(made("PUT", path, short), 400, "InvalidParameter")
    refused(made("PUT", path.replace("aksManagedNodeOSUpgradeSchedule", "mine"), short), 400, "InvalidParameter")
    assert len(made("GET", f"{CLUSTER}/maintenanceConfigurations").body["value"]) == 1
    assert made("DELETE", path).status == 200
    refused(made("GET", path), 404, "NotFound")


def test_children_of_no_cluster(client: Client) -> None:
    for kind in ("agentPools", "trustedAccessRoleBindings"):
        answer = client("DELETE", f"{CLUSTER}/{kind}/x")
        assert (answer.status, answer.body["error"]["code"]) == (404, "ResourceNotFound")


def test_a_command_is_polled_by_its_results(made: Client) -> None:
    answer = made("POST", f"{CLUSTER}/runCommand", {"command": "kubectl get pods"})
    path = answer.headers["Location"].removeprefix("https://management.azure.com").split("?")[0]
    assert made("GET", path).status == 202
    made.wait()
    assert made("GET", path).body["properties"]["exitCode"] == 0


# -- credentials


def kubeconfig(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.body
    return dict(yaml.safe_load(base64.b64decode(answer.body["kubeconfigs"][0]["value"])))


def test_the_admins_kubeconfig_has_certificates_that_hold(made: Client, tmp_path: Any) -> None:
    found = kubeconfig(made("POST", f"{CLUSTER}/listClusterAdminCredential"))
    assert found["current-context"] == "c-admin"
    server, user = found["clusters"][0]["cluster"], found["users"][0]["user"]
    assert server["server"] == f"https://{made('GET', CLUSTER).body['properties']['fqdn']}:443"
    for name, data in (("ca", server["certificate-authority-data"]), ("user", user["client-certificate-data"])):
        (tmp_path / name).write_bytes(base64.b64decode(data))
    command = ["openssl", "verify", "-CAfile", str(tmp_path / "ca"), str(tmp_path / "user")]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    # The same every time, until the certificates are rotated.
    assert kubeconfig(made("POST", f"{CLUSTER}/listClusterAdminCredential")) == found
    assert made("POST", f"{CLUSTER}/rotateClusterCertificates").status == 202
    made.wait()
    assert kubeconfig(made("POST", f"{CLUSTER}/listClusterAdminCredential")) != found


def test_without_local_accounts_there_is_kubelogin_alone(client: Client) -> None:
    client.put(disableLocalAccounts=True, aadProfile={"managed": True})
    client.wait()
    message = refused(client("POST", f"{CLUSTER}/listClusterAdminCredential"), 400, "BadRequest")["message"]
    assert message.startswith("Getting static credential is not allowed")
    found = kubeconfig(client("POST", f"{CLUSTER}/listClusterUserCredential"))
    user = found["users"][0]["user"]
    assert list(user) == ["exec"]
    assert user["exec"]["command"] == "kubelogin"
    assert TENANT in user["exec"]["args"]


def test_the_older_form_of_credentials(made: Client) -> None:
    answer = made("POST", f"{CLUSTER}/accessProfiles/clusterUser/listCredential")
    assert answer.body["name"] == "clusterUser"
    document = yaml.safe_load(base64.b64decode(answer.body["properties"]["kubeConfig"]))
    assert document == kubeconfig(made("POST", f"{CLUSTER}/listClusterUserCredential"))


def test_a_test_can_put_a_real_api_server_in_its_place(made: Client) -> None:
    real = {"clusters": [{"cluster": {"server": "https://127.0.0.1:6443"}}], "users": [{"user": {"token": "t"}}]}
    made.simulator.kubeconfig_for = lambda cluster: real if cluster["name"] == "c" else None
    found = kubeconfig(made("POST", f"{CLUSTER}/listClusterAdminCredential"))
    assert found["clusters"][0] == {"name": "c", "cluster": {"server": "https://127.0.0.1:6443"}}
    assert found["users"][0]["user"] == {"token": "t"}


def test_snapshots_of_pools(made: Client) -> None:
    path = f"{GROUP}/providers/Microsoft.ContainerService/snapshots/s"
    body = {"location": "westus2", "properties": {"creationData": {"sourceResourceId": f"{POOLS}/system"}}}
    answer = made("PUT", path, body)
    assert (answer.status, answer.body["properties"]["vmSize"]) == (200, "Standard_DS2_v2")
    assert made("PATCH", path, {"tags": {"a": "b"}}).body["tags"] == {"a": "b"}
    body["properties"]["creationData"]["sourceResourceId"] = f"{POOLS}/none"
    refused(made("PUT", path, body), 400, "InvalidParameter")
    assert made("DELETE", path).status == 200


# -- replays


def test_what_azure_chose_at_the_recording_is_free_in_a_replay() -> None:
    """A recorded client sends back what Azure chose by itself, years ago."""
    client = Client(Simulator(instant=True))
    client("PUT", GROUP, {"location": "westus2"})
    pool = {"name": "system", "mode": "System", "count": 1, "vmSize": ""}
    recorded = {
        **pool,
        "vmSize": "Standard_D2s_v3",
        "osDiskSizeGB": 64,
        "maxPods": 250,
        "orchestratorVersion": "1.29.7",
    }
    body = {**BODY, "properties": {"dnsPrefix": "c", "kubernetesVersion": "", "agentPoolProfiles": [pool]}}
    assert client("PUT", CLUSTER, body, api="2024-05-01").status == 201
    body["properties"] = {"dnsPrefix": "c", "kubernetesVersion": "1.29.7", "agentPoolProfiles": [recorded]}
    answer = client("PUT", CLUSTER, body, api="2024-05-01")
    assert (answer.status, answer.body["properties"]["currentKubernetesVersion"]) == (200, "1.29.7")
    # What the client has named itself is not free.
    body["properties"]["dnsPrefix"] = "other"
    refused(client("PUT", CLUSTER, body, api="2024-05-01"), 400, "PropertyChangeNotAllowed")


# -- by the SDK


@pytest.fixture(scope="module")
def sdk() -> Iterator[ContainerServiceClient]:
    with running() as run, pytest.MonkeyPatch.context() as patch:
        for name, value in run.environment.items():
            patch.setenv(name, value)
        Client(run.simulator)("PUT", GROUP, {"location": "westus2"})
        credential = ClientSecretCredential(TENANT, run.environment["AZURE_CLIENT_ID"],
                                            run.environment["AZURE_CLIENT_SECRET"])  # fmt: skip
        with ContainerServiceClient(credential, SUBSCRIPTION, polling_interval=0.05) as client:
            yield client


def test_sdk_life_of_a_cluster(sdk: ContainerServiceClient) -> None:
    clusters, pools = sdk.managed_clusters, sdk.agent_pools
    with pytest.raises(ResourceNotFoundError) as missing:
        clusters.get("g", "life")
    assert missing.value.error.code == "ResourceNotFound"
    begun = clusters.begin_create_or_update("g", "life", BODY)
    with pytest.raises(ResourceExistsError) as busy:
        clusters.begin_create_or_update("g", "life", BODY)
    assert busy.value.error.code == "OperationNotAllowed"
    made = begun.result()
    assert (made.properties.provisioning_state, made.properties.current_kubernetes_version) == ("Succeeded", "1.36.2")
    again = clusters.begin_create_or_update("g", "life", made, etag=made.e_tag,
                                            match_condition=MatchConditions.IfNotModified).result()  # fmt: skip
    assert again.properties.network_profile.pod_cidr == made.properties.network_profile.pod_cidr
    pool = pools.begin_create_or_update("g", "life", "more", {"properties": {"count": 2, "vmSize": "Standard_D4ds_v5"}})
    assert (pool.result().properties.os_disk_type, pool.result().properties.os_disk_size_gb) == ("Ephemeral", 150)
    assert sorted(one.name for one in pools.list("g", "life")) == ["more", "system"]
    pools.begin_delete("g", "life", "more").result()
    clusters.begin_stop("g", "life").result()
    assert clusters.get("g", "life").properties.power_state.code == "Stopped"
    clusters.begin_start("g", "life").result()
    assert clusters.list_cluster_admin_credentials("g", "life").kubeconfigs[0].name == "clusterAdmin"
    assert [one.name for one in clusters.list_by_resource_group("g")] == ["life"]
    clusters.begin_delete("g", "life").result()
    with pytest.raises(ResourceNotFoundError):
        clusters.get("g", "life")


def test_sdk_says_what_an_unwrapped_error_says(sdk: ContainerServiceClient) -> None:
    body = deepcopy(BODY)
    body["properties"]["kubernetesVersion"] = "1.30"
    with pytest.raises(HttpResponseError) as error:
        sdk.managed_clusters.begin_create_or_update("g", "refused", body)
    assert error.value.status_code == 400
    assert "K8sVersionNotSupported" in str(error.value)
