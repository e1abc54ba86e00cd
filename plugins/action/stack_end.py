# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""End a run: say how each component fared, and free the lock. See the module's documentation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils.errors import MatchaError
from ..module_utils.stack.lock import LocalLock
from ..plugin_utils.action import MatchaAction, deployment_of, display


class ActionModule(MatchaAction):
    """End a run on a deployment."""

    SPEC: ClassVar[dict[str, Any]] = {"fact": {"type": "str", "default": ""}}

    def act(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Release the lock; fail unless every component that was to be reached has said that it is done."""
        deployment = deployment_of(task_vars)
        reports = self._reports(options["fact"], deployment, task_vars) if options["fact"] else {}
        # That of a plan is on nothing but its own folder.
        LocalLock(Path(deployment["path"])).release(deployment["run"])
        for component, report in reports.items():
            display.display(f"  {component}: {'not done' if report is None else 'done'}")
            for step in report or ():
                display.display(f"    {step['seconds']:6.2f} s  {step['name']}")
        missed = [component for component, report in reports.items() if report is None]
        done = ", ".join(component for component in reports if component not in missed) or "nothing"
        if missed:
            raise MatchaError(
                f"Not done: {', '.join(missed)}. Done: {done}. "
                f"If a task above failed, it says why; if none did, --limit left a component out. Then run this again: "
                f"it goes on from here."
            )
        return {"changed": False, "components": reports}

    @staticmethod
    def _reports(
        fact: str, deployment: Mapping[str, Any], task_vars: Mapping[str, Any]
    ) -> dict[str, list[dict[str, Any]] | None]:
        """Return the steps of each component that this run was to reach; None where its host has no fact of the run."""
        reports = {}
        for component in deployment["selected"]:
            host, hosts = f"matcha-{component}", task_vars["hostvars"]
            report = (hosts[host].get(fact) if host in hosts else None) or {}
            reports[component] = report.get("steps", []) if report.get("run") == deployment["run"] else None
        return reports
