#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aks_maintenance_configuration_info
short_description: Tell about maintenance configurations of an AKS cluster
description:
  - Returns maintenance configurations of an AKS cluster as Azure answers them. Changes nothing.
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
  - module: matcha.mlops.aks_maintenance_configuration
"""

EXAMPLES = r"""
- name: Look at all maintenance configurations
  matcha.mlops.aks_maintenance_configuration_info:
    resource_group: matcha-resources
    cluster_name: matcha-k8s
"""

RETURN = r"""
resources:
  description: The maintenance configurations as Azure answers them, in Azure's spelling; empty if there is none.
  returned: success
  type: list
  elements: dict
"""

from ..module_utils.azure.kinds.aks_maintenance import AksMaintenanceConfiguration
from ..module_utils.azure.module import IN_CLUSTER, run_information


def main() -> None:
    run_information(AksMaintenanceConfiguration(), IN_CLUSTER)


if __name__ == "__main__":
    main()
