#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: local_service
short_description: Run a component's server on this machine
description:
  - Writes a server's configuration, has C(supervisor) run it, and waits until it is healthy.
  - It is restarted only if something about it differs, and alone. One that does not run, or does not answer, is
    started anew.
  - If its version differs from the one its data was last used with, its databases are copied first.
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
  version:
    description:
      - Version of the component.
    type: str
    required: true
  command:
    description:
      - Command and its arguments. It must stay in the foreground.
    type: list
    elements: str
    required: true
  environment:
    description:
      - Variables in the environment of the command.
    type: dict
    default: {}
  secrets:
    description:
      - Variables in the environment of the command, each with the name of the secret that is its value.
        See M(matcha.mlops.local_secrets).
    type: dict
    default: {}
  files:
    description:
      - Files of its configuration, each with its text, by their path below C(config/NAME) in the deployment's folder.
      - They are shown in differences, so no secret may be in them.
    type: dict
    default: {}
  folders:
    description:
      - Folders that must be there.
    type: list
    elements: path
    default: []
  databases:
    description:
      - SQLite databases that are copied into C(backups) before another version uses them.
    type: list
    elements: path
    default: []
  upgrade_command:
    description:
      - Command that brings the data to another version, with the same environment as C(command).
    type: list
    elements: str
    default: []
  health_url:
    description:
      - Address that answers with success once the server can be used.
    type: str
    required: true
  timeout:
    description:
      - How many seconds it may take to become healthy.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Run the Chroma server
  matcha.mlops.local_service:
    name: chroma
    version: 1.5.9
    command: [/srv/mlops/environments/chroma/bin/chroma, run, --path, /srv/mlops/data/chroma, --port, "8000"]
    health_url: http://127.0.0.1:8000/api/v2/heartbeat
"""

RETURN = r"""
configuration:
  description: SHA-256 of each file of the configuration, by its path in the deployment's folder.
  returned: success
  type: dict
  sample: {config/chroma/run: 0a1b2c}
backup:
  description: Folder with the copies of the databases, V(null) if none was made.
  returned: success
  type: str
  sample: /srv/mlops/backups/mlflow-3.14.0-20261124T120000.000000Z
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..module_utils.local.folder import Folder
from ..module_utils.local.service import Service, converge
from ..module_utils.module import run_module

ARGUMENT_SPEC: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "version": {"type": "str", "required": True},
    "command": {"type": "list", "elements": "str", "required": True},
    "environment": {"type": "dict", "default": {}},
    # Names of secrets, not their values.
    "secrets": {"type": "dict", "default": {}, "no_log": False},
    "files": {"type": "dict", "default": {}},
    "folders": {"type": "list", "elements": "path", "default": []},
    "databases": {"type": "list", "elements": "path", "default": []},
    "upgrade_command": {"type": "list", "elements": "str", "default": []},
    "health_url": {"type": "str", "required": True},
    "timeout": {"type": "int", "default": 300},
}


def run(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Return the module's result."""
    return converge(Folder(Path(params["deployment"])), Service.of(params), apply=not check_mode)


def main() -> None:
    run_module(ARGUMENT_SPEC, run)


if __name__ == "__main__":
    main()
