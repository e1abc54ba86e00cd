# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Again: nothing is changed where nothing differs, and what differs alone where something does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.aks.stack import Aks


def test_again(llm: Aks) -> None:
    before = llm.objects()
    assert len(before) > 30
    llm.forget()
    again = llm.run("provision").ok()
    assert not again.changed, again.output
    assert llm.writes() == []
    assert llm.objects() == before


def test_the_plan_is_empty(llm: Aks) -> None:
    before = llm.objects()
    llm.forget()
    plan = llm.run("provision", "--check", "--diff").ok()
    assert not plan.changed, plan.output
    assert llm.writes() == []
    assert llm.objects() == before


def test_one_property(llm: Aks) -> None:
    before = llm.objects()
    llm.forget()
    pools = [
        {
            "name": "system",
            "mode": "System",
            "vm_size": "Standard_DS3_v2",
            "enable_auto_scaling": True,
            "min_count": 1,
            "max_count": 4,
        }
    ]
    changed = llm.run("provision", matcha_node_pools=pools).ok()
    assert changed.changed == {"localhost"}, changed.output
    assert {write.split("/providers/")[-1] for write in llm.writes()} == {
        f"Microsoft.ContainerService/managedClusters/{llm.prefix}-k8s"
    }
    assert llm.objects() == before
    # And back.
    llm.run("provision").ok()
    llm.assert_converged()


def test_what_somebody_changed_in_the_cluster_is_put_right(llm: Aks) -> None:
    from kubernetes import client

    apps = client.AppsV1Api(llm.api)
    apps.patch_namespaced_deployment("mlflow", "mlflow", {"spec": {"replicas": 0}})
    status = llm.status()["components"]["mlflow"]
    assert status["drift"] or not status["healthy"]
    again = llm.run("provision").ok()
    assert again.changed == {"matcha-mlflow"}, again.output
    assert llm.unready() == []
    llm.assert_converged()


def test_another_stack_is_refused(llm: Aks) -> None:
    llm.forget()
    refused = llm.run("provision", matcha_stack="default")
    refused.failed("llm", "default")
    assert llm.writes() == []
