#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: container_registry_info
short_description: Tell about container registries
description:
  - Returns container registries as Azure answers them. Changes nothing.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes.reads
  - matcha.mlops.azure
  - matcha.mlops.azure.info
  - matcha.mlops.azure.listed
seealso:
  - module: matcha.mlops.container_registry
"""

EXAMPLES = r"""
- name: Look at all container registries of a resource group
  matcha.mlops.container_registry_info:
    resource_group: matcha-resources
"""

RETURN = r"""
resources:
  description: The container registries as Azure answers them, in Azure's spelling; empty if there is none.
  returned: success
  type: list
  elements: dict
"""

from ..module_utils.azure.kinds.registry import ContainerRegistry
from ..module_utils.azure.module import run_information


def main() -> None:
    run_information(ContainerRegistry())


if __name__ == "__main__":
    main()
