#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vault_secrets
short_description: Keep a deployment's generated secrets in a key vault
description:
  - Makes random secrets in a key vault, which is their place of record, and lays a copy of each into a file of its own
    in the run's folder that its owner alone can read. M(matcha.mlops.stack_end) removes the copies.
  - A secret that is there already is kept, and one that was deleted is recovered with its value. Where a copy differs
    from the vault, the vault is right; where the vault has none, a copy that is there goes into it. No value is ever an
    argument or a result.
  - A rotation takes two calls. The first puts a new value beside the old one, into a secret that ends with C(-new) and
    a file that ends with C(.new); once the component has it, the second, with O(state=promoted), puts it in the old
    one's place. So a rotation that was interrupted goes on with the next run.
  - In check mode nothing is made in the vault, and copies of what is there are laid into the plan's own folder, if the
    deployment exists.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.azure
  - matcha.mlops.azure.vault
  - matcha.mlops.fence
options:
  names:
    description:
      - Names of the secrets, of letters, digits and hyphens.
    type: list
    elements: str
    required: true
  rotate:
    description:
      - Those of O(names) that get a new value.
    type: list
    elements: str
    default: []
  wait:
    description:
      - Whether to wait, up to O(timeout), for a right that was granted a moment ago.
    type: bool
    default: true
  timeout:
    description:
      - How many seconds to wait at most, for this task as a whole.
    type: int
    default: 900
  state:
    description:
      - V(present) makes what is missing, V(promoted) ends a rotation.
    type: str
    choices: [present, promoted]
    default: present
seealso:
  - module: matcha.mlops.key_vault
  - module: matcha.mlops.local_secrets
"""

EXAMPLES = r"""
- name: Make MLflow's secrets
  matcha.mlops.vault_secrets:
    vault_name: "{{ matcha_platform.vault.name }}"
    names: [mlflow-password, mlflow-secret-key]
"""

RETURN = r"""
pending:
  description: Secrets that have a new value which their component does not know yet.
  returned: success
  type: list
  elements: str
  sample: [mlflow-password]
versions:
  description: The version of each secret, which is another one whenever its value is. Empty if it is yet to be made.
  returned: success
  type: dict
  sample: {mlflow-password: 4387e9f3d6e14c459867679a90fd0f79}
ansible_facts:
  description: Facts for those who use a secret that was replaced.
  returned: if O(state=promoted)
  type: dict
  contains:
    matcha_rotated:
      description: Always V(true).
      type: bool
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..module_utils.azure.arm import Arm
from ..module_utils.azure.auth import AUTH_SPEC, Auth
from ..module_utils.azure.kinds.key_vault_secret import KeyVaultSecret
from ..module_utils.azure.module import fence_of
from ..module_utils.azure.secrets import Vault, converge, promote
from ..module_utils.errors import MatchaError
from ..module_utils.local.folder import Folder
from ..module_utils.module import run_module

# Names of secrets: none of these is one.
ARGUMENT_SPEC: dict[str, Any] = {
    **AUTH_SPEC,
    "vault_name": {"type": "str"},
    "vault_uri": {"type": "str"},
    "names": {"type": "list", "elements": "str", "required": True},
    "rotate": {"type": "list", "elements": "str", "default": []},
    "wait": {"type": "bool", "default": True},
    "timeout": {"type": "int", "default": 900},
    "state": {"type": "str", "choices": ["present", "promoted"], "default": "present"},
}


def run(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Return the module's result."""
    KeyVaultSecret().check(params)
    if not params["deployment"]:
        raise MatchaError("There is no folder for copies of the secrets: run the role matcha.mlops.stack before.")
    arm = Arm(Auth.of(params), params["timeout"], fence_of(params))
    # The plan waits for nothing.
    vault = Vault(arm, {**params, "wait": params["wait"] and not check_mode})
    folder = Folder(Path(params["deployment"]))
    if params["state"] == "promoted":
        result = promote(vault, folder, params["names"], apply=not check_mode)
        result["ansible_facts"] = {"matcha_rotated": True}
    else:
        # A plan that has begun on a deployment has a folder of its own.
        copies = bool(params["run"]) or not check_mode
        result = converge(vault, folder, params["names"], params["rotate"], apply=not check_mode, copies=copies)
    return {**result, "warnings": arm.warnings}


def main() -> None:
    run_module(ARGUMENT_SPEC, run)


if __name__ == "__main__":
    main()
