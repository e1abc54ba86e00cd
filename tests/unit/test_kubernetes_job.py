# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Job runs once for each content, whatever interrupts it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from clusters import Clock, MemoryCluster

from ansible_collections.matcha.mlops.plugins.module_utils.errors import MatchaError
from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes import job, objects, wait
from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes.content import wanted_of
from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes.errors import UnreadyError
from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes.job import JobRun, report_of

if TYPE_CHECKING:
    from pathlib import Path

DEFINITION: dict[str, Any] = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "boil", "namespace": "tea"},
    "spec": {"template": {"spec": {"containers": [{"name": "boil", "image": "tea:1"}]}}},
}
SUCCEEDED = {"conditions": [{"type": "Complete", "status": "True"}]}
FAILED = {"conditions": [{"type": "Failed", "status": "True", "message": "no water"}]}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    for module in (job, objects, wait):
        monkeypatch.setattr(module, "time", found)
    return found


class Jobs(MemoryCluster):
    """Jobs end as they are told to, and their pods leave a log."""

    def __init__(self) -> None:
        super().__init__()
        self.outcome: dict[str, Any] = SUCCEEDED
        self.ran: list[str] = []
        self.controller = self._run
        self.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tea"}})

    def _run(self, item: dict[str, Any]) -> None:
        if item["kind"] != "Job":
            return
        name = item["metadata"]["name"]
        self.ran.append(name)
        item["status"] = self.outcome
        metadata = {"name": f"{name}-x", "namespace": "tea", "labels": {"job-name": name}}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": item["spec"]["template"]["spec"]}
        self.put(pod, phase="Succeeded")
        self.logs[f"/api/v1/namespaces/tea/pods/{name}-x/log?false"] = 'boiling for hunter22\n{"cups": 2}\n'

    def jobs(self) -> list[str]:
        return [each["metadata"]["name"] for each in self.list("batch/v1", "Job", "tea")]


@pytest.fixture
def cluster() -> Jobs:
    return Jobs()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("hunter22")
    return path


def run(cluster: Jobs, secret: Path, apply: bool = True, rerun: bool = False, **spec: Any) -> dict[str, Any]:
    definition = copy.deepcopy(DEFINITION)
    definition["spec"].update(spec)
    secrets = [{"name": "tea", "namespace": "tea", "labels": {}, "files": {"password": str(secret)}}]
    contents = wanted_of({"objects": [], "secrets": secrets, "config_maps": []}, not apply)
    return JobRun(cluster, definition, contents, 100, rerun=rerun).run(apply)


def test_once_for_each_content(cluster: Jobs, secret: Path) -> None:
    first = run(cluster, secret)
    assert first["ran"]
    assert first["succeeded"]
    assert first["log"] == 'boiling for (hidden)\n{"cups": 2}'
    assert first["report"] == {"cups": 2}
    assert cluster.find("Secret", "tea", "tea")
    again = run(cluster, secret)
    assert not again["ran"]
    assert again["report"] == {"cups": 2}
    secret.write_text("another one")
    assert run(cluster, secret)["ran"]
    assert len(cluster.ran) == 2
    assert cluster.jobs() == [cluster.ran[1]]


def test_again_if_that_is_asked_for(cluster: Jobs, secret: Path) -> None:
    for _ in range(2):
        assert run(cluster, secret, rerun=True)["ran"]
    assert len(cluster.ran) == 2
    assert len(cluster.jobs()) == 1


def test_one_under_way_is_waited_for(
    cluster: Jobs, secret: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """Also where it is to be run again: its task was killed."""
    cluster.outcome = {"active": 1}
    with pytest.raises(UnreadyError, match="Not ready within 100 s"):
        run(cluster, secret)

    def later(seconds: float) -> None:
        clock.now += seconds
        (name,) = cluster.jobs()
        found = cluster.find("Job", name, "tea", "batch/v1")
        assert found
        found["status"] = SUCCEEDED

    monkeypatch.setattr(clock, "sleep", later)
    assert run(cluster, secret, rerun=True)["report"] == {"cups": 2}
    assert len(cluster.ran) == 1


def test_one_that_failed_is_run_again(cluster: Jobs, secret: Path) -> None:
    cluster.outcome = FAILED
    with pytest.raises(UnreadyError, match="it failed: no water"):
        run(cluster, secret)
    cluster.outcome = SUCCEEDED
    assert run(cluster, secret)["ran"]
    assert len(cluster.ran) == 2


def test_another_content_waits_for_the_one_under_way(
    cluster: Jobs, secret: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    cluster.outcome = {"active": 1}
    with pytest.raises(UnreadyError):
        run(cluster, secret)
    (old,) = cluster.jobs()
    seen = []

    def later(seconds: float) -> None:
        clock.now += seconds
        seen.append(cluster.jobs())
        found = cluster.find("Job", old, "tea", "batch/v1")
        if found:
            found["status"] = SUCCEEDED

    monkeypatch.setattr(clock, "sleep", later)
    cluster.outcome = SUCCEEDED
    assert run(cluster, secret, backoffLimit=7)["ran"]
    # The new one did not begin before the old one had ended.
    assert seen == [[old]]
    assert old not in cluster.jobs()


def test_one_of_another_content_that_never_began_is_given_up(cluster: Jobs, secret: Path) -> None:
    cluster.outcome = {"active": 1}
    with pytest.raises(UnreadyError):
        run(cluster, secret)
    (old,) = cluster.jobs()
    cluster.outcome = SUCCEEDED
    assert run(cluster, secret, backoffLimit=7)["ran"]
    assert old not in cluster.jobs()


def test_one_that_is_removed_by_itself_is_remembered(cluster: Jobs, secret: Path) -> None:
    assert run(cluster, secret, ttlSecondsAfterFinished=1)["ran"]
    for name in cluster.jobs():
        cluster.store.pop(f"batch/v1/Job/in-tea/{name}")
    again = run(cluster, secret, ttlSecondsAfterFinished=1)
    assert not again["ran"]
    assert again["report"] == {"cups": 2}
    secret.write_text("another one")
    assert run(cluster, secret, ttlSecondsAfterFinished=1)["ran"]


def test_a_plan_writes_nothing(cluster: Jobs, secret: Path) -> None:
    cluster.writes.clear()
    plan = run(cluster, secret, apply=False)
    assert plan["ran"]
    assert plan["succeeded"] is None
    assert cluster.writes == []
    run(cluster, secret)
    assert not run(cluster, secret, apply=False)["ran"]
    # What the file will hold is not known, but it was there before.
    secret.unlink()
    assert not run(cluster, secret, apply=False)["ran"]


def test_a_plan_without_a_cluster(cluster: Jobs, secret: Path) -> None:
    cluster.reachable = False
    assert run(cluster, secret, apply=False)["ran"]


def test_what_is_no_job_is_refused(cluster: Jobs) -> None:
    with pytest.raises(MatchaError, match="must be of a Job"):
        JobRun(cluster, {**DEFINITION, "kind": "Pod"}, [], 1)


@pytest.mark.parametrize(
    ("text", "report"),
    [
        ("", {}),
        ("a\n{}\nb", {}),
        ('{"a": 1}\n{"b": 2}\n[3]\nend', {"b": 2}),
        ('{"a": 1} trailing', {}),
    ],
)
def test_a_report_is_the_last_object(text: str, report: dict[str, Any]) -> None:
    assert report_of(text) == report
