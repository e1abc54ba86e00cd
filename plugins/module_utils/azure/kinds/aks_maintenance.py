# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance configurations of AKS: when Azure may upgrade a cluster by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ...errors import MatchaError
from ..arm import Arm, explaining, plain
from ..kind import Kind, Params
from ..options import Change, Document, Option, camel, dig, same_text
from .aks_node_pool import place_of

NAMES = ("default", "aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SCHEDULE = ("properties", "maintenanceWindow", "schedule")


def instant(value: Any) -> datetime:
    """Return a point in time; without an offset it is in UTC. Raises ``ValueError``."""
    text = re.sub(r"[zZ]$", "+00:00", str(value))
    # Python before 3.11 wants the whole form.
    return datetime.fromisoformat(text if re.search(r"[+-]\d\d:\d\d$", text) else f"{text}+00:00")


def same_instant(wanted: Any, found: Any) -> bool:
    """Return whether two texts mean the same point in time: ``…Z`` is ``…+00:00``."""
    try:
        return instant(wanted) == instant(found)
    except ValueError:
        return same_text(wanted, found)


def span(**particular: Any) -> dict[str, Option]:
    """Return the options of a time from one point to another."""
    return {name: Option(required=True, **particular) for name in ("start", "end")}


SCHEDULES: dict[str, Option] = {
    "daily": Option("dict", options={"interval_days": Option("int", required=True)}),
    "weekly": Option(
        "dict",
        options={
            "interval_weeks": Option("int", required=True),
            "day_of_week": Option(choices=DAYS, required=True),
        },
    ),
    "absolute_monthly": Option(
        "dict",
        options={"interval_months": Option("int", required=True), "day_of_month": Option("int", required=True)},
    ),
    "relative_monthly": Option(
        "dict",
        options={
            "interval_months": Option("int", required=True),
            "week_index": Option(choices=("First", "Second", "Third", "Fourth", "Last"), required=True),
            "day_of_week": Option(choices=DAYS, required=True),
        },
    ),
}
OPTIONS: dict[str, Option] = {
    "resource_group": Option(azure="-", required=True),
    "cluster_name": Option(azure="-", required=True),
    "name": Option(azure="-", choices=NAMES, required=True),
    "time_in_week": Option(
        "list",
        azure="properties.timeInWeek",
        options={
            "day": Option(choices=DAYS, required=True),
            "hour_slots": Option("list", elements="int", required=True),
        },
    ),
    "not_allowed_time": Option("list", azure="properties.notAllowedTime", options=span(same=same_instant)),
    "maintenance_window": Option(
        "dict",
        azure="properties.maintenanceWindow",
        options={
            "schedule": Option("dict", options=SCHEDULES),
            "duration_hours": Option("int"),
            "start_time": Option(),
            "utc_offset": Option(absent=("+00:00",)),
            "start_date": Option(),
            "not_allowed_dates": Option("list", options=span()),
        },
    ),
}


def schedule_of(params: Params) -> str:
    """Return which of the schedules a task names; empty if none."""
    named = (params.get("maintenance_window") or {}).get("schedule") or {}
    return next((name for name, value in named.items() if value), "")


class AksMaintenanceConfiguration(Kind):
    """A maintenance configuration. Azure takes it at once, and whole."""

    noun = "maintenance configuration"
    path = (
        "{group}/providers/Microsoft.ContainerService/managedClusters/{cluster_name}/maintenanceConfigurations/{name}"
    )
    api_version = ""  # The SDK's own.
    options = OPTIONS
    patches = False

    def label(self, params: Params) -> str:
        """Return what messages call the configuration."""
        return f"{super().label(params)} of the AKS cluster '{params['cluster_name']}'"

    def read(self, arm: Arm, params: Params) -> Document | None:
        """Return the configuration."""
        get = arm.containers.maintenance_configurations.get
        found: Document | None = arm.ask(self.label(params), get, *place_of(params), params["name"])
        return found

    def listing(self, arm: Arm, params: Params) -> Iterator[Document]:
        """Yield the configurations of a cluster."""
        configurations = arm.containers.maintenance_configurations
        yield from arm.items(configurations.list_by_managed_cluster, *place_of(params))

    def put(self, arm: Arm, params: Params, body: Document, found: Document | None) -> Document | None:
        """Send the configuration with one schedule: a new kind of it takes the place of the old one."""
        wanted = schedule_of(params)
        schedule = dig(body, SCHEDULE)
        for name in list(schedule or ()) if wanted else ():
            if not same_text(name, camel(wanted)):
                del schedule[name]
        write = arm.containers.maintenance_configurations.create_or_update
        with explaining(self.label(params)):
            answer: Document = plain(write(*place_of(params), params["name"], body))
        return answer

    def delete(self, arm: Arm, params: Params) -> None:
        """Delete the configuration."""
        delete = arm.containers.maintenance_configurations.delete
        arm.ask(self.label(params), delete, *place_of(params), params["name"])

    def check(self, params: Params) -> None:
        """Refuse two schedules for one window."""
        named = (params.get("maintenance_window") or {}).get("schedule") or {}
        several = [name for name, value in named.items() if value]
        if len(several) > 1:
            raise MatchaError(
                f"maintenance_window.schedule has {' and '.join(several)}, and a window has one schedule: name one of "
                f"{', '.join(SCHEDULES)}."
            )

    def before(self, arm: Arm, params: Params, found: Document, check_mode: bool) -> list[Change]:
        """Tell of the schedule that another kind of one takes the place of."""
        wanted = schedule_of(params)
        there = dig(found, SCHEDULE) or {}
        gone = [name for name, value in there.items() if value and wanted and not same_text(name, camel(wanted))]
        return [Change((*SCHEDULE, name), there[name], None, "schedule", Option()) for name in gone]
