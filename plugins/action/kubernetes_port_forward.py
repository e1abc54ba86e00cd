# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep ports open that lead into a cluster: see the module's documentation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils.kubernetes.client import Access
from ..module_utils.kubernetes.module import ACCESS_SPEC
from ..plugin_utils.action import MatchaAction
from ..plugin_utils.forwards import closed, opened
from ..plugin_utils.kubernetes_action import with_cluster


class ActionModule(MatchaAction):
    """Start, find again, or end the process that keeps the ports."""

    SPEC: ClassVar[dict[str, Any]] = {
        **ACCESS_SPEC,
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "folder": {"type": "path", "required": True},
        "forwards": {"type": "dict", "default": {}},
    }

    def act(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return the open ports, and whether that changed anything."""
        folder = Path(os.path.expanduser(os.path.expandvars(options["folder"])))
        if options["state"] == "absent":
            return closed(folder, self._task.check_mode)
        access = Access.of(with_cluster(options, task_vars))
        return opened(folder, access, options["forwards"], self._task.check_mode)
