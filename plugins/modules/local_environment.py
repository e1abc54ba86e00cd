#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: local_environment
short_description: Make a component's Python environment on this machine
description:
  - Makes a Python environment from a lock file with hashes, by C(uv), in the deployment's folder.
  - An environment that differs from its lock file is brought back to it. Another lock file, or another Python,
    gets a new environment beside the old one, which goes on running until the service is restarted.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.fence
options:
  name:
    description:
      - Name of the component.
    type: str
    required: true
  requirements:
    description:
      - Lock file, with hashes.
    type: path
    required: true
  package:
    description:
      - Package whose version is the component's.
    type: str
    required: true
  version:
    description:
      - Version that the lock file must hold. Not checked if empty.
    type: str
    default: ''
  python:
    description:
      - Interpreter to make the environment with. Python 3.11 or 3.12.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Install MLflow
  matcha.mlops.local_environment:
    name: mlflow
    package: mlflow
    requirements: "{{ role_path }}/files/requirements.txt"
    python: /usr/bin/python3.11
  register: environment
"""

RETURN = r"""
path:
  description: Folder of the environment.
  returned: success
  type: str
  sample: /srv/mlops/environments/mlflow-3.17.2-0a1b2c3d
version:
  description: Version of the component.
  returned: success
  type: str
  sample: 3.17.2
package:
  description: Package whose version it is.
  returned: success
  type: str
  sample: mlflow
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..module_utils.local.environment import converge
from ..module_utils.local.folder import Folder
from ..module_utils.module import run_module

ARGUMENT_SPEC: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "requirements": {"type": "path", "required": True},
    "package": {"type": "str", "required": True},
    "version": {"type": "str", "default": ""},
    "python": {"type": "path", "required": True},
}


def run(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Return the module's result."""
    result = converge(
        Folder(Path(params["deployment"])),
        params["name"],
        requirements=Path(params["requirements"]),
        package=params["package"],
        version=params["version"],
        python=params["python"],
        apply=not check_mode,
    )
    return {**result, "package": params["package"]}


def main() -> None:
    run_module(ARGUMENT_SPEC, run)


if __name__ == "__main__":
    main()
