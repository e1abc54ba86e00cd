# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When an object of each kind is ready, judged by what the API server says of it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes.ready import READY, FailedError, unready


def item(kind: str, spec: dict[str, Any] | None = None, generation: int = 3, **status: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "metadata": {"name": "tea", "namespace": "tea", "generation": generation},
        "spec": spec or {},
        "status": status,
    }


def condition(kind: str, status: str = "True", **more: str) -> dict[str, Any]:
    return {"conditions": [{"type": "Other", "status": "True"}, {"type": kind, "status": status, **more}]}


ROLLED = {"observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}
SET = {**ROLLED, "currentRevision": "a", "updateRevision": "a"}
DAEMONS = {"observedGeneration": 3, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2}

IS_READY = [
    item("Deployment", {"replicas": 2}, **ROLLED),
    # What the server left out is 1, and 0 is none.
    item("Deployment", **{**ROLLED, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}),
    item("Deployment", {"replicas": 0}, observedGeneration=3),
    item("StatefulSet", {"replicas": 2}, **SET),
    item("StatefulSet", {"replicas": 2, "updateStrategy": {"type": "OnDelete"}}, **{**SET, "updateRevision": "b"}),
    item(
        "StatefulSet",
        {"replicas": 2, "updateStrategy": {"rollingUpdate": {"partition": 2}}},
        **{**SET, "updateRevision": "b", "updatedReplicas": 0},
    ),
    item("DaemonSet", **DAEMONS),
    item("DaemonSet", observedGeneration=3, desiredNumberScheduled=0),
    item("Job", **condition("Complete"), succeeded=1),
    item("Pod", **condition("Ready"), phase="Running"),
    item("Pod", phase="Succeeded"),
    item("PersistentVolumeClaim", phase="Bound"),
    item("CustomResourceDefinition", **condition("Established")),
    item("Namespace", phase="Active"),
    item("Service", {"type": "ClusterIP"}),
    item("Service", {"type": "LoadBalancer"}, loadBalancer={"ingress": [{"ip": "10.0.0.1"}]}),
    item("SeldonDeployment", state="Available"),
    item("APIService", **condition("Available")),
    item("Gateway", **condition("Programmed")),
    item("Certificate", **condition("Ready")),
    # A kind that knows no such thing.
    item("ConfigMap"),
]
IS_NOT = [
    (item("Deployment", {"replicas": 2}, **{**ROLLED, "observedGeneration": 2}), "not seen by its controller yet"),
    (item("Deployment", {"replicas": 2}), "not seen by its controller yet"),
    (item("Deployment", {"replicas": 2}, **{**ROLLED, "updatedReplicas": 1}), "1 of 2 pods are of the new kind"),
    (item("Deployment", {"replicas": 2}, **{**ROLLED, "replicas": 3}), "1 old pods have not ended"),
    (item("Deployment", {"replicas": 2}, **{**ROLLED, "availableReplicas": 0}), "0 of 2 pods are available"),
    (
        item(
            "Deployment",
            {"replicas": 2},
            **{**ROLLED, "availableReplicas": 1},
            **condition("Progressing", "False", reason="ProgressDeadlineExceeded"),
        ),
        "1 of 2 pods are available (no progress within its deadline)",
    ),
    (item("StatefulSet", {"replicas": 2}, **{**SET, "observedGeneration": 1}), "not seen by its controller yet"),
    (item("StatefulSet", {"replicas": 2}, **{**SET, "readyReplicas": 1}), "1 of 2 pods are ready"),
    (
        item("StatefulSet", {"replicas": 2}, **{**SET, "updateRevision": "b", "updatedReplicas": 1}),
        "1 of 2 pods are of the new kind",
    ),
    (item("DaemonSet", **{**DAEMONS, "observedGeneration": 1}), "not seen by its controller yet"),
    (item("DaemonSet", **{**DAEMONS, "updatedNumberScheduled": 1}), "1 of 2 pods are of the new kind"),
    (item("DaemonSet", **{**DAEMONS, "numberAvailable": 1}), "1 of 2 pods are available"),
    (item("Job"), "it has not begun"),
    (item("Job", active=1, failed=2), "it runs, 2 tries failed"),
    (item("Pod", phase="Running", **condition("Ready", "False")), "it is Running"),
    (item("PersistentVolumeClaim"), "it is Pending"),
    (item("CustomResourceDefinition"), "not established yet"),
    (item("Namespace", phase="Terminating"), "it is Terminating"),
    (item("Service", {"type": "LoadBalancer"}), "it has no address yet"),
    (item("SeldonDeployment"), "it is new to its operator"),
    (item("SeldonDeployment", state="Creating"), "it is Creating"),
    (item("APIService", **condition("Available", "False", message="no pods")), "not Available yet: no pods"),
    (item("Gateway"), "not Programmed yet"),
    (item("Certificate"), "not Ready yet"),
]
FAILED = [
    (item("Job", **condition("Failed", message="Job has reached the specified backoff limit")), "backoff limit"),
    (item("Pod", phase="Failed", message="Evicted"), "Evicted"),
    (item("PersistentVolumeClaim", phase="Lost"), "its volume is gone"),
    (item("CustomResourceDefinition", **condition("NamesAccepted", "False", message="taken")), "taken"),
    (item("SeldonDeployment", state="Failed", description="no model"), "no model"),
]


@pytest.mark.parametrize("found", IS_READY, ids=lambda found: found["kind"])
def test_ready(found: dict[str, Any]) -> None:
    assert unready(found) == ""


@pytest.mark.parametrize(("found", "reason"), IS_NOT)
def test_not_ready(found: dict[str, Any], reason: str) -> None:
    assert unready(found) == reason


@pytest.mark.parametrize(("found", "reason"), FAILED)
def test_never_ready(found: dict[str, Any], reason: str) -> None:
    with pytest.raises(FailedError, match=reason):
        unready(found)


def test_every_kind_is_tried_both_ways() -> None:
    assert set(READY) <= {each["kind"] for each in IS_READY}
    assert set(READY) == {each["kind"] for each, _reason in IS_NOT}
