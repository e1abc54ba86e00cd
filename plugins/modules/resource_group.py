#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: resource_group
short_description: Manage a resource group
description:
  - Creates, changes or deletes a resource group.
  - B(Deleting a group deletes everything in it.) The module waits for that; if it takes longer than O(timeout), the
    message says what was in the group.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.azure
  - matcha.mlops.azure.state
  - matcha.mlops.azure.tags
  - matcha.mlops.fence
options:
  name:
    description:
      - Name of the group.
    type: str
    required: true
  location:
    description:
      - Region of the group itself; resources in it may be elsewhere. Needed for a new group. Immutable.
    type: str
  managed_by:
    description:
      - Id of the resource that manages the group. Immutable.
    type: str
seealso:
  - module: matcha.mlops.resource_group_info
"""

EXAMPLES = r"""
- name: Make a group
  matcha.mlops.resource_group:
    name: matcha-resources
    location: westeurope
    tags:
      matcha: matcha

- name: Delete it with all that is in it, without waiting for the end
  matcha.mlops.resource_group:
    name: matcha-resources
    state: absent
    wait: false
"""

RETURN = r"""
resource:
  description: The group as Azure answers it, in Azure's spelling.
  returned: if the resource is there
  type: dict
failure:
  description: What Azure refused with - its code, its message, the HTTP status and the correlation id.
  returned: on failure
  type: dict
"""

from ..module_utils.azure.kinds.resource_group import ResourceGroup
from ..module_utils.azure.module import run_kind


def main() -> None:
    run_kind(ResourceGroup())


if __name__ == "__main__":
    main()
