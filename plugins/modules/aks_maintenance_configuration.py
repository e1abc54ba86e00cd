#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aks_maintenance_configuration
short_description: Manage a maintenance window of an AKS cluster
description:
  - Says when Azure may upgrade an AKS cluster by itself.
  - What the task does not name is left as it is; a schedule of another kind takes the place of the one that was there.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.azure
  - matcha.mlops.azure.state
  - matcha.mlops.fence
requirements:
  - azure-mgmt-containerservice >= 41.0.0
options:
  resource_group:
    description:
      - Resource group of the cluster.
    type: str
    required: true
  cluster_name:
    description:
      - Name of the cluster.
    type: str
    required: true
  name:
    description:
      - V(default) is for Azure's own weekly releases, V(aksManagedAutoUpgradeSchedule) for upgrades of Kubernetes,
        V(aksManagedNodeOSUpgradeSchedule) for updates of the nodes' system. Azure knows no other names.
    type: str
    choices: [default, aksManagedAutoUpgradeSchedule, aksManagedNodeOSUpgradeSchedule]
    required: true
  time_in_week:
    description:
      - Hours of the week in which maintenance may begin; all of them. For O(name=default).
    type: list
    elements: dict
    suboptions:
      day:
        description: Day of the week.
        type: str
        choices: [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday]
        required: true
      hour_slots:
        description: Hours of that day in UTC, from 0 to 23; each means the whole hour.
        type: list
        elements: int
        required: true
  not_allowed_time:
    description:
      - Times in which there is no maintenance; all of them. For O(name=default).
    type: list
    elements: dict
    suboptions:
      start:
        description: Beginning, such as C(2026-12-23T03:00:00Z). In UTC without an offset.
        type: str
        required: true
      end:
        description: End, in the same form.
        type: str
        required: true
  maintenance_window:
    description:
      - Window of the other two.
    type: dict
    suboptions:
      schedule:
        description:
          - How often it comes. Name one of them. A new window needs it.
        type: dict
        suboptions:
          daily:
            description: Every so many days.
            type: dict
            suboptions:
              interval_days:
                description: Days from one window to the next, from 1 to 7.
                type: int
                required: true
          weekly:
            description: Every so many weeks.
            type: dict
            suboptions:
              interval_weeks:
                description: Weeks from one window to the next, from 1 to 4.
                type: int
                required: true
              day_of_week:
                description: Day of the week.
                type: str
                choices: [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday]
                required: true
          absolute_monthly:
            description: Every so many months, at a date.
            type: dict
            suboptions:
              interval_months:
                description: Months from one window to the next, from 1 to 6.
                type: int
                required: true
              day_of_month:
                description: Day of the month, from 1 to 31.
                type: int
                required: true
          relative_monthly:
            description: Every so many months, at a day of the week.
            type: dict
            suboptions:
              interval_months:
                description: Months from one window to the next, from 1 to 6.
                type: int
                required: true
              week_index:
                description: Which week of the month.
                type: str
                choices: [First, Second, Third, Fourth, Last]
                required: true
              day_of_week:
                description: Day of the week.
                type: str
                choices: [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday]
                required: true
      duration_hours:
        description:
          - Length of the window, from 4 to 24 hours. A new window needs it.
        type: int
      start_time:
        description:
          - Time of the day at which it begins, as C(HH:MM), in quotes. A new window needs it.
        type: str
      utc_offset:
        description:
          - Offset of that time from UTC, such as C(+05:30), in quotes. Azure takes C(+00:00) if left out.
        type: str
      start_date:
        description:
          - First day on which the schedule counts, as C(YYYY-MM-DD). Azure takes today if left out.
        type: str
      not_allowed_dates:
        description:
          - Dates on which there is no maintenance; all of them.
        type: list
        elements: dict
        suboptions:
          start:
            description: First day, as C(YYYY-MM-DD).
            type: str
            required: true
          end:
            description: Last day, as C(YYYY-MM-DD).
            type: str
            required: true
seealso:
  - module: matcha.mlops.aks_cluster
    description: Its O(matcha.mlops.aks_cluster#module:auto_upgrade_profile) chooses the upgrades.
  - module: matcha.mlops.aks_maintenance_configuration_info
"""

EXAMPLES = r"""
- name: Upgrade Kubernetes on Sunday nights, every other week
  matcha.mlops.aks_maintenance_configuration:
    resource_group: matcha-resources
    cluster_name: matcha-k8s
    name: aksManagedAutoUpgradeSchedule
    maintenance_window:
      schedule:
        weekly:
          interval_weeks: 2
          day_of_week: Sunday
      duration_hours: 4
      start_time: "01:00"
      utc_offset: "+01:00"
      not_allowed_dates:
        - start: "2026-12-20"
          end: "2027-01-06"
"""

RETURN = r"""
resource:
  description: The maintenance configuration as Azure answers it, in Azure's spelling.
  returned: if it is there
  type: dict
failure:
  description: What Azure refused with - its code, its message, the HTTP status and the correlation id.
  returned: on failure
  type: dict
"""

from ..module_utils.azure.kinds.aks_maintenance import AksMaintenanceConfiguration
from ..module_utils.azure.module import run_kind


def main() -> None:
    run_kind(AksMaintenanceConfiguration())


if __name__ == "__main__":
    main()
