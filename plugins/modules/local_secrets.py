#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: local_secrets
short_description: Keep a deployment's secrets on this machine
description:
  - Makes random secrets, each in a file of its own in the deployment's folder that its owner alone can read.
  - A secret that is there already is kept. No value is ever an argument or a result.
  - A rotation takes two calls. The first puts a new value beside the old one, in a file that ends with C(.new);
    once the component has it, the second, with O(state=promoted), puts it in the old one's place.
    So a rotation that was interrupted goes on with the next run.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.fence
options:
  names:
    description:
      - Names of the secrets.
    type: list
    elements: str
    required: true
  rotate:
    description:
      - Those of C(names) that get a new value.
    type: list
    elements: str
    default: []
  state:
    description:
      - V(present) makes what is missing, V(promoted) ends a rotation.
    type: str
    choices: [present, promoted]
    default: present
"""

EXAMPLES = r"""
- name: Make MLflow's secrets
  matcha.mlops.local_secrets:
    names: [mlflow-password, mlflow-secret-key]
"""

RETURN = r"""
pending:
  description: Secrets that have a new value which their component does not know yet.
  returned: success
  type: list
  elements: str
  sample: [mlflow-password]
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

from ..module_utils.local.folder import Folder
from ..module_utils.local.secrets import converge, promote
from ..module_utils.module import run_module

# Names of secrets: none of these is one.
ARGUMENT_SPEC: dict[str, Any] = {
    "names": {"type": "list", "elements": "str", "required": True},
    "rotate": {"type": "list", "elements": "str", "default": []},
    "state": {"type": "str", "choices": ["present", "promoted"], "default": "present"},
}


def run(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Return the module's result."""
    folder = Folder(Path(params["deployment"]))
    if params["state"] == "promoted":
        result = promote(folder, params["names"], apply=not check_mode)
        return {**result, "ansible_facts": {"matcha_rotated": True}}
    return converge(folder, params["names"], params["rotate"], apply=not check_mode)


def main() -> None:
    run_module(ARGUMENT_SPEC, run)


if __name__ == "__main__":
    main()
