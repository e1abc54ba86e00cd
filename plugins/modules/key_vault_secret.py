#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: key_vault_secret
short_description: Manage a secret of a key vault
description:
  - Creates, changes, recovers or deletes a secret of a key vault.
  - Its value is compared with the present one, and a new version is added only if it is another. The value is neither
    in the result nor in the difference.
  - Where a secret of that name was deleted, it is recovered, and then made what the task says.
  - An owner of the vault has no right to its secrets by that alone. C(Key Vault Secrets Officer) is the role for this
    module. Azure takes minutes to act on a new grant of it.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.azure
  - matcha.mlops.azure.vault
  - matcha.mlops.azure.tags
  - matcha.mlops.fence
options:
  name:
    description:
      - Name of the secret, letters, digits and hyphens.
    type: str
    required: true
  value:
    description:
      - The value. A new secret needs it, or O(value_file).
      - The value of a disabled secret is not told by Azure. It is left alone until the secret is enabled.
    type: str
  value_file:
    description:
      - File with the value, where the module runs. It is taken as it is, the last newline among it, and must be UTF-8.
    type: path
  content_type:
    description:
      - What the value is, such as C(text/plain).
    type: str
  enabled:
    description:
      - Whether the value can be read. True for a new secret if left out.
    type: bool
  expires_on:
    description:
      - Until when the secret is valid, such as C(2027-01-31T12:00:00Z). Without an offset it is in UTC.
    type: str
  not_before:
    description:
      - From when on the secret is valid. Without an offset it is in UTC.
    type: str
  wait:
    description:
      - Whether to wait, up to O(timeout), for a right that was granted a moment ago. If not, a missing right
        (C(ForbiddenByRbac)) fails the task at once.
    type: bool
    default: false
  timeout:
    description:
      - How many seconds to wait at most, for this task as a whole.
    type: int
    default: 3600
  state:
    description:
      - Whether the secret is to be there. V(absent) deletes it so that it can be recovered.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: matcha.mlops.key_vault
  - module: matcha.mlops.key_vault_secret_info
"""

EXAMPLES = r"""
- name: Keep a password, right after the role was granted
  matcha.mlops.key_vault_secret:
    vault_name: matcha-secrets
    name: mlflow-password
    value: "{{ password }}"
    wait: true
    timeout: 900
"""

RETURN = r"""
resource:
  description:
    - The secret as the vault answers it, without its value.
  returned: if it is there
  type: dict
failure:
  description: What Azure refused with - its code, its message, the HTTP status and the correlation id.
  returned: on failure
  type: dict
"""

from ..module_utils.azure.kinds.key_vault_secret import KeyVaultSecret
from ..module_utils.azure.module import run_kind


def main() -> None:
    run_kind(KeyVaultSecret())


if __name__ == "__main__":
    main()
