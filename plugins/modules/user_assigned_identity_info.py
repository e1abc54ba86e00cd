#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: user_assigned_identity_info
short_description: Tell about user-assigned identities
description:
  - Returns user-assigned identities as Azure answers them. Changes nothing.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes.reads
  - matcha.mlops.azure
  - matcha.mlops.azure.info
  - matcha.mlops.azure.listed
seealso:
  - module: matcha.mlops.user_assigned_identity
"""

EXAMPLES = r"""
- name: Look at an identity
  matcha.mlops.user_assigned_identity_info:
    resource_group: matcha-resources
    name: matcha-mlflow
"""

RETURN = r"""
resources:
  description: The user-assigned identities as Azure answers them, in Azure's spelling; empty if there is none.
  returned: success
  type: list
  elements: dict
"""

from ..module_utils.azure.kinds.identity import UserAssignedIdentity
from ..module_utils.azure.module import run_information


def main() -> None:
    run_information(UserAssignedIdentity())


if __name__ == "__main__":
    main()
