# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects are brought to what is wanted: order, plans, differences, secrets, and what is left alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from clusters import Clock, MemoryCluster

from ansible_collections.matcha.mlops.plugins.module_utils.errors import MatchaError
from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes import objects
from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes.content import redacted, values_of, wanted_of
from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes.errors import (
    KubernetesError,
    UnreachableError,
    UnreadyError,
)
from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes.model import CHECKSUM, Wanted
from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes.objects import applied, removed
from ansible_collections.matcha.mlops.plugins.module_utils.stack.lock import LockError

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "s3cret-of-tea"
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tea"}}
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "cups.tea.example"},
    "spec": {"group": "tea.example", "scope": "Namespaced", "names": {"kind": "Cup"}, "versions": [{"name": "v1"}]},
}
CUP = {"apiVersion": "tea.example/v1", "kind": "Cup", "metadata": {"name": "big", "namespace": "tea"}, "spec": {}}
CONFIG = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "tea", "namespace": "tea"},
    "data": {"hot": "yes"},
}


def workload(replicas: int = 1) -> dict[str, Any]:
    env = [{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "tea", "key": "password"}}}]
    pods = {"containers": [{"name": "tea", "image": "tea:1", "env": env}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "tea", "namespace": "tea"},
        "spec": {"replicas": replicas, "template": {"metadata": {"labels": {"app": "tea"}}, "spec": pods}},
    }


@pytest.fixture
def cluster() -> MemoryCluster:
    return MemoryCluster()


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Nobody really waits."""
    found = Clock()
    monkeypatch.setattr(objects, "time", found)
    return found


def options(tmp_path: Path, *items: dict[str, Any], secret: str = SECRET, **more: Any) -> dict[str, Any]:
    (tmp_path / "password").write_text(secret + "\n")
    files = {"files": {"password": str(tmp_path / "password")}, "labels": {"a": "b"}}
    secrets = [{"name": "tea", "namespace": "tea", **files}]
    return {"objects": list(items), "secrets": secrets, "config_maps": [], "labels": {"part-of": "matcha"}, **more}


def everything(tmp_path: Path, **more: Any) -> list[Wanted]:
    return wanted_of(options(tmp_path, CUP, workload(), CONFIG, DEFINITION, NAMESPACE, **more), False)


def test_objects_are_made_in_an_order_that_works(cluster: MemoryCluster, tmp_path: Path) -> None:
    outcome = applied(cluster, everything(tmp_path), apply=True)
    kinds = [each.split("/")[-3 if "in-tea" in each else -2] for each in cluster.writes]
    assert kinds[:2] == ["Namespace", "CustomResourceDefinition"]
    assert set(kinds[2:4]) == {"ConfigMap", "Secret"}
    assert kinds[4:] == ["Deployment", "Cup"]
    assert outcome.changed
    # In the order in which they were asked for.
    assert [each["kind"] for each in outcome.objects] == [
        *("Cup", "Deployment", "ConfigMap", "CustomResourceDefinition", "Namespace", "Secret")
    ]
    assert all(each["metadata"]["labels"]["part-of"] == "matcha" for each in outcome.objects)


def test_a_second_run_writes_nothing(cluster: MemoryCluster, tmp_path: Path) -> None:
    applied(cluster, everything(tmp_path), apply=True)
    cluster.writes.clear()
    outcome = applied(cluster, everything(tmp_path), apply=True)
    assert not outcome.changed
    assert cluster.writes == []
    assert outcome.after == {}


def test_only_what_differs_is_written_and_shown(cluster: MemoryCluster, tmp_path: Path) -> None:
    applied(cluster, everything(tmp_path), apply=True)
    cluster.writes.clear()
    wanted = wanted_of(options(tmp_path, NAMESPACE, CONFIG, workload(2)), False)
    outcome = applied(cluster, wanted, apply=True)
    assert cluster.writes == ["PATCH apps/v1/Deployment/in-tea/tea"]
    assert outcome.before["Deployment tea/tea"]["spec"]["replicas"] == 1
    assert list(outcome.after) == ["Deployment tea/tea"]
    assert outcome.after["Deployment tea/tea"]["spec"]["replicas"] == 2
    assert "managedFields" not in json.dumps(outcome.result())


def test_what_nobody_named_stays(cluster: MemoryCluster, tmp_path: Path) -> None:
    applied(cluster, everything(tmp_path), apply=True)
    cluster.put({**CONFIG, "data": {"cold": "no"}})
    outcome = applied(cluster, everything(tmp_path), apply=True)
    assert not outcome.changed
    found = cluster.find("ConfigMap", "tea", "tea")
    assert found
    assert found["data"] == {"hot": "yes", "cold": "no"}


def test_what_the_server_manages_is_no_difference(cluster: MemoryCluster, tmp_path: Path) -> None:
    applied(cluster, everything(tmp_path), apply=True)
    found = cluster.find("Deployment", "tea", "tea", "apps/v1")
    assert found
    found["status"] = {"replicas": 7}
    found["metadata"].update(creationTimestamp="2026", generation=99)
    assert not applied(cluster, everything(tmp_path), apply=True).changed


def test_pods_are_replaced_when_their_secret_changes(cluster: MemoryCluster, tmp_path: Path) -> None:
    applied(cluster, everything(tmp_path), apply=True)
    outcome = applied(cluster, everything(tmp_path, secret="another"), apply=True)
    assert sorted(outcome.after) == ["Deployment tea/tea", "Secret tea/tea"]
    marks = [
        side["Deployment tea/tea"]["spec"]["template"]["metadata"]["annotations"][CHECKSUM]
        for side in (outcome.before, outcome.after)
    ]
    assert marks[0] != marks[1]
    assert "labels" in outcome.after["Deployment tea/tea"]["spec"]["template"]["metadata"]


def test_a_difference_shows_no_secret(cluster: MemoryCluster, tmp_path: Path) -> None:
    first = applied(cluster, everything(tmp_path), apply=True)
    second = applied(cluster, everything(tmp_path, secret="another-secret"), apply=True)
    text = json.dumps([first.result(), second.result()])
    assert second.before["Secret tea/tea"]["data"] == {"password": "(hidden)"}
    assert second.after["Secret tea/tea"]["data"] == {"password": "(hidden, another one)"}
    assert not [each for value in (SECRET, "another-secret") for each in forms(value) if each in text]


def forms(value: str) -> list[str]:
    import base64

    return [value, base64.b64encode(value.encode()).decode()]


def test_a_secret_with_values_is_refused(tmp_path: Path) -> None:
    bad = {**CONFIG, "kind": "Secret", "stringData": {"password": SECRET}}
    with pytest.raises(MatchaError, match="name files that hold them") as caught:
        wanted_of(options(tmp_path, bad), False)
    assert SECRET not in str(caught.value)


def test_a_log_shows_no_secret(tmp_path: Path) -> None:
    values = values_of(wanted_of(options(tmp_path), False))
    text = f"user {SECRET} at mysql://tea:other@db/tea " + forms(SECRET)[1]
    assert redacted(text, values) == "user (hidden) at mysql://tea:(hidden)@db/tea (hidden)"


@pytest.mark.parametrize("there", [False, True])
def test_a_plan_with_a_file_that_is_not_there_yet(cluster: MemoryCluster, tmp_path: Path, there: bool) -> None:
    if there:
        applied(cluster, everything(tmp_path), apply=True)
    told = options(tmp_path, NAMESPACE, DEFINITION, CONFIG, workload(), CUP)
    (tmp_path / "password").unlink()
    cluster.writes.clear()
    outcome = applied(cluster, wanted_of(told, True), apply=False)
    assert outcome.changed is not there
    assert cluster.writes == []
    with pytest.raises(MatchaError, match="cannot be read"):
        wanted_of(told, False)


def test_what_is_not_there_yet_is_shown_as_made(cluster: MemoryCluster, tmp_path: Path) -> None:
    outcome = applied(cluster, everything(tmp_path), apply=False)
    # Without what the server would add, since it cannot be asked about what lies in a namespace that is yet to come.
    assert outcome.after["Cup tea/big"] == {**CUP, "metadata": {**CUP["metadata"], "labels": {"part-of": "matcha"}}}
    assert len(outcome.after) == 6
    assert not outcome.before
    assert cluster.store == {}


def test_a_plan_asks_the_server_what_it_thinks(cluster: MemoryCluster, tmp_path: Path) -> None:
    cluster.put(NAMESPACE)

    def refuses(item: dict[str, Any], **_options: Any) -> dict[str, Any]:
        raise KubernetesError(f"Trying {item['kind']}", "spec.replicas: must be positive", 422, "Invalid")

    cluster.apply = refuses  # type: ignore[method-assign]
    with pytest.raises(KubernetesError, match="must be positive"):
        applied(cluster, wanted_of(options(tmp_path, workload(-1)), False), apply=False)


def test_without_a_cluster_all_is_shown_as_made(cluster: MemoryCluster, tmp_path: Path) -> None:
    cluster.reachable = False
    found = applied(cluster, everything(tmp_path), apply=False).result()
    assert found["changed"]
    assert found["planned"]
    assert "there is no cluster to ask" in found["msg"]
    assert len(found["diff"]["after"]) == 6
    # Ansible would take this for a host that cannot be reached.
    assert "unreachable" not in found
    with pytest.raises(UnreachableError):
        applied(cluster, everything(tmp_path), apply=True)


def test_a_namespace_must_be_there(cluster: MemoryCluster) -> None:
    with pytest.raises(KubernetesError, match="Make the namespace first"):
        applied(cluster, [Wanted(CONFIG)], apply=True)
    assert applied(cluster, [Wanted(CONFIG)], apply=False).changed


def test_a_kind_must_be_there(cluster: MemoryCluster) -> None:
    cluster.put(NAMESPACE)
    with pytest.raises(KubernetesError, match=r"there is no kind Cup of tea\.example/v1.*is installed"):
        applied(cluster, [Wanted(CUP)], apply=True)


def test_nothing_is_written_beyond_the_fence(tmp_path: Path) -> None:
    def fence() -> None:
        raise LockError("This run does not hold the lock any more.")

    cluster = MemoryCluster(fence)
    with pytest.raises(LockError):
        applied(cluster, everything(tmp_path), apply=True)
    assert cluster.store == {}


def test_an_object_on_its_way_out_is_made_anew(cluster: MemoryCluster) -> None:
    cluster.put(NAMESPACE)
    old = cluster.put(CONFIG)
    old["metadata"]["deletionTimestamp"] = "now"
    looks = iter(range(3))
    read = cluster.read

    def gone_after_a_while(item: dict[str, Any]) -> dict[str, Any] | None:
        if item["kind"] == "ConfigMap" and next(looks, None) is None:
            cluster.store.pop("v1/ConfigMap/in-tea/tea", None)
        return read(item)

    cluster.read = gone_after_a_while  # type: ignore[method-assign, assignment]
    outcome = applied(cluster, [Wanted(CONFIG)], apply=True)
    assert outcome.changed
    assert outcome.objects[0]["metadata"]["uid"] != old["metadata"]["uid"]


def test_removal_is_in_reverse_order(cluster: MemoryCluster, tmp_path: Path) -> None:
    applied(cluster, everything(tmp_path), apply=True)
    cluster.writes.clear()
    assert removed(cluster, everything(tmp_path), False, 60, print).changed
    assert cluster.writes == []
    assert removed(cluster, everything(tmp_path), True, 60, print).changed
    assert cluster.writes[0].startswith("DELETE tea.example/v1/Cup")
    assert cluster.writes[-1] == "DELETE v1/Namespace/tea"
    assert cluster.store == {}
    assert not removed(cluster, everything(tmp_path), True, 60, print).changed


def test_a_removal_that_hangs_says_what_it_waits_for(cluster: MemoryCluster) -> None:
    cluster.put(NAMESPACE)
    held = cluster.put(CONFIG)
    held["metadata"]["finalizers"] = ["tea.example/cup"]
    said: list[str] = []
    with pytest.raises(UnreadyError, match=r"still there\. It waits for tea\.example/cup"):
        removed(cluster, [Wanted(CONFIG)], True, 5, said.append)
    assert said[0] == "waiting for the end of ConfigMap tea/tea"


def test_what_is_no_object_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MatchaError, match=r"needs apiVersion, kind and metadata\.name"):
        wanted_of(options(tmp_path, {"kind": "Tea"}), False)
