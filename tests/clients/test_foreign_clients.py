# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Azure CLI and azure.azcollection, unmodified: the simulator is not fitted to this collection's own modules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from clients.foreign import Clients, environment_of
from simulator.simulator import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GROUP = ["--resource-group", "tea"]
CLUSTER = "resourceGroups/tea/providers/Microsoft.ContainerService/managedClusters/leaf"
CLUSTER_API = "2025-05-01"

pytestmark = pytest.mark.slow


@pytest.fixture
def clients(tmp_path: Path) -> Iterator[Clients]:
    """Yield clients of a simulator in which an hour takes three seconds."""
    with running(speed=1200) as run:
        yield Clients(run, tmp_path / "clients")


def the_clusters_life(clients: Clients) -> None:
    cluster = [*GROUP, "--name", "leaf"]
    made = clients.az(
        "aks", "create", *cluster, "--node-count", "1", "--enable-oidc-issuer", "--generate-ssh-keys"
    ).json
    assert made["provisioningState"] == "Succeeded"
    assert made["oidcIssuerProfile"]["issuerUrl"].startswith("https://")
    of_cluster = [*GROUP, "--cluster-name", "leaf"]
    pool = clients.az("aks", "nodepool", "add", *of_cluster, "--name", "extra", "--node-count", "1").json
    assert (pool["count"], pool["mode"], pool["provisioningState"]) == (1, "User", "Succeeded")
    scaled = clients.az("aks", "scale", *cluster, "--nodepool-name", "extra", "--node-count", "2").json
    assert {pool["name"]: pool["count"] for pool in scaled["agentPoolProfiles"]} == {"nodepool1": 1, "extra": 2}
    kubeconfig = clients.folder / "kubeconfig"
    clients.az("aks", "get-credentials", *cluster, "--file", str(kubeconfig)).ok()
    assert yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))["current-context"] == "leaf"
    clients.az("aks", "stop", *cluster).ok()
    shown = clients.az("aks", "show", *cluster).json
    assert shown["powerState"] == {"code": "Stopped"}
    clients.az("aks", "start", *cluster).ok()
    assert clients.get(CLUSTER, CLUSTER_API)["properties"]["powerState"] == {"code": "Running"}
    clients.az("aks", "delete", *cluster, "--yes").ok()
    assert clients.get(CLUSTER, CLUSTER_API) is None


def what_is_around_it(clients: Clients) -> None:
    account = clients.az("storage", "account", "create", *GROUP, "--name", "teaaccount", "--sku", "Standard_LRS").json
    assert account["primaryEndpoints"]["blob"] == "https://teaaccount.blob.core.windows.net/"
    registry = clients.az("acr", "create", *GROUP, "--name", "tearegistry", "--sku", "Basic").json
    assert (registry["loginServer"], registry["sku"]["tier"]) == ("tearegistry.azurecr.io", "Basic")
    identity = clients.az("identity", "create", *GROUP, "--name", "picker").json
    # An identity that was just made is not known everywhere yet: the CLI leaves it to its user to try again.
    clients.running.simulator.clock.advance(900)
    principal = ["--assignee-object-id", identity["principalId"], "--assignee-principal-type", "ServicePrincipal"]
    role = clients.az("role", "assignment", "create", *principal, "--role", "AcrPull", "--scope", registry["id"]).json
    assert role["principalId"] == identity["principalId"]
    vault = clients.az("keyvault", "create", *GROUP, "--name", "tea-vault").json
    assert vault["properties"]["enableRbacAuthorization"] is True


def test_the_azure_cli(clients: Clients) -> None:
    (subscription,) = clients.sign_in().json
    assert subscription["id"] == clients.environment["AZURE_SUBSCRIPTION_ID"]
    clients.az("group", "create", "--name", "tea", "--location", "westeurope").ok()
    what_is_around_it(clients)
    the_clusters_life(clients)
    clients.az("group", "delete", "--name", "tea", "--yes").ok()
    assert clients.get("resourceGroups", "2024-11-01")["value"] == []
    assert clients.running.refused == []


def lives() -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield module, options and the expected result: create, again, change, delete."""
    for options, result in (({}, "changed"), ({}, "ok"), ({"tags": {"leaf": "green"}}, "changed")):
        yield "resourcegroup", {"name": "tea", "location": "westeurope", **options}, result
    account = {"resource_group": "tea", "name": "teaaccount", "account_type": "Standard_LRS", "kind": "StorageV2"}
    states = (
        ({}, "changed"),
        ({}, "ok"),
        ({"minimum_tls_version": "TLS1_2"}, "changed"),
        ({"state": "absent"}, "changed"),
    )
    for options, result in states:
        yield "storageaccount", {**account, **options}, result
    for count, result in ((1, "changed"), (1, "ok"), (2, "changed")):
        yield "aks", cluster_of_azcollection(count), result
    yield "aks", {"resource_group": "tea", "name": "leaf", "state": "absent"}, "changed"
    yield "resourcegroup", {"name": "tea", "state": "absent"}, "changed"


def cluster_of_azcollection(count: int) -> dict[str, Any]:
    return {
        "resource_group": "tea",
        "name": "leaf",
        "location": "westeurope",
        "dns_prefix": "leaf",
        "kubernetes_version": "1.36.2",
        "agent_pool_profiles": [
            {"name": "default", "count": count, "vm_size": "Standard_D4s_v5", "mode": "System",
             "type": "VirtualMachineScaleSets"},
        ],
    }  # fmt: skip


def test_azure_azcollection(clients: Clients) -> None:
    life = list(lives())
    tasks = [{f"azure.azcollection.azure_rm_{module}": options} for module, options, _result in life]
    ended = clients.playbook(environment_of("azcollection"), tasks).ok()
    assert ended.results == [result for _module, _options, result in life], ended.out
    assert clients.get("resourceGroups", "2024-11-01")["value"] == []
    assert clients.running.refused == []
