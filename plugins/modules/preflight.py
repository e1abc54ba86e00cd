#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight
short_description: See what would stop a provision on Azure, before anything is made
description:
  - Asks Azure everything that can be known beforehand, and returns one table of what passed and what did not, with what
    to do about it. Changes nothing.
  - Whether the credential signs in and sees its subscription is checked always, everything else if the task names it.
  - A question that Azure refuses to answer is a row that did not pass; the others are asked all the same.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes.reads
  - matcha.mlops.azure
  - matcha.mlops.azure.info
  - matcha.mlops.fence
options:
  location:
    description:
      - Region that must be the subscription's. Needed for O(vm_sizes).
    type: str
  providers:
    description:
      - Resource providers that must be registered, such as C(Microsoft.ContainerService).
    type: list
    elements: str
  vm_sizes:
    description:
      - Machines that are to be made, beside those that are there. Each size must be offered in the region to the
        subscription, and the quotas that they draw on must have room for all of them together.
    type: list
    elements: dict
    suboptions:
      size:
        description: Name of the size, such as C(Standard_DS3_v2).
        type: str
        required: true
      count:
        description: Number of machines; the highest one where a pool scales.
        type: int
        default: 1
      spot:
        description: Whether they are spot machines, which have a quota of their own.
        type: bool
        default: false
      zones:
        description: Zones in which the size must be offered.
        type: list
        elements: str
  node_pools:
    description:
      - Node pools, as in O(matcha.mlops.aks_cluster#module:agent_pool_profiles); their machines are added to
        O(vm_sizes), as many as there can be.
    type: list
    elements: dict
  names:
    description:
      - Names that all of Azure shares, and which must be free, or the subscription's own already.
    type: dict
    suboptions:
      storage_accounts:
        description: Names of storage accounts.
        type: list
        elements: str
      container_registries:
        description: Names of container registries.
        type: list
        elements: str
      key_vaults:
        description: Names of key vaults.
        type: list
        elements: str
      mysql_flexible_servers:
        description: Names of MySQL flexible servers.
        type: list
        elements: str
  resource_group:
    description:
      - Resource group in which a name must be that is the subscription's own already. Any if left out.
    type: str
  actions:
    description:
      - Actions that the credential's roles must grant at O(scope), such as
        C(Microsoft.Authorization/roleAssignments/write); each whole, without C(*).
      - Azure tells of all roles, custom ones and those of groups among them. It does not tell of deny assignments, nor
        of conditions on a grant.
    type: list
    elements: str
  data_actions:
    description:
      - Actions on data that the credential's roles must grant at O(scope), such as
        C(Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write).
    type: list
    elements: str
  scope:
    description:
      - Id of a subscription, a resource group or a resource. The subscription if left out. For one that is not there
        yet, the rights count that it will inherit.
    type: str
  endpoints:
    description:
      - Addresses as C(host:port) that must be reachable by TCP from where the module runs, such as that of a private
        API server. Proxies are not used.
    type: list
    elements: str
  endpoint_timeout:
    description:
      - How many seconds to wait for each of O(endpoints).
    type: int
    default: 5
  fail_on_error:
    description:
      - Whether the module fails if a check does not pass. The table is returned in any case.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: See whether the stack can be made
  matcha.mlops.preflight:
    location: westeurope
    providers:
      - Microsoft.ContainerService
      - Microsoft.Storage
    vm_sizes:
      - size: Standard_DS3_v2
        count: 3
    names:
      storage_accounts:
        - matchastore
    resource_group: matcha-resources
    actions:
      - Microsoft.ContainerService/managedClusters/write
      - Microsoft.Authorization/roleAssignments/write

- name: See whether a private API server can be reached from here
  matcha.mlops.preflight:
    endpoints:
      - "{{ cluster.resource.properties.privateFQDN }}:443"
    fail_on_error: false
  register: result
"""

RETURN = r"""
checks:
  description: The table.
  returned: always, unless the options are wrong
  type: list
  elements: dict
  contains:
    name:
      description: What was checked.
      type: str
    passed:
      description: Whether it passed.
      type: bool
    detail:
      description: What was found.
      type: str
    advice:
      description: What to do; empty if it passed.
      type: str
  sample:
    - name: size Standard_DS3_v2
      passed: true
      detail: 4 vCPUs, zones 1, 2, 3
      advice: ''
passed:
  description: Whether all of them passed.
  returned: always, unless the options are wrong
  type: bool
msg:
  description: The table as text.
  returned: always
  type: str
"""

from ..module_utils.azure.auth import AUTH_SPEC
from ..module_utils.azure.preflight import NAMES, run
from ..module_utils.module import run_module

TEXTS = {"type": "list", "elements": "str"}
SIZE = {
    "size": {"type": "str", "required": True},
    "count": {"type": "int", "default": 1},
    "spot": {"type": "bool", "default": False},
    "zones": TEXTS,
}


def main() -> None:
    spec = {
        "location": {"type": "str"},
        "providers": TEXTS,
        "vm_sizes": {"type": "list", "elements": "dict", "options": SIZE},
        "node_pools": {"type": "list", "elements": "dict"},
        "names": {"type": "dict", "options": {name: {**TEXTS, "no_log": False} for name in NAMES}},
        "resource_group": {"type": "str"},
        "actions": TEXTS,
        "data_actions": TEXTS,
        "scope": {"type": "str"},
        "endpoints": TEXTS,
        "endpoint_timeout": {"type": "int", "default": 5},
        "fail_on_error": {"type": "bool", "default": True},
        "timeout": {"type": "int", "default": 300},
    }
    run_module({**AUTH_SPEC, **spec}, run)


if __name__ == "__main__":
    main()
