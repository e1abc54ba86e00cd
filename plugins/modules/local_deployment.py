#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: local_deployment
short_description: Start, stop or destroy a deployment on this machine
description:
  - Starts or stops every server of a deployment, or removes all that belongs to it.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.fence
options:
  state:
    description:
      - V(started) starts every server and waits until it is healthy.
      - V(stopped) stops every process. Data, secrets and ports stay.
      - V(absent) stops every process and removes every file of the deployment. Nothing brings its data back.
    type: str
    choices: [started, stopped, absent]
    required: true
"""

EXAMPLES = r"""
- name: Give the memory back
  matcha.mlops.local_deployment:
    state: stopped
"""

RETURN = r"""
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..module_utils.errors import MatchaError
from ..module_utils.local.deployment import destroy, start, stop
from ..module_utils.local.folder import Folder
from ..module_utils.module import run_module
from ..module_utils.stack.state import FileState

ARGUMENT_SPEC: dict[str, Any] = {
    "state": {"type": "str", "choices": ["started", "stopped", "absent"], "required": True},
}


def run(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Return the module's result."""
    folder = Folder(Path(params["deployment"]))
    if params["state"] == "absent":
        return destroy(folder, apply=not check_mode)
    if params["state"] == "stopped":
        return stop(folder, apply=not check_mode)
    state = FileState(folder.state).read()
    if state is None:
        raise MatchaError(f"There is no deployment in {folder.path}: run provision first.")
    return start(folder, state, apply=not check_mode)


def main() -> None:
    run_module(ARGUMENT_SPEC, run)


if __name__ == "__main__":
    main()
