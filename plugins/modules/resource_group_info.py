#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: resource_group_info
short_description: Tell about resource groups
description:
  - Returns resource groups as Azure answers them. Changes nothing.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes.reads
  - matcha.mlops.azure
  - matcha.mlops.azure.info
options:
  name:
    description:
      - Name of the group. All if left out.
    type: str
  tags:
    description:
      - Only those that have these tags, with these values.
    type: dict
seealso:
  - module: matcha.mlops.resource_group
"""

EXAMPLES = r"""
- name: Look at all resource groups with a tag
  matcha.mlops.resource_group_info:
    tags:
      matcha: matcha
"""

RETURN = r"""
resources:
  description: The resource groups as Azure answers them, in Azure's spelling; empty if there is none.
  returned: success
  type: list
  elements: dict
"""

from ..module_utils.azure.kinds.resource_group import ResourceGroup
from ..module_utils.azure.module import run_information


def main() -> None:
    spec = {"name": {"type": "str"}, "tags": {"type": "dict"}}
    run_information(ResourceGroup(), spec)


if __name__ == "__main__":
    main()
