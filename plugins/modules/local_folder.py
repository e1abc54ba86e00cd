#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: local_folder
short_description: Make private folders of a deployment on this machine
description:
  - Makes folders, and those above them, that their owner alone can look into.
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.fence
options:
  paths:
    description:
      - The folders.
    type: list
    elements: path
    required: true
"""

EXAMPLES = r"""
- name: Make the folder of the remote
  matcha.mlops.local_folder:
    paths: [/srv/mlops/data/dvc]
"""

RETURN = r"""
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..module_utils.files import make_private
from ..module_utils.module import run_module
from ..module_utils.rest import is_private

ARGUMENT_SPEC: dict[str, Any] = {
    "paths": {"type": "list", "elements": "path", "required": True},
}


def run(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Return the module's result."""
    wrong = [path for path in params["paths"] if not (Path(path).is_dir() and is_private(path))]
    for path in wrong if not check_mode else ():
        make_private(Path(path))
        Path(path).chmod(0o700)
    return {
        "changed": bool(wrong),
        "diff": {
            "before": {path: "private" if path not in wrong else "absent or open" for path in params["paths"]},
            "after": dict.fromkeys(params["paths"], "private"),
        },
    }


def main() -> None:
    run_module(ARGUMENT_SPEC, run)


if __name__ == "__main__":
    main()
