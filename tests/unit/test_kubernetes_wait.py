# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for many objects: what is said meanwhile, when it ends early, and what the message then holds."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from clusters import Clock, MemoryCluster

from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes import wait
from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes.errors import UnreadyError
from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes.wait import Waiter

if TYPE_CHECKING:
    from collections.abc import Callable

WAITING: dict[str, Any] = {
    "not pulled": {
        "reason": "ImagePullBackOff",
        "message": 'Back-off pulling image "tea:1": ErrImagePull: failed to resolve reference: tea:1: not found',
    },
    "no right": {"reason": "ErrImagePull", "message": "failed to authorize: 401 Unauthorized"},
    "crash": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"},
    "no key": {"reason": "CreateContainerConfigError", "message": "couldn't find key password in Secret tea/tea"},
    "creating": {"reason": "ContainerCreating"},
}


@pytest.fixture
def cluster() -> MemoryCluster:
    found = MemoryCluster()
    found.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tea"}}, phase="Active")
    return found


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(wait, "time", found)
    return found


def deployment(cluster: MemoryCluster, available: int = 0, name: str = "tea") -> dict[str, Any]:
    item = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "tea"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}}},
    }
    status = {"observedGeneration": 10**6, "replicas": 1, "updatedReplicas": 1, "availableReplicas": available}
    return cluster.put(item, **status)


def replica_set(cluster: MemoryCluster, owner: dict[str, Any], revision: int) -> None:
    name = f"{owner['metadata']['name']}-{revision}"
    labels = {"app": owner["metadata"]["name"], "pod-template-hash": str(revision)}
    metadata = {
        "name": name,
        "namespace": "tea",
        "labels": labels,
        "annotations": {"deployment.kubernetes.io/revision": str(revision)},
        "ownerReferences": [{"uid": owner["metadata"]["uid"]}],
    }
    cluster.put({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata})


def pod(cluster: MemoryCluster, state: dict[str, Any], revision: int = 1, **more: Any) -> dict[str, Any]:
    labels = {"app": "tea", "pod-template-hash": str(revision)}
    item = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"tea-{revision}", "namespace": "tea"}}
    item["metadata"]["labels"] = labels  # type: ignore[index]
    container = {"name": "tea", "image": "tea:1", "ready": False, "state": state, **more}
    return cluster.put(item, phase="Pending", containerStatuses=[container])


def event(cluster: MemoryCluster, about: str, message: str) -> None:
    item = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": f"{about}.1", "namespace": "tea"}}
    told = {"involvedObject": {"name": about}, "type": "Warning", "reason": "FailedCreate", "message": message}
    cluster.put({**item, **told})


@pytest.fixture
def waits(cluster: MemoryCluster) -> Callable[..., dict[str, Any]]:
    """Return what waits for these, and puts down what is said."""

    def begin(*items: dict[str, Any], timeout: float = 100, hidden: tuple[str, ...] = ()) -> dict[str, Any]:
        said: list[str] = []
        waiter = Waiter(cluster, timeout, said.append, hidden)
        try:
            return {"done": waiter.wait(items), "said": said, "error": ""}
        except UnreadyError as error:
            return {"said": said, "error": str(error)}

    return begin


def test_what_is_ready_needs_no_question(cluster: MemoryCluster, waits: Callable[..., dict[str, Any]]) -> None:
    item = deployment(cluster, available=1)
    cluster.requests.clear()
    assert waits(item)["done"] == {"Deployment tea/tea": item}
    assert cluster.requests == []


def test_all_are_waited_for_together(
    cluster: MemoryCluster, waits: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    first, second = deployment(cluster), deployment(cluster, name="pot")
    begin = clock.now

    def later(seconds: float) -> None:
        clock.now += seconds
        if clock.now - begin > 3:
            deployment(cluster, available=1)
        if clock.now - begin > 5:
            deployment(cluster, available=1, name="pot")

    monkeypatch.setattr(clock, "sleep", later)
    found = waits(first, second)
    assert not found["error"]
    assert "Deployment tea/tea (0 of 1 pods are available), Deployment tea/pot" in found["said"][0]
    assert found["said"][-1] == "waiting for Deployment tea/pot (0 of 1 pods are available)"
    assert clock.now - begin < 8


def test_an_image_that_is_not_there_ends_it_early(
    cluster: MemoryCluster, waits: Callable[..., dict[str, Any]], clock: Clock
) -> None:
    begin = clock.now
    pod(cluster, {"waiting": WAITING["not pulled"]})
    found = waits(deployment(cluster))
    assert "ImagePullBackOff of tea:1" in found["error"]
    assert "not found" in found["error"]
    # It may have been pushed just now.
    assert wait.PATIENCE <= clock.now - begin < 60


def test_a_right_that_is_not_there_yet_may_come(
    cluster: MemoryCluster, waits: Callable[..., dict[str, Any]], clock: Clock
) -> None:
    begin = clock.now
    pod(cluster, {"waiting": WAITING["no right"]})
    found = waits(deployment(cluster))
    assert found["error"].startswith("Not ready within 100 s (wait_timeout): Deployment tea/tea: 0 of 1 pods")
    assert "401 Unauthorized" in found["error"]
    assert clock.now - begin > 100


def test_a_trouble_that_passes_is_forgotten(
    cluster: MemoryCluster, waits: Callable[..., dict[str, Any]], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a minute without a key, then half a minute of another pod's."""
    begin = clock.now

    def later(seconds: float) -> None:
        clock.now += seconds
        bad = (clock.now - begin) % 40 < 30
        pod(cluster, {"waiting": WAITING["no key" if bad else "creating"]})
        if clock.now - begin > 90:
            deployment(cluster, available=1)

    monkeypatch.setattr(clock, "sleep", later)
    pod(cluster, {"waiting": WAITING["no key"]})
    assert not waits(deployment(cluster))["error"]


def test_a_crash_shows_the_last_words_without_secrets(
    cluster: MemoryCluster, waits: Callable[..., dict[str, Any]], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = clock.now
    last = {"terminated": {"exitCode": 3, "reason": "Error"}}
    monkeypatch.setattr(clock, "sleep", crashing(cluster, clock, 2, lastState=last))
    cluster.logs["/api/v1/namespaces/tea/pods/tea-1/log?true"] = "no tea for hunter2 at mysql://a:bcd@db\n"
    found = waits(deployment(cluster), hidden=("hunter2",))
    assert "crashed 5 times (Error, exit status 3)" in found["error"]
    assert found["error"].endswith("log:\nno tea for (hidden) at mysql://a:(hidden)@db")
    assert clock.now - begin == 3


def crashing(cluster: MemoryCluster, clock: Clock, begin: int, **more: Any) -> Callable[[float], None]:
    """Return a sleep in which a pod crashes once more."""
    pod(cluster, {"waiting": WAITING["crash"]}, restartCount=begin, **more)
    count = itertools.count(begin + 1)

    def sleep(seconds: float) -> None:
        clock.now += seconds
        pod(cluster, {"waiting": WAITING["crash"]}, restartCount=next(count), **more)

    return sleep


def test_many_crashes_of_the_past_may_be_mended_by_now(
    cluster: MemoryCluster, waits: Callable[..., dict[str, Any]], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pod(cluster, {"waiting": WAITING["crash"]}, restartCount=50)
    assert "Not ready within" in waits(deployment(cluster))["error"]
    monkeypatch.setattr(clock, "sleep", crashing(cluster, clock, 50))
    assert "crashed 51 times" in waits(deployment(cluster))["error"]


def test_a_crash_or_two_may_pass(cluster: MemoryCluster, waits: Callable[..., dict[str, Any]]) -> None:
    pod(cluster, {"waiting": WAITING["crash"]}, restartCount=2)
    assert "Not ready within" in waits(deployment(cluster))["error"]


def test_pods_of_an_older_template_do_not_matter(cluster: MemoryCluster, waits: Callable[..., dict[str, Any]]) -> None:
    item = deployment(cluster)
    replica_set(cluster, item, 9)
    replica_set(cluster, item, 10)
    pod(cluster, {"waiting": WAITING["crash"]}, revision=9, restartCount=50)
    pod(cluster, {"waiting": WAITING["creating"]}, revision=10)
    found = waits(item)
    assert "crashed" not in found["error"]
    assert "tea-10, container tea: ContainerCreating" in found["said"][0]


def test_a_trouble_that_the_new_template_mends(
    cluster: MemoryCluster, waits: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """The controller has not even seen it, and there is but the old set."""
    item = deployment(cluster)
    replica_set(cluster, item, 1)
    pod(cluster, {"waiting": WAITING["not pulled"]})
    item["status"]["observedGeneration"] = 0
    monkeypatch.setattr(wait, "PATIENCE", 0.0)

    def later(seconds: float) -> None:
        clock.now += seconds
        deployment(cluster, available=1)

    monkeypatch.setattr(clock, "sleep", later)
    assert not waits(item)["error"]


@pytest.mark.parametrize("latest", [True, False])
@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet", "SeldonDeployment"])
def test_only_the_latest_template_counts(
    cluster: MemoryCluster, waits: Callable[..., dict[str, Any]], kind: str, latest: bool
) -> None:
    cluster.kinds["machinelearning.seldon.io/v1"] = {"SeldonDeployment": True}
    found = pod(cluster, {"waiting": WAITING["crash"]}, restartCount=50)
    now = "new" if latest else "old"
    found["metadata"]["labels"].update({"controller-revision-hash": now, "pod-template-generation": now})
    item = {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "tea", "namespace": "tea"}}
    item["metadata"]["annotations"] = {"deprecated.daemonset.template.generation": "new"}  # type: ignore[index]
    if kind == "SeldonDeployment":
        item["apiVersion"] = "machinelearning.seldon.io/v1"
        inner = deployment(cluster)
        inner["metadata"]["labels"] = {"seldon-deployment-id": "tea"}
        replica_set(cluster, inner, 1 if latest else 2)
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "tea"}}}
    status = {"observedGeneration": 10**6, "updateRevision": "new", "desiredNumberScheduled": 1, "state": "Creating"}
    assert ("crashed" in waits(cluster.put({**item, "spec": spec}, **status))["error"]) is latest


def test_a_policy_that_lets_no_pod_in(cluster: MemoryCluster, waits: Callable[..., dict[str, Any]]) -> None:
    item = deployment(cluster)
    replica_set(cluster, item, 1)
    event(cluster, "tea-1", 'pods "tea-1" is forbidden: violates PodSecurity "restricted:latest"')
    assert "violates PodSecurity" in waits(item)["error"]
    assert "Not ready within" not in waits(item)["error"]


def test_a_pod_that_finds_no_node(cluster: MemoryCluster, waits: Callable[..., dict[str, Any]]) -> None:
    found = pod(cluster, {})
    found["status"] = {
        "phase": "Pending",
        "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes: insufficient memory"}],
    }
    assert "tea/tea-1 finds no node: 0/1 nodes: insufficient memory" in waits(deployment(cluster))["said"][0]


def test_a_mount_that_does_not_come(cluster: MemoryCluster, waits: Callable[..., dict[str, Any]]) -> None:
    pod(cluster, {"waiting": WAITING["creating"]})
    event(cluster, "tea-1", "MountVolume.SetUp failed: secret not found")
    assert "MountVolume.SetUp failed" in waits(deployment(cluster))["error"]


def test_a_job_that_failed(cluster: MemoryCluster, waits: Callable[..., dict[str, Any]]) -> None:
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "boil", "namespace": "tea"}}
    told = {"type": "Failed", "status": "True", "message": "Job has reached the specified backoff limit"}
    item = cluster.put(job, conditions=[told])
    made = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "boil-1", "namespace": "tea"}}
    made["metadata"]["labels"] = {"job-name": "boil"}  # type: ignore[index]
    ended = {"name": "boil", "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}
    cluster.put(made, phase="Failed", containerStatuses=[ended])
    cluster.logs["/api/v1/namespaces/tea/pods/boil-1/log?false"] = "no water\n"
    assert waits(item)["error"] == (
        "Job tea/boil: it failed: Job has reached the specified backoff limit.\nThe last lines of its log:\nno water"
    )


@pytest.mark.parametrize(("mode", "ready"), [("WaitForFirstConsumer", True), ("Immediate", False)])
def test_a_claim_may_wait_for_its_pod(
    cluster: MemoryCluster, waits: Callable[..., dict[str, Any]], mode: str, ready: bool
) -> None:
    kind = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "retain"}}
    cluster.put({**kind, "volumeBindingMode": mode})
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "leaves", "namespace": "tea"}}
    item = cluster.put({**claim, "spec": {"storageClassName": "retain"}}, phase="Pending")
    assert bool(waits(item)["error"]) is not ready


def test_what_somebody_deletes_meanwhile(cluster: MemoryCluster, waits: Callable[..., dict[str, Any]]) -> None:
    item = deployment(cluster)
    cluster.store.clear()
    assert "was deleted by somebody" in waits(item)["error"]
