# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is particular to node pools and maintenance windows, beside their lives in `cases_c`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.matcha.mlops.plugins.module_utils.azure.kinds.aks_maintenance import same_instant
from modules.cases_c import IN_CLUSTER, SETUP
from modules.harness import ModuleError, run_module

if TYPE_CHECKING:
    from modules.conftest import Azure

WINDOW = {**IN_CLUSTER, "name": "aksManagedNodeOSUpgradeSchedule"}


@pytest.fixture
def pot(azure: Azure) -> Azure:
    """Return an Azure with a cluster."""
    for name, params in SETUP:
        run_module(name, **params)
    azure.forget()
    return azure


def pool(**options: Any) -> dict[str, Any]:
    return run_module("aks_node_pool", **IN_CLUSTER, **options)


def bodies(azure: Azure) -> list[dict[str, Any]]:
    """Return the properties that were sent since `forget`."""
    return [each["body"]["properties"] for each in azure.since() if each["method"] == "PUT"]


def window(**options: Any) -> dict[str, Any]:
    return run_module("aks_maintenance_configuration", **WINDOW, maintenance_window=options)


def test_a_pool_is_started_before_it_is_changed_and_stopped_after(pot: Azure) -> None:
    pool(name="green", count=1)
    pot.forget()
    pool(name="green", count=2, state="stopped")
    pool(name="green", count=3, state="started", node_labels={"leaf": "green"})
    sent = [(each["powerState"]["code"], "nodeLabels" in each) for each in bodies(pot)]
    assert sent == [("Running", False), ("Stopped", False), ("Running", False), ("Running", True)]


def test_no_bounds_without_the_autoscaler(pot: Azure) -> None:
    pool(name="green", enable_auto_scaling=True, min_count=1, max_count=3)
    pot.forget()
    pool(name="green", enable_auto_scaling=False)
    (sent,) = bodies(pot)
    assert not {"minCount", "maxCount"} & set(sent)
    # The same in a cluster's list of pools.
    listed = {"name": "green", "enable_auto_scaling": True, "min_count": 1, "max_count": 3}
    cluster = {**SETUP[1][1], "agent_pool_profiles": [listed]}
    run_module("aks_cluster", **cluster)
    pot.forget()
    run_module("aks_cluster", **{**cluster, "agent_pool_profiles": [{**listed, "enable_auto_scaling": False}]})
    (sent,) = bodies(pot)
    (green,) = [each for each in sent["agentPoolProfiles"] if each["name"] == "green"]
    assert not {"minCount", "maxCount"} & set(green)


def test_the_last_system_pool(pot: Azure) -> None:
    with pytest.raises(ModuleError, match=r"The node pool 'system' of the AKS cluster 'pot': .*at least one system"):
        pool(name="system", state="absent")
    del pot


@pytest.mark.usefixtures("pot")
def test_a_pool_waits_for_its_cluster() -> None:
    run_module("aks_cluster", **{**SETUP[1][1], "tags": {"team": "tea"}, "wait": False})
    assert pool(name="green", count=1)["changed"]
    assert pool(name="green", count=2, wait=False)["changed"]
    # What was begun is waited for.
    result = pool(name="green", count=2)
    assert not result["changed"]
    assert result["resource"]["properties"]["provisioningState"] == "Succeeded"


@pytest.mark.usefixtures("pot")
def test_what_is_told_of_pools_and_windows() -> None:
    pool(name="green", count=1)
    told = run_module("aks_node_pool_info", **IN_CLUSTER)["resources"]
    assert [each["name"] for each in told] == ["green", "system"]
    (one,) = run_module("aks_node_pool_info", **IN_CLUSTER, name="green")["resources"]
    assert one["properties"]["count"] == 1
    assert run_module("aks_node_pool_info", **IN_CLUSTER, name="black")["resources"] == []
    daily(3)
    told = run_module("aks_maintenance_configuration_info", **IN_CLUSTER)["resources"]
    assert [each["name"] for each in told] == [WINDOW["name"]]
    assert run_module("aks_maintenance_configuration_info", **IN_CLUSTER, name="default")["resources"] == []


def daily(interval: int) -> dict[str, Any]:
    return window(schedule={"daily": {"interval_days": interval}}, duration_hours=4, start_time="01:00")


def test_a_schedule_of_another_kind_takes_the_place_of_the_old_one(pot: Azure) -> None:
    daily(3)
    pot.forget()
    weekly = {"interval_weeks": 1, "day_of_week": "Monday"}
    diff = window(schedule={"weekly": weekly})["diff"]
    assert diff["before"]["properties"]["maintenanceWindow"] == {"schedule": {"daily": {"intervalDays": 3}}}
    (sent,) = bodies(pot)
    assert sent["maintenanceWindow"]["schedule"] == {"weekly": {"intervalWeeks": 1, "dayOfWeek": "Monday"}}
    # What the task does not name of a window stays.
    assert window(duration_hours=8)["resource"]["properties"]["maintenanceWindow"]["startTime"] == "01:00"


@pytest.mark.usefixtures("azure")
def test_two_schedules() -> None:
    with pytest.raises(ModuleError, match="has daily and weekly, and a window has one schedule"):
        window(schedule={"daily": {"interval_days": 3}, "weekly": {"interval_weeks": 1, "day_of_week": "Monday"}})


@pytest.mark.parametrize(
    ("wanted", "found", "same"),
    [
        ("2026-12-20T03:00:00Z", "2026-12-20T03:00:00+00:00", True),
        ("2026-12-20T05:00:00+02:00", "2026-12-20T03:00:00Z", True),
        ("2026-12-20 03:00:00", "2026-12-20T03:00:00Z", True),
        ("2026-12-20T03:00:01Z", "2026-12-20T03:00:00Z", False),
        ("soon", "2026-12-20T03:00:00Z", False),
        ("Soon", "soon", True),
    ],
)
def test_points_in_time(wanted: str, found: str, same: bool) -> None:
    assert same_instant(wanted, found) is same
