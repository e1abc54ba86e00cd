#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: storage_account_info
short_description: Tell about storage accounts
description:
  - Returns storage accounts as Azure answers them. Changes nothing.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes.reads
  - matcha.mlops.azure
  - matcha.mlops.azure.info
  - matcha.mlops.azure.listed
requirements:
  - azure-mgmt-storage >= 25.0.0
seealso:
  - module: matcha.mlops.storage_account
"""

EXAMPLES = r"""
- name: Look at all storage accounts of a resource group
  matcha.mlops.storage_account_info:
    resource_group: matcha-resources
"""

RETURN = r"""
resources:
  description: The storage accounts as Azure answers them, in Azure's spelling; empty if there is none.
  returned: success
  type: list
  elements: dict
"""

from ..module_utils.azure.kinds.storage import StorageAccount
from ..module_utils.azure.module import run_information


def main() -> None:
    run_information(StorageAccount())


if __name__ == "__main__":
    main()
