# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module promises, tried on a cluster or a group: patience, repair, and nobody's change lost."""

from __future__ import annotations

import sys
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.matcha.mlops.plugins.module_utils.azure import arm, pipeline
from modules.cases import CLUSTER, GROUP
from modules.harness import ModuleError, changed_paths, run_module
from modules.meddling import Meddler
from simulator.arm import Answer
from simulator.faults import Faults

if TYPE_CHECKING:
    from modules.conftest import Azure

POT = "Microsoft.ContainerService/managedClusters/pot"
OPERATIONS = "/operations/[^/]+"


@pytest.fixture(autouse=True)
def _no_faults_yet(azure: Azure) -> None:
    azure.simulator.faults = Faults()


@pytest.fixture
def meddler(azure: Azure) -> Meddler:
    return Meddler(azure)


@pytest.fixture
def group(azure: Azure) -> None:
    run_module("resource_group", **GROUP)
    azure.forget()


@pytest.fixture
def cluster(azure: Azure, group: None) -> dict[str, Any]:  # noqa: ARG001
    made = run_module("aks_cluster", **CLUSTER)
    azure.forget()
    return dict(made["resource"])


def statuses(azure: Azure, method: str, path: str = POT) -> list[int]:
    """Return how the requests since `forget` were answered; 0 is a dropped connection."""
    return [each["status"] for each in azure.since() if each["method"] == method and each["path"].endswith(path)]


def ok(azure: Azure, **params: Any) -> None:
    azure.forget()
    result = run_module("aks_cluster", **params)
    assert not result["changed"], result["diff"]
    assert azure.writes() == []


@pytest.mark.usefixtures("cluster")
def test_somebody_elses_change_in_between_is_not_lost(azure: Azure, meddler: Meddler) -> None:
    def theirs() -> None:
        stored = meddler.resource(POT)
        stored["tags"] = {"theirs": "1"}
        stored["properties"]["autoScalerProfile"]["expander"] = "priority"
        stored["eTag"] = "another"

    meddler.before("PUT", POT, theirs)
    result = run_module("aks_cluster", **CLUSTER, tags={"ours": "1"})
    assert statuses(azure, "PUT") == [412, 200]
    assert result["resource"]["tags"] == {"ours": "1", "theirs": "1"}
    assert result["resource"]["properties"]["autoScalerProfile"]["expander"] == "priority"
    assert result["diff"]["after"] == {"tags": {"ours": "1", "theirs": "1"}}


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("fault", ["etag_mismatch", "another_operation"])
def test_a_busy_resource_is_waited_for(azure: Azure, fault: str) -> None:
    azure.simulator.faults.add(fault, method="PUT", path=f"{POT}$", times=2)
    assert run_module("aks_cluster", **CLUSTER, tags={"ours": "1"})["changed"]
    assert statuses(azure, "PUT") == [409, 409, 200]
    # Each try begins with what is there.
    assert statuses(azure, "GET")[:3] == [200, 200, 200]


@pytest.mark.usefixtures("cluster")
def test_a_refusal_that_does_not_pass_is_told_at_the_end_of_the_time(azure: Azure) -> None:
    azure.simulator.faults.add("another_operation", method="PUT", path=f"{POT}$", times=1000)
    with pytest.raises(ModuleError, match="Another operation on this") as error:
        run_module("aks_cluster", **CLUSTER, tags={"ours": "1"}, timeout=1)
    assert error.value.result["failure"]["code"] == "AnotherOperationInProgress"


@pytest.mark.usefixtures("cluster")
def test_a_resource_that_somebody_else_is_changing_is_waited_for_and_then_compared(
    azure: Azure, meddler: Meddler
) -> None:
    meddler.time_stands_still()
    run_module("aks_cluster", **CLUSTER, tags={"theirs": "1"}, wait=False)
    azure.forget()
    meddler.before("GET", POT, meddler.pass_time, nth=3)
    result = run_module("aks_cluster", **CLUSTER, tags={"theirs": "1"})
    assert not result["changed"]
    assert azure.writes() == []
    assert result["resource"]["properties"]["provisioningState"] == "Succeeded"
    assert len(statuses(azure, "GET")) == 4


@pytest.mark.usefixtures("cluster")
def test_without_wait_a_change_waits_for_somebody_elses_all_the_same(azure: Azure, meddler: Meddler) -> None:
    meddler.time_stands_still()
    run_module("aks_cluster", **CLUSTER, tags={"theirs": "1"}, wait=False)
    azure.forget()
    # Nothing to do: it is not waited for.
    assert not run_module("aks_cluster", **CLUSTER, wait=False)["changed"]
    meddler.before("GET", POT, meddler.pass_time, nth=2)
    result = run_module("aks_cluster", **CLUSTER, tags={"ours": "1"}, wait=False)
    assert result["changed"]
    assert statuses(azure, "PUT") == [200]
    assert result["resource"]["tags"] == {"ours": "1", "theirs": "1"}


@pytest.mark.usefixtures("cluster")
def test_check_mode_does_not_wait(azure: Azure, meddler: Meddler) -> None:
    meddler.time_stands_still()
    run_module("aks_cluster", **CLUSTER, tags={"theirs": "1"}, wait=False)
    azure.forget()
    plan = run_module("aks_cluster", check_mode=True, **CLUSTER, tags={"ours": "1"})
    assert plan["diff"]["after"] == {"tags": {"ours": "1", "theirs": "1"}}
    assert [each["method"] for each in azure.since()] == ["GET"]


@pytest.mark.usefixtures("group")
def test_a_task_that_did_not_wait_is_carried_on(azure: Azure, meddler: Meddler) -> None:
    meddler.time_stands_still()
    begun = run_module("aks_cluster", **CLUSTER, wait=False)
    assert begun["changed"]
    assert begun["resource"]["properties"]["provisioningState"] == "Creating"
    meddler.before("GET", POT, meddler.pass_time, nth=2)
    carried_on = run_module("aks_cluster", **CLUSTER)
    assert not carried_on["changed"]
    assert carried_on["resource"]["properties"]["provisioningState"] == "Succeeded"
    assert statuses(azure, "PUT") == [201]


@pytest.mark.usefixtures("group")
def test_a_task_whose_time_is_up_says_so_and_is_carried_on(azure: Azure, meddler: Meddler) -> None:
    meddler.time_stands_still()
    with pytest.raises(
        ModuleError, match=r"'pot': not done within 1 s, .* Run the task again, which carries on"
    ) as error:
        run_module("aks_cluster", **CLUSTER, timeout=1)
    assert error.value.result["failure"]["code"] == "Timeout"
    meddler.before("GET", POT, meddler.pass_time, nth=2)
    assert not run_module("aks_cluster", **CLUSTER)["changed"]
    assert statuses(azure, "PUT") == [201]


@pytest.mark.usefixtures("cluster")
def test_a_delete_is_carried_on(azure: Azure, meddler: Meddler) -> None:
    meddler.time_stands_still()
    absent = {"resource_group": "tea", "name": "pot", "state": "absent"}
    assert run_module("aks_cluster", **absent, wait=False)["changed"]
    meddler.before("GET", POT, meddler.pass_time, nth=2)
    assert run_module("aks_cluster", **absent)["resource"] is None
    assert statuses(azure, "DELETE") == [202]
    assert not run_module("aks_cluster", **absent)["changed"]


@pytest.mark.parametrize(
    ("fault", "state", "code"),
    [
        ("operation_failed", "Failed", "InternalOperationError"),
        ("operation_canceled", "Canceled", "OperationPreempted"),
    ],
)
@pytest.mark.usefixtures("group")
def test_an_operation_that_ends_badly_is_told_and_repaired(azure: Azure, fault: str, state: str, code: str) -> None:
    azure.simulator.faults.add(fault, path="managedClusters", options={"code": code, "message": "The leaves burned."})
    with pytest.raises(ModuleError) as error:
        run_module("aks_cluster", **CLUSTER)
    failure = error.value.result["failure"]
    assert (failure["code"], failure["message"]) == (code, "The leaves burned")
    assert failure["correlation_id"]
    sentence = f"The AKS cluster 'pot': The leaves burned ({code}, correlation id {failure['correlation_id']})."
    assert error.value.result["msg"] == sentence
    plan = run_module("aks_cluster", check_mode=True, **CLUSTER)
    azure.forget()
    repaired = run_module("aks_cluster", **CLUSTER)
    assert repaired["changed"]
    assert changed_paths(repaired["diff"]) == {"properties.provisioningState"}
    assert repaired["diff"]["before"] == {"properties": {"provisioningState": state}}
    assert plan["diff"] == repaired["diff"]
    assert statuses(azure, "PUT") == [200]
    assert repaired["resource"]["properties"]["provisioningState"] == "Succeeded"
    ok(azure, **CLUSTER)


@pytest.mark.usefixtures("group")
@pytest.mark.parametrize(
    ("fault", "answers"),
    [
        ("throttled_without_retry_after", [429, 201]),
        ("server_error", [500, 201]),
        ("drop_before", [0, 201]),
    ],
)
def test_a_write_that_came_to_nothing_is_sent_again(azure: Azure, fault: str, answers: list[int]) -> None:
    azure.simulator.faults.add(fault, method="PUT", path=f"{POT}$")
    assert run_module("aks_cluster", **CLUSTER)["changed"]
    assert statuses(azure, "PUT") == answers
    ok(azure, **CLUSTER)


@pytest.mark.usefixtures("cluster")
def test_a_network_that_comes_back_is_waited_for(azure: Azure) -> None:
    # The SDK itself gives up sooner.
    azure.simulator.faults.add("drop_before", method="PUT", path=f"{POT}$", times=8)
    assert run_module("aks_cluster", **CLUSTER, tags={"ours": "1"})["changed"]
    assert statuses(azure, "PUT") == [*[0] * 8, 200]


@pytest.mark.usefixtures("group")
def test_a_network_that_does_not_come_back_is_told_at_the_end_of_the_time(azure: Azure) -> None:
    azure.simulator.faults.add("drop_before", method="PUT", nth=0)
    with pytest.raises(ModuleError, match="'pot': Azure could not be reached"):
        run_module("aks_cluster", **CLUSTER, timeout=1)


def test_at_the_end_of_the_time_the_last_tries_come_at_once(slept: list[float]) -> None:
    retries = pipeline.Retries(arm.Deadline(0), pytest.fail)
    retries.sleep({"backoff": 3, "max_backoff": 30, "history": [1, 2]}, None)
    assert slept == []


def test_a_network_that_was_never_there_is_told(azure: Azure) -> None:
    azure.simulator.faults.add("drop_before", nth=0)
    with pytest.raises(ModuleError, match="'pot': Azure could not be reached"):
        run_module("aks_cluster", **CLUSTER, timeout=5)
    # The SDK's own tries, and no more.
    assert len(azure.log()) == 6


@pytest.mark.usefixtures("group")
def test_a_write_whose_answer_was_lost_is_not_made_twice(azure: Azure) -> None:
    azure.simulator.faults.add("drop_after", method="PUT", path=f"{POT}$")
    result = run_module("aks_cluster", **CLUSTER)
    # The second is refused while the first is under way, and then there is nothing left to do.
    assert statuses(azure, "PUT")[0] == 0
    assert not [status for status in statuses(azure, "PUT")[1:] if status < 300]
    assert result["changed"]
    assert result["resource"]["properties"]["provisioningState"] == "Succeeded"
    ok(azure, **CLUSTER)


@pytest.mark.usefixtures("group")
@pytest.mark.parametrize("fault", ["bad_gateway", "bad_gateway_html", "throttled_without_retry_after", "drop_before"])
def test_a_poll_that_goes_wrong_is_repeated(azure: Azure, meddler: Meddler, fault: str) -> None:
    meddler.time_stands_still()
    azure.simulator.faults.add(fault, method="GET", path=f"{OPERATIONS}$", times=2)
    meddler.before("GET", OPERATIONS, meddler.pass_time)
    assert run_module("aks_cluster", **CLUSTER)["changed"]
    assert statuses(azure, "PUT") == [201]
    assert len(azure.simulator.faults.happened) == 2


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the pauses that are asked for from now on; none is made."""
    found: list[float] = []
    monkeypatch.setattr(arm, "time", SimpleNamespace(monotonic=time.monotonic, sleep=found.append))
    return found


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_pause_beyond_the_time_is_told_at_once(
    azure: Azure, meddler: Meddler, slept: list[float], method: str
) -> None:
    meddler.time_stands_still()
    azure.simulator.faults.add("throttled", method=method, options={"retry_after": 7200})
    said = (
        r"a pause of 7200 s \(HTTP 429\), which is longer than what is left of this task's 600 s\. Run the task again"
    )
    with pytest.raises(ModuleError, match=said) as error:
        run_module("resource_group", **GROUP, timeout=600)
    assert error.value.result["failure"]["correlation_id"]
    assert slept == []
    assert len(azure.simulator.faults.happened) == 1


def test_a_long_pause_is_told(azure: Azure, meddler: Meddler, slept: list[float]) -> None:
    meddler.time_stands_still()
    azure.simulator.faults.add("throttled", method="GET", options={"retry_after": 42})
    azure.simulator.faults.add("throttled", method="GET", nth=2, options={"retry_after": 3})
    result = run_module("resource_group", **GROUP, timeout=600)
    assert result["changed"]
    assert result["warnings"] == ["Azure asked for a pause of 42 s (HTTP 429)."]
    assert slept[:2] == [42, 3]


def test_a_resource_provider_is_registered_when_it_is_needed(azure: Azure) -> None:
    run_module("resource_group", **GROUP)
    azure.simulator.unregister("Microsoft.ContainerService")
    azure.forget()
    assert run_module("aks_cluster", check_mode=True, **CLUSTER)["changed"]
    assert azure.writes() == []
    assert run_module("aks_cluster", **CLUSTER)["changed"]
    assert statuses(azure, "POST", "/providers/Microsoft.ContainerService/register") == [200]
    assert statuses(azure, "PUT") == [409, 201]


@pytest.mark.usefixtures("group")
def test_a_registration_that_does_not_help_is_told(meddler: Meddler) -> None:
    error = {"code": "MissingSubscriptionRegistration", "message": "The subscription is not registered."}
    meddler.always("PUT", POT, lambda: Answer(409, {"error": error}))
    with pytest.raises(ModuleError, match=r"not registered .* az provider register"):
        run_module("aks_cluster", **CLUSTER)


class NoAzure:
    """A Python without Azure's packages."""

    @staticmethod
    def find_spec(name: str, _path: Any = None, _target: Any = None) -> None:
        if name.partition(".")[0] == "azure":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.mark.usefixtures("azure")
@pytest.mark.parametrize("module", ["resource_group", "aks_cluster_info", "preflight"])
def test_without_the_sdk_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    for name in list(sys.modules):
        if name.partition(".")[0] == "azure" or name.endswith("module_utils.azure.pipeline"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [NoAzure, *sys.meta_path])
    options = {"resource_group": GROUP, "aks_cluster_info": {}, "preflight": {"location": "westeurope"}}
    with pytest.raises(ModuleError, match=r"package for Azure is missing .*: install azure-identity, "):
        run_module(module, **options[module])
