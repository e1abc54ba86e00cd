# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""End a run: say how each component fared, and free the lock. See the module's documentation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..module_utils.errors import MatchaError
from ..module_utils.stack.lock import LocalLock
from ..plugin_utils.action import MatchaAction, deployment_of, display


class ActionModule(MatchaAction):
    """End a run on a deployment."""

    SPEC = {"fact": {"type": "str", "default": ""}}

    def act(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Release the lock; fail unless every component that was to be reached has said that it is done."""
        deployment = deployment_of(task_vars)
        reports = self._reports(options["fact"], deployment, task_vars) if options["fact"] else {}
        if not self._task.check_mode:
            LocalLock(Path(deployment["path"])).release(deployment["run"])
        missed = [component for component, done in reports.items() if not done]
        for component, done in reports.items():
            display.display(f"  {component}: {'done' if done else 'not done'}")
        if missed:
            raise MatchaError(
                f"Not done: {', '.join(missed)}. Done: {', '.join(set(reports) - set(missed)) or 'nothing'}. If a task "
                f"above failed, it says why; if none did, --limit left a component out. Then run this again: "
                f"it goes on from here."
            )
        return {"changed": False, "components": list(reports)}

    @staticmethod
    def _reports(fact: str, deployment: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, bool]:
        """Return, for each component that this run was to reach, whether its host has the run's fact."""
        hosts = task_vars["hostvars"]
        return {
            name: f"matcha-{name}" in hosts and hosts[f"matcha-{name}"].get(fact) == deployment["run"]
            for name in deployment["selected"]
        }
