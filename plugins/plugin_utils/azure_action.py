# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action before every module for Azure: it says what is being waited for.

It works without a deployment, in anybody's playbook. Where the role ``stack`` began a run, the run's lock fences it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from .action import NO_LOCK
from .fenced import ReportingAction


class AzureInformation(ReportingAction):
    """Run the module of the same name where the SDKs are, and report."""

    # Options that the fact matcha_deployment answers.
    PLACE: ClassVar[tuple[str, ...]] = ("subscription_id",)

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Use Ansible's own Python on a local connection, if none is set."""
        result = super().run(tmp, task_vars)
        del tmp
        variables = dict(task_vars or {})
        if self._connection.transport == "local":
            self._use_own_python(variables)
        result.update(self.run_module(self.options(variables), variables))
        return dict(result)

    def options(self, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the module's options; where a run has begun, its subscription is meant if the task names none."""
        deployment = variables.get("matcha_deployment") or {}
        here = {key: deployment[key] for key in self.PLACE if deployment.get(key)}
        return {**here, **self._task.args}

    def _use_own_python(self, variables: dict[str, Any]) -> None:
        """Let the module run with Ansible's own Python, beside which its packages are, unless another one is set."""
        python = variables.get("ansible_playbook_python")
        host = self._task.delegate_to
        if host:
            delegated = dict(variables.get("ansible_delegated_vars") or {})
            delegated[host] = {"ansible_python_interpreter": python, **(delegated.get(host) or {})}
            variables["ansible_delegated_vars"] = delegated
        else:
            variables.setdefault("ansible_python_interpreter", python)


class AzureAction(AzureInformation):
    """The same for a module that changes something, which the run's lock fences, if there is a run."""

    def options(self, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the module's options, with the run."""
        options = super().options(variables)
        deployment = variables.get("matcha_deployment") or {}
        if deployment.get("run") and not options.get("run"):
            options["deployment"] = deployment["path"]
            # In a plan nothing is locked, and nothing written but what the plan itself needs.
            if deployment["run"] != NO_LOCK:
                options["run"] = deployment["run"]
        return options
