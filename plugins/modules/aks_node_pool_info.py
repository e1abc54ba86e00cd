#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aks_node_pool_info
short_description: Tell about node pools of an AKS cluster
description:
  - Returns node pools of an AKS cluster as Azure answers them. Changes nothing.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes.reads
  - matcha.mlops.azure
  - matcha.mlops.azure.info
  - matcha.mlops.azure.in_cluster
requirements:
  - azure-mgmt-containerservice >= 41.0.0
seealso:
  - module: matcha.mlops.aks_node_pool
"""

EXAMPLES = r"""
- name: Look at all node pools
  matcha.mlops.aks_node_pool_info:
    resource_group: matcha-resources
    cluster_name: matcha-k8s
"""

RETURN = r"""
resources:
  description: The node pools as Azure answers them, in Azure's spelling; empty if there is none.
  returned: success
  type: list
  elements: dict
"""

from ..module_utils.azure.kinds.aks_node_pool import AksNodePool
from ..module_utils.azure.module import IN_CLUSTER, run_information


def main() -> None:
    run_information(AksNodePool(), IN_CLUSTER)


if __name__ == "__main__":
    main()
