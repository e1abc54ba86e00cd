# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to a cluster in its life loses nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from deployments import wait_until

if TYPE_CHECKING:
    from tests.aks.stack import Aks

COMPONENTS = ("zenml", "mlflow", "chroma", "seldon-system")


@pytest.fixture(scope="module", autouse=True)
def _data(llm: Aks) -> None:
    llm.keep("make")


def test_every_pod_is_deleted(llm: Aks) -> None:
    from kubernetes import client

    core = client.CoreV1Api(llm.api)
    gone = {pod.metadata.uid for pod in llm.pods()}
    for namespace in COMPONENTS:
        core.delete_collection_namespaced_pod(namespace)
    wait_until(lambda: not gone & {pod.metadata.uid for pod in llm.pods() if pod.metadata.namespace in COMPONENTS},
               "the old pods are gone", 300)  # fmt: skip
    wait_until(lambda: not llm.unready(), "every pod is ready again", 600)
    llm.keep("check")
    llm.assert_converged()


def test_the_node_loses_its_power(llm: Aks) -> None:
    before = llm.containers()
    llm.world.clusters.lose_power()
    llm.wait_for_other_containers(before)
    llm.keep("check")


def test_stopped_and_started_to_save_money(llm: Aks) -> None:
    before = llm.containers()
    llm.run("stop").ok()
    assert llm.resource("Microsoft.ContainerService/managedClusters", f"{llm.prefix}-k8s")["properties"][
        "powerState"
    ] == {"code": "Stopped"}
    assert llm.resource("Microsoft.DBforMySQL/flexibleServers", f"{llm.prefix}zenmlserver")["properties"]["state"] == (
        "Stopped"
    )
    llm.run("start").ok()
    llm.wait_for_other_containers(before)
    llm.keep("check")
    llm.assert_converged()


def test_the_state_is_lost(llm: Aks) -> None:
    before = llm.outputs()
    world = llm.world
    account = llm.resource("Microsoft.Storage/storageAccounts", f"{llm.prefix}statestacc")
    served = world.simulator.blobs._serve(account)
    gone = served.azurite.send("DELETE", f"/{llm.prefix}statestore/state.json", {}, sign=True)
    if gone.status == 412:
        raise AssertionError("a lease is held although no run is under way")
    assert gone.status == 202, gone.body
    # The guard reads the group's tags.
    llm.run("provision", matcha_stack="default").failed("llm", "default")
    llm.run("provision").ok()
    llm.assert_converged()
    assert llm.outputs()["id"] == before["id"]
    llm.keep("check")


def test_the_cluster_is_lost_and_made_anew(llm: Aks) -> None:
    """All is there again, ZenML's secrets included: disks, database, accounts and vault are not the cluster's."""
    from modules.harness import run_module

    with pytest.MonkeyPatch.context() as patch:
        for name, value in llm.world.environment.items():
            patch.setenv(name, value)
        run_module("aks_cluster", resource_group=f"{llm.prefix}-resources", name=f"{llm.prefix}-k8s", state="absent")
    llm.run("provision").ok()
    assert llm.unready() == []
    llm.keep("check")
    llm.assert_converged()
