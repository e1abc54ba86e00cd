#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: local_verification
short_description: Use a component as its clients do
description:
  - Runs a component's verification script, which uses the component, checks what comes back, and removes what it made.
  - Secrets are handed to it in a file that its owner alone can read, and that is removed again.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.fence
  - matcha.mlops.attributes.reads
options:
  script:
    description:
      - The script.
    type: path
    required: true
  python:
    description:
      - Interpreter of the environment that the client is in.
    type: path
    required: true
  environment:
    description:
      - Variables that the script needs.
    type: dict
    default: {}
  secrets:
    description:
      - Variables that the script needs, each with the name of the secret that is its value.
        See M(matcha.mlops.local_secrets).
    type: dict
    default: {}
  timeout:
    description:
      - How many seconds it may take.
    type: int
    default: 600
"""

EXAMPLES = r"""
- name: Verify Chroma
  matcha.mlops.local_verification:
    script: "{{ role_path }}/files/verify.py"
    python: /srv/mlops/environments/client/bin/python
    environment:
      CHROMA_URL: http://127.0.0.1:8000
"""

RETURN = r"""
component:
  description: The component.
  returned: success
  type: str
  sample: chroma
steps:
  description: What was done, with the seconds it took.
  returned: success
  type: list
  elements: dict
  sample: [{name: add vectors, seconds: 0.1}]
seconds:
  description: Seconds of all steps.
  returned: success
  type: float
  sample: 0.8
ansible_facts:
  description: Facts for M(matcha.mlops.stack_end).
  returned: success
  type: dict
  contains:
    matcha_verified:
      description: Token of the run in which the component was verified, and the same as C(steps).
      type: dict
      sample:
        run: 0a1b2c
        steps: [{name: add vectors, seconds: 0.1}]
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..module_utils.local.folder import Folder
from ..module_utils.local.verification import verify
from ..module_utils.module import run_module

ARGUMENT_SPEC: dict[str, Any] = {
    "script": {"type": "path", "required": True},
    "python": {"type": "path", "required": True},
    "environment": {"type": "dict", "default": {}},
    # Names of secrets, not their values.
    "secrets": {"type": "dict", "default": {}, "no_log": False},
    "timeout": {"type": "int", "default": 600},
}


def run(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Return the module's result."""
    if check_mode:
        done = {"run": params["run"], "steps": []}
        return {"changed": False, "steps": [], "seconds": 0.0, "ansible_facts": {"matcha_verified": done}}
    report = verify(
        Folder(Path(params["deployment"])),
        params["script"],
        python=params["python"],
        environment=params["environment"],
        secret_names=params["secrets"],
        timeout=params["timeout"],
    )
    done = {"run": params["run"], "steps": report["steps"]}
    return {"changed": False, **report, "ansible_facts": {"matcha_verified": done}}


def main() -> None:
    run_module(ARGUMENT_SPEC, run)


if __name__ == "__main__":
    main()
