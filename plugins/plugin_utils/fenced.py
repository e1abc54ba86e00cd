# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action before every fenced module: it knows the run, and says what is being waited for.

A module cannot speak before it ends; this can.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils.errors import MatchaError
from .action import deployment_of

# Seconds between two signs of life.
INTERVAL = 15


def say_seconds(done: threading.Event, label: str) -> None:
    """Say every now and then that something is still at work."""
    begin = time.monotonic()
    while not done.wait(INTERVAL):
        Display().display(f"  {label}: {time.monotonic() - begin:.0f} s so far")


@contextmanager
def signs_of_life(label: str, report: Callable[[threading.Event, str], None] = say_seconds) -> Iterator[None]:
    """Let ``report`` say that something is still at work, until it is done."""
    done = threading.Event()
    threading.Thread(target=report, args=(done, label), daemon=True).start()
    try:
        yield
    finally:
        done.set()


class ReportingAction(ActionBase):
    """Run the module of the same name, and say every now and then that it is still at work."""

    _supports_check_mode = True
    _supports_diff = True

    def run_module(self, options: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """Return the module's result."""
        with signs_of_life(f"{variables.get('inventory_hostname')}: {self._task.get_name()}", self._report):
            found: dict[str, Any] = self._execute_module(
                module_name=self._task.action, module_args=options, task_vars=variables
            )
        return found

    @staticmethod
    def _report(done: threading.Event, label: str) -> None:
        say_seconds(done, label)


class FencedAction(ReportingAction):
    """Run the module of the same name, fenced by the deployment's lock."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Add the deployment and the run to the options, and run the module where Ansible runs."""
        result = super().run(tmp, task_vars)
        del tmp
        variables = dict(task_vars or {})
        options = dict(self._task.args)
        if not options.get("run"):
            try:
                deployment = deployment_of(variables)
            except MatchaError as error:
                return {**result, "failed": True, "msg": str(error)}
            options.update(deployment=deployment["path"], run=deployment["run"])
            # The packages that the modules need are beside Ansible.
            variables["ansible_python_interpreter"] = variables.get("ansible_playbook_python")
        result.update(self.run_module(options, variables))
        return dict(result)
