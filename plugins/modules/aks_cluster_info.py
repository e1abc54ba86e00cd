#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aks_cluster_info
short_description: Tell about AKS clusters
description:
  - Returns AKS clusters as Azure answers them. Changes nothing.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes.reads
  - matcha.mlops.azure
  - matcha.mlops.azure.info
  - matcha.mlops.azure.listed
requirements:
  - azure-mgmt-containerservice >= 41.0.0
seealso:
  - module: matcha.mlops.aks_cluster
"""

EXAMPLES = r"""
- name: Look at all AKS clusters of a resource group
  matcha.mlops.aks_cluster_info:
    resource_group: matcha-resources
"""

RETURN = r"""
resources:
  description: The AKS clusters as Azure answers them, in Azure's spelling; empty if there is none.
  returned: success
  type: list
  elements: dict
"""

from ..module_utils.azure.kinds.aks import AksCluster
from ..module_utils.azure.module import run_information


def main() -> None:
    run_information(AksCluster())


if __name__ == "__main__":
    main()
