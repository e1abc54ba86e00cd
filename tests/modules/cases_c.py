# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lives of node pools and maintenance windows."""

from __future__ import annotations

from modules.harness import Case, Mutation

GROUP = {"name": "tea", "location": "westeurope"}
CLUSTER = {
    "resource_group": "tea",
    "name": "pot",
    "location": "westeurope",
    "agent_pool_profiles": [{"name": "system", "mode": "System", "vm_size": "Standard_DS3_v2", "count": 1}],
}
SETUP = [("resource_group", GROUP), ("aks_cluster", CLUSTER)]
IN_CLUSTER = {"resource_group": "tea", "cluster_name": "pot"}


def window(**options: object) -> dict[str, object]:
    return {"maintenance_window": options}


def upgrades(*names: str, **options: object) -> Mutation:
    return Mutation({"upgrade_settings": options}, {f"properties.upgradeSettings.{name}" for name in names})


def weekly(interval: int, day: str) -> dict[str, object]:
    return {"weekly": {"interval_weeks": interval, "day_of_week": day}}


WINDOW = "properties.maintenanceWindow"
SCHEDULE = f"{WINDOW}.schedule"
CASES = [
    Case(
        "aks_node_pool",
        {
            **IN_CLUSTER,
            "name": "green",
            "vm_size": "Standard_D4s_v5",
            "count": 1,
            "orchestrator_version": "1.35",
        },
        setup=SETUP,
        mutations=[
            Mutation({"count": 2}, {"properties.count"}),
            Mutation({"node_labels": {"leaf": "green"}}, {"properties.nodeLabels"}),
            Mutation({"node_taints": ["leaf=green:PreferNoSchedule"]}, {"properties.nodeTaints"}),
            Mutation({"tags": {"team": "tea"}}, {"properties.tags"}),
            Mutation({"scale_down_mode": "Deallocate"}, {"properties.scaleDownMode"}),
            Mutation({"os_sku": "AzureLinux"}, {"properties.osSKU"}),
            Mutation({"enable_fips": True}, {"properties.enableFIPS"}),
            Mutation({"orchestrator_version": "1.36"}, {"properties.orchestratorVersion"}),
            upgrades("maxSurge", max_surge="33%"),
            upgrades("drainTimeoutInMinutes", drain_timeout_in_minutes=45),
            upgrades("nodeSoakDurationInMinutes", node_soak_duration_in_minutes=5),
            # Azure takes one of the two, and so the other has to be 0.
            upgrades("maxSurge", "maxUnavailable", max_surge="0", max_unavailable="25%"),
            Mutation({"mode": "System"}, {"properties.mode"}),
            Mutation({"mode": "User"}, {"properties.mode"}),
            # The task goes on to name a count, which is the autoscaler's business from here on.
            Mutation(
                {"enable_auto_scaling": True, "min_count": 2, "max_count": 5},
                {"properties.enableAutoScaling", "properties.minCount", "properties.maxCount"},
            ),
            Mutation({"min_count": 0}, {"properties.minCount"}),
            Mutation({"state": "stopped"}, {"properties.powerState.code"}),
            Mutation({"state": "started", "max_count": 4}, {"properties.powerState.code", "properties.maxCount"}),
            # Its bounds go with the autoscaler, though the task goes on to name them.
            Mutation({"enable_auto_scaling": False, "count": 3}, {"properties.enableAutoScaling", "properties.count"}),
        ],
        immutable=[
            ({"vm_size": "Standard_D8s_v5"}, "vm_size is .*Make a pool of another name"),
            ({"os_type": "Windows"}, "os_type is .*Make a pool of another name"),
            ({"max_pods": 12}, "max_pods is .*Make a pool of another name"),
            ({"scale_set_priority": "Spot"}, "scale_set_priority is .*Make a pool of another name"),
        ],
        absent={**IN_CLUSTER, "name": "green"},
    ),
    # AKS adds a label and a taint of its own.
    Case(
        "aks_node_pool",
        {**IN_CLUSTER, "name": "spot", "scale_set_priority": "Spot", "node_taints": [], "node_labels": {}},
        setup=SETUP,
        mutations=[
            Mutation({"node_labels": {"leaf": "green"}}, {"properties.nodeLabels"}),
            Mutation({"node_taints": ["leaf=green:NoSchedule"]}, {"properties.nodeTaints"}),
            Mutation({"state": "stopped", "count": 5}, {"properties.powerState.code", "properties.count"}),
        ],
        immutable=[({"scale_set_priority": "Regular"}, "scale_set_priority is .*Make a pool of another name")],
        absent={**IN_CLUSTER, "name": "spot"},
    ),
    Case(
        "aks_maintenance_configuration",
        {
            **IN_CLUSTER,
            "name": "aksManagedAutoUpgradeSchedule",
            **window(schedule=weekly(2, "Sunday"), duration_hours=4, start_time="01:00"),
        },
        setup=SETUP,
        mutations=[
            Mutation(window(duration_hours=8), {f"{WINDOW}.durationHours"}),
            Mutation(window(utc_offset="+05:30", start_time="02:00"), {f"{WINDOW}.utcOffset", f"{WINDOW}.startTime"}),
            Mutation(window(start_date="2027-01-01"), {f"{WINDOW}.startDate"}),
            Mutation(
                window(not_allowed_dates=[{"start": "2027-12-20", "end": "2028-01-06"}]), {f"{WINDOW}.notAllowedDates"}
            ),
            Mutation(window(schedule=weekly(1, "Sunday")), {f"{SCHEDULE}.weekly.intervalWeeks"}),
            Mutation(window(schedule=weekly(1, "Saturday")), {f"{SCHEDULE}.weekly.dayOfWeek"}),
            # Another kind of schedule takes the place of the one that was there.
            Mutation(
                window(
                    schedule={"relative_monthly": {"interval_months": 1, "week_index": "Last", "day_of_week": "Friday"}}
                ),
                {f"{SCHEDULE}.weekly", f"{SCHEDULE}.relativeMonthly"},
            ),
            Mutation(
                window(schedule={"absolute_monthly": {"interval_months": 3, "day_of_month": 1}}),
                {f"{SCHEDULE}.relativeMonthly", f"{SCHEDULE}.absoluteMonthly"},
            ),
            Mutation(
                window(schedule={"daily": {"interval_days": 3}}), {f"{SCHEDULE}.absoluteMonthly", f"{SCHEDULE}.daily"}
            ),
        ],
        absent={**IN_CLUSTER, "name": "aksManagedAutoUpgradeSchedule"},
    ),
    Case(
        "aks_maintenance_configuration",
        {**IN_CLUSTER, "name": "default", "time_in_week": [{"day": "Monday", "hour_slots": [1, 2]}]},
        setup=SETUP,
        mutations=[
            Mutation({"time_in_week": [{"day": "Monday", "hour_slots": [1, 2, 10]}]}, {"properties.timeInWeek"}),
            Mutation({"time_in_week": [{"day": "Tuesday", "hour_slots": [1, 2, 10]}]}, {"properties.timeInWeek"}),
            Mutation(
                {"not_allowed_time": [{"start": "2026-12-20T03:00:00+00:00", "end": "2026-12-30T12:00:00Z"}]},
                {"properties.notAllowedTime"},
            ),
        ],
        absent={**IN_CLUSTER, "name": "default"},
    ),
]
