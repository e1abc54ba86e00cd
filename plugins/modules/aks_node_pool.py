#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aks_node_pool
short_description: Manage a node pool of an AKS cluster
description:
  - Creates, changes, starts, stops or deletes one node pool of an AKS cluster.
  - What the task does not name is left as it is.
  - Where the pool or its cluster is being changed, the module waits for that first. A pool whose last operation failed
    or was cancelled is sent again.
  - Azure deletes neither the last pool with O(mode=System) nor any pool of a stopped cluster.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.azure
  - matcha.mlops.azure.wait
  - matcha.mlops.agent_pool
  - matcha.mlops.fence
requirements:
  - azure-mgmt-containerservice >= 41.0.0
options:
  state:
    description:
      - V(present) leaves the pool running or stopped, as it is. V(started) and V(stopped) make it so too.
      - V(started) starts the pool before it changes it. V(stopped) stops it when all else is done; Azure stops no pool
        with O(mode=System).
    type: str
    choices: [present, absent, started, stopped]
    default: present
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
      - Name of the pool, at most 12 lower-case letters and digits (6 for Windows), beginning with a letter.
    type: str
    required: true
  tags:
    description:
      - Tags of the pool; all of them.
    type: dict
seealso:
  - module: matcha.mlops.aks_cluster
  - module: matcha.mlops.aks_node_pool_info
"""

EXAMPLES = r"""
- name: Add GPU nodes that come when they are needed
  matcha.mlops.aks_node_pool:
    resource_group: matcha-resources
    cluster_name: matcha-k8s
    name: gpu
    vm_size: Standard_NC4as_T4_v3
    enable_auto_scaling: true
    min_count: 0
    max_count: 2
    node_taints:
      - sku=gpu:NoSchedule

- name: Remove them
  matcha.mlops.aks_node_pool:
    resource_group: matcha-resources
    cluster_name: matcha-k8s
    name: gpu
    state: absent
"""

RETURN = r"""
resource:
  description: The pool as Azure answers it, in Azure's spelling.
  returned: if the pool is there
  type: dict
failure:
  description: What Azure refused with - its code, its message, the HTTP status and the correlation id.
  returned: on failure
  type: dict
"""

from ..module_utils.azure.kinds.aks_node_pool import AksNodePool
from ..module_utils.azure.module import run_kind


def main() -> None:
    run_kind(AksNodePool())


if __name__ == "__main__":
    main()
