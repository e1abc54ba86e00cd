# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from textwrap import indent
from typing import ClassVar

# The options of a node pool, the same for the module of a pool and for a cluster's list of pools.
POOL = r"""
mode:
  description:
    - What the pool is for. A cluster has at least one pool of V(System). A new pool is V(User) if left out.
  type: str
  choices: [System, User, Gateway]
type:
  description:
    - How Azure keeps the nodes. A new pool has V(VirtualMachineScaleSets) if left out. Immutable.
  type: str
  choices: [VirtualMachineScaleSets, AvailabilitySet, VirtualMachines]
vm_size:
  description:
    - Size of the nodes. A new pool has C(Standard_DS3_v2) if left out. Immutable.
  type: str
count:
  description:
    - Number of nodes. With the autoscaler it is where a new pool begins, and means nothing later.
    - 1 in a new pool if left out.
  type: int
enable_auto_scaling:
  description:
    - Whether the autoscaler chooses the number of nodes.
  type: bool
min_count:
  description:
    - Lowest number of nodes with the autoscaler. 0 needs O(ignore:mode=User).
  type: int
max_count:
  description:
    - Highest number of nodes with the autoscaler.
  type: int
scale_down_mode:
  description:
    - What happens to nodes that are not needed.
  type: str
  choices: [Delete, Deallocate]
scale_set_priority:
  description:
    - V(Spot) nodes are cheap and can be taken away at any time. Immutable.
  type: str
  choices: [Regular, Spot]
scale_set_eviction_policy:
  description:
    - What happens to a spot node that is taken away. Immutable.
  type: str
  choices: [Delete, Deallocate]
spot_max_price:
  description:
    - Highest price of a spot node, in US dollars an hour; -1 is the price of a regular one. Immutable.
  type: float
gpu_profile:
  description:
    - Settings of nodes with GPUs.
  type: dict
  suboptions:
    driver:
      description:
        - Whether AKS installs the driver. Immutable.
      type: str
      choices: [Install, None]
gpu_instance_profile:
  description:
    - How a GPU is divided, such as C(MIG1g). Immutable.
  type: str
orchestrator_version:
  description:
    - Version of Kubernetes on the nodes; C(1.36) is any of its patch releases.
  type: str
os_type:
  description:
    - Operating system. A new pool has V(Linux) if left out. Immutable.
  type: str
  choices: [Linux, Windows]
os_sku:
  description:
    - Distribution, such as C(Ubuntu) or C(AzureLinux).
  type: str
os_disk_type:
  description:
    - Kind of the system disk. Immutable.
  type: str
  choices: [Managed, Ephemeral]
os_disk_size_gb:
  description:
    - Size of the system disk in GB; 0 is Azure's own default for the VM size. Immutable.
  type: int
kubelet_disk_type:
  description:
    - Where the kubelet keeps its data. Immutable.
  type: str
  choices: [OS, Temporary]
max_pods:
  description:
    - Most pods on one node; 0 is Azure's own default. Immutable.
  type: int
availability_zones:
  description:
    - Zones over which nodes are spread, such as C('1'). Immutable.
  type: list
  elements: str
vnet_subnet_id:
  description:
    - Id of the subnet of the nodes. Immutable.
  type: str
pod_subnet_id:
  description:
    - Id of the subnet of the pods. Immutable.
  type: str
enable_node_public_ip:
  description:
    - Whether each node has a public address. Immutable.
  type: bool
node_public_ip_prefix_id:
  description:
    - Id of the prefix from which the nodes' public addresses come. Immutable.
  type: str
enable_encryption_at_host:
  description:
    - Whether disks are encrypted on the host too. Immutable.
  type: bool
enable_ultra_ssd:
  description:
    - Whether ultra disks can be attached. Immutable.
  type: bool
enable_fips:
  description:
    - Whether the nodes use cryptography that is validated by FIPS.
  type: bool
proximity_placement_group_id:
  description:
    - Id of the proximity placement group. Immutable.
  type: str
capacity_reservation_group_id:
  description:
    - Id of the capacity reservation group. Immutable.
  type: str
node_labels:
  description:
    - Labels of the nodes; all of them.
  type: dict
node_taints:
  description:
    - Taints of the nodes, as C(key=value:NoSchedule); all of them.
  type: list
  elements: str
upgrade_settings:
  description:
    - How nodes are replaced in an upgrade.
  type: dict
  suboptions:
    max_surge:
      description:
        - Additional nodes during an upgrade, as a number or a percentage, such as C(33%).
      type: str
    max_unavailable:
      description:
        - Nodes that may be away during an upgrade, as a number or a percentage.
        - Azure takes one of the two, so that C(max_surge) has to be C(0) with it.
      type: str
    drain_timeout_in_minutes:
      description:
        - How long to wait for pods to leave a node.
      type: int
    node_soak_duration_in_minutes:
      description:
        - How long to wait after a node before the next.
      type: int
"""
TAGS = """
tags:
  description:
    - Tags of the pool; all of them.
  type: dict
"""


class ModuleDocFragment:
    """Options of a node pool of AKS."""

    # Annotated, since a linter of Ansible's takes every plain assignment for a literal.
    DOCUMENTATION: ClassVar[str] = "options:\n" + indent(POOL, "  ")
    # The list of pools in a cluster's module.
    PROFILES: ClassVar[str] = """
options:
  agent_pool_profiles:
    description:
      - Node pools. A pool that the task does not list stays as it is; to remove one, use M(matcha.mlops.aks_node_pool).
      - A new cluster needs one with V(System) as its mode.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Name of the pool.
        type: str
        required: true
""" + indent(POOL + TAGS, "      ")
