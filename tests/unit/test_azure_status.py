# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the components of a deployment on Azure are."""

from __future__ import annotations

from typing import Any

from ansible_collections.matcha.mlops.plugins.module_utils.errors import MatchaError
from ansible_collections.matcha.mlops.plugins.plugin_utils.azure_status import inspect

STATE: dict[str, Any] = {
    "stack": {"name": "default", "components": ["mlflow", "dvc"]},
    "components": {"mlflow": {"version": "3.17.2"}, "dvc": {}},
}


def deployment(available: int, replicas: int = 1) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": "mlflow"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "mlflow", "namespace": "mlflow", "labels": labels, "generation": 1},
        "spec": {"replicas": replicas},
        "status": {
            "observedGeneration": 1,
            "replicas": replicas,
            "updatedReplicas": replicas,
            "availableReplicas": available,
        },
    }


def test_a_workload_that_is_ready() -> None:
    part = inspect(STATE, [deployment(1)])["mlflow"]
    assert (part["running"], part["healthy"], part["drift"]) == (True, True, [])


def test_a_workload_that_is_not_says_why() -> None:
    part = inspect(STATE, [deployment(0)])["mlflow"]
    assert not part["healthy"]
    assert part["complaint"] == "Deployment mlflow/mlflow: 0 of 1 pods are available"


def test_a_part_of_a_component_is_its_own() -> None:
    router = deployment(0)
    router["metadata"]["labels"] = {"app.kubernetes.io/name": "mlflow-router"}
    assert not inspect(STATE, [deployment(1), router])["mlflow"]["healthy"]
    router["metadata"]["labels"] = {"app.kubernetes.io/name": "mlflows"}
    assert inspect(STATE, [deployment(1), router])["mlflow"]["healthy"]


def test_somebody_scaled_it_to_nothing() -> None:
    part = inspect(STATE, [deployment(0, 0)])["mlflow"]
    assert not part["healthy"]
    assert "scaled to nothing" in part["complaint"]


def test_somebody_deleted_it() -> None:
    part = inspect(STATE, [])["mlflow"]
    assert not part["healthy"]
    assert "provision.yml" in part["drift"][0]


def test_a_cluster_that_cannot_be_seen_is_no_drift() -> None:
    part = inspect(STATE, MatchaError("The cluster is stopped."))["mlflow"]
    assert (part["running"], part["healthy"], part["drift"]) == (None, False, [])
    assert part["complaint"] == "The cluster is stopped."


def test_what_was_kept_when_the_rest_was_destroyed_is_not_provisioned() -> None:
    kept = {**STATE, "components": {**STATE["components"], "mlflow": {"version": "3.17.2", "kept": True}}}
    assert not inspect(kept, [deployment(1)])["mlflow"]["recorded"]


def test_what_has_no_workload_is_healthy_when_it_is_recorded() -> None:
    state = {**STATE, "components": {**STATE["components"], "dvc": {"version": "3.67.1"}}}
    assert inspect(state, [])["dvc"]["healthy"]
