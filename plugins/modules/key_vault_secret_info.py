#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: key_vault_secret_info
short_description: Tell about secrets of a key vault
description:
  - Returns secrets of a key vault, without their values. Changes nothing.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes.reads
  - matcha.mlops.azure
  - matcha.mlops.azure.vault
  - matcha.mlops.azure.info
options:
  name:
    description:
      - Name of the secret. All of the vault if left out.
    type: str
  tags:
    description:
      - Only those with all of these tags.
    type: dict
seealso:
  - module: matcha.mlops.key_vault_secret
"""

EXAMPLES = r"""
- name: See when secrets expire
  matcha.mlops.key_vault_secret_info:
    vault_name: matcha-secrets
"""

RETURN = r"""
resources:
  description: The secrets as the vault answers them, without their values; empty if there is none.
  returned: success
  type: list
  elements: dict
"""

from ..module_utils.azure.kinds.key_vault_secret import KeyVaultSecret
from ..module_utils.azure.module import run_information


def main() -> None:
    spec = {
        "vault_name": {"type": "str"},
        "vault_uri": {"type": "str"},
        "name": {"type": "str"},
        "tags": {"type": "dict"},
    }
    run_information(KeyVaultSecret(), spec)


if __name__ == "__main__":
    main()
