#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: role_assignment_info
short_description: Tell about role assignments
description:
  - Returns role assignments as Azure answers them. Changes nothing.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes.reads
  - matcha.mlops.azure
  - matcha.mlops.azure.info
options:
  scope:
    description:
      - Id of the resource, the resource group or the subscription.
    type: str
    required: true
  principal_id:
    description:
      - Only those of this principal, at the scope, above it and below it. Left out, all that count at the scope, those
        of the scopes above it among them.
    type: str
seealso:
  - module: matcha.mlops.role_assignment
"""

EXAMPLES = r"""
- name: Look at who may do what in a resource group
  matcha.mlops.role_assignment_info:
    scope: /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/matcha-resources
"""

RETURN = r"""
resources:
  description: The role assignments as Azure answers them, in Azure's spelling; empty if there is none.
  returned: success
  type: list
  elements: dict
"""

from ..module_utils.azure.kinds.role_assignment import RoleAssignment
from ..module_utils.azure.module import run_information


def main() -> None:
    spec = {"scope": {"type": "str", "required": True}, "principal_id": {"type": "str"}}
    run_information(RoleAssignment(), spec)


if __name__ == "__main__":
    main()
