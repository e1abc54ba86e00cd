# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lock, guard, preflight, and the record that a deployment is being made: see the module's documentation."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Optional

from ..module_utils.errors import MatchaError
from ..module_utils.files import alone
from ..module_utils.local.environment import python_version
from ..module_utils.local.folder import Folder
from ..module_utils.local.ports import allocate, check_ports
from ..module_utils.stack.definition import Stack, choose, did_you_mean
from ..module_utils.stack.lock import LocalLock
from ..module_utils.stack.state import FileState, State, new_state, stack_of
from ..plugin_utils.action import PLACE_SPEC, MatchaAction, as_number, display, local_folder, read_deployment

# What a component's environment and first data take at most, in bytes, while nothing is shared with uv's cache.
SPACE = 800 * 2**20
LONGEST_WAIT = 86400
# In place of a run's token where nothing is locked.
NO_LOCK = "unlocked"

AskedPorts = dict[str, dict[str, Optional[int]]]


def selected(components: Iterable[str], task_vars: Mapping[str, Any]) -> list[str]:
    """Return the components that ``--tags`` and ``--skip-tags`` mean: all, unless a tag says otherwise.

    Tags that are no component's select none: they are those of a playbook around ours.
    """
    chosen = set(task_vars.get("ansible_run_tags") or ["all"])
    skipped = set(task_vars.get("ansible_skip_tags") or [])
    everything = bool(chosen & {"all", "tagged"})
    return [name for name in components if (everything or name in chosen) and name not in skipped]


class ActionModule(MatchaAction):
    """Begin a run on a deployment."""

    SPEC: ClassVar[dict[str, Any]] = {
        **PLACE_SPEC,
        "stack": {"type": "str", "default": ""},
        "stacks": {"type": "dict", "required": True},
        "components": {"type": "list", "elements": "str", "required": True},
        "ports": {"type": "dict", "default": {}},
        "python": {"type": "str", "default": ""},
        "rotate": {"type": "list", "elements": "str", "default": []},
        "passwords": {"type": "list", "elements": "str", "default": []},
        "purpose": {"type": "str", "required": True},
        "missing": {"type": "str", "choices": ["create", "fail", "ignore"], "default": "create"},
        "lock_timeout": {"type": "str", "default": ""},
    }

    def act(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return the fact ``matcha_deployment``."""
        python = options["python"] or task_vars.get("ansible_playbook_python") or ""
        folder = local_folder(options)
        for name in filter(None, options["rotate"]):
            if name not in options["passwords"]:
                known = did_you_mean(name, options["passwords"])
                raise MatchaError(f"matcha_rotate_passwords names '{name}', which has no password: {known}")
        ports = self._asked_ports(options)
        # What can be known without the lock is said without it, and leaves no trace.
        before = read_deployment(folder) if options["missing"] == "fail" else FileState(folder.state).read()
        stack = self._guard(options, folder, before)
        meant = selected(stack.components, task_vars)
        # With tags of a playbook around ours nothing is to be made.
        creates = options["missing"] == "create" and bool(meant)
        if creates:
            python_version(python)
            self._check_place(folder, stack, before)
        run, state = NO_LOCK, before
        if self._task.check_mode:
            self._warn_of_lock(folder)
            if creates:
                state = self._record(options, folder, stack, before, ports)
                check_ports(folder, state["ports"])
        elif creates or before is not None:
            run, before, state = self._take(options, folder, ports, creates)
        facts = {
            "exists": before is not None,
            "path": str(folder.path),
            "run": run,
            "target": options["target"],
            "prefix": folder.path.name,
            "home": str(folder.path.parent),
            "python": python,
            "stack": stack.name,
            "components": list(stack.components),
            "selected": meant,
            "ports": state["ports"] if state else {},
            "environments": {name: part["environment"] for name, part in (state or {}).get("components", {}).items()},
        }
        shown = ("stack", "ports")
        return {
            "changed": creates and state != before,
            "ansible_facts": {"matcha_deployment": facts},
            "diff": {
                name: {key: value for key, value in (found or {}).items() if key in shown}
                for name, found in (("before", before), ("after", state))
            },
        }

    def _asked_ports(self, options: dict[str, Any]) -> AskedPorts:
        return {
            component: {
                name: as_number(port, f"The port '{name}' of {component}", 1024, 65535) for name, port in names.items()
            }
            for component, names in options["ports"].items()
        }

    def _guard(self, options: dict[str, Any], folder: Folder, state: State | None) -> Stack:
        """Return the stack to work on. Raises ``MatchaError`` if the deployment's must not be touched."""
        recorded = stack_of(state) if state else None
        stack = choose(options["stack"], recorded, options["stacks"], options["components"], folder.path.name)
        if state and state["target"] != options["target"]:
            raise MatchaError(
                f"The deployment '{folder.path.name}' has the target '{state['target']}', and asked for was "
                f"'{options['target']}': {did_you_mean(state['target'], [state['target']])}"
            )
        if state and state.get("destroying") and options["missing"] != "ignore":
            raise MatchaError(
                f"A destroy of the deployment '{folder.path.name}' was interrupted, and a part of it is gone: run "
                f"destroy.yml again, then provision."
            )
        return stack

    def _check_place(self, folder: Folder, stack: Stack, state: State | None) -> None:
        """Raise ``MatchaError`` if the disk is full or the folder is not writable."""
        place = folder.path
        while not place.exists():
            place = place.parent
        if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
            raise MatchaError(
                f"{place} is not a folder that you can write to: make it one, or set matcha_home to another place."
            )
        new = set(stack.components) - set(state["components"] if state else ())
        free, wanted = shutil.disk_usage(place).free, SPACE * len(new)
        if free < wanted:
            raise MatchaError(
                f"{place} has {free / 2**30:.1f} GiB left, and {len(new)} components may need {wanted / 2**30:.1f}: "
                f"make room, or set matcha_home to another place."
            )

    def _warn_of_lock(self, folder: Folder) -> None:
        holder = LocalLock(folder.path).holder()
        if holder and holder.pid != os.getppid():
            display.warning(f"The deployment is locked by {holder}: what is shown here may change meanwhile.")

    def _take(
        self, options: dict[str, Any], folder: Folder, ports: AskedPorts, creates: bool
    ) -> tuple[str, State | None, State | None]:
        """Take the lock, look again, and record the deployment before anything of it is made.

        Returns the run's token, and the state before and after.
        """
        timeout = as_number(options["lock_timeout"], "matcha_lock_timeout", 0, LONGEST_WAIT) or 0
        lock = LocalLock(folder.path)
        holder = lock.holder()
        again = holder is not None and holder.pid == os.getppid()
        run = lock.acquire(options["purpose"], timeout, lambda text: display.display(f"  {text}"))
        store = FileState(folder.state)
        try:
            before = store.read()
            stack = self._guard(options, folder, before)
            if not creates:
                return run, before, before
            # Two first runs of different deployments may look for ports at the same time.
            with lock.working(run), alone(folder.path.parent):
                if not again:
                    check_ports(folder, self._record(options, folder, stack, before, ports)["ports"])
                # The roles of this run may be recording at the same time.
                return run, before, store.update(lambda now: self._record(options, folder, stack, now, ports))
        except MatchaError:
            if not again:
                lock.release(run)
            raise

    @staticmethod
    def _record(options: dict[str, Any], folder: Folder, stack: Stack, state: State | None, asked: AskedPorts) -> State:
        """Return the state of a deployment on which work begins."""
        needed = {component: asked.get(component, {}) for component in stack.components}
        found = dict(state or new_state(folder.path.name, options["target"], stack))
        return {**found, "ports": allocate(folder, needed, found["ports"])}
