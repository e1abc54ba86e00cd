# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lock, guard, preflight, and the record that a deployment is being made: see the module's documentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Optional

from ..module_utils.errors import MatchaError
from ..module_utils.stack.definition import Stack, choose, did_you_mean
from ..module_utils.stack.lock import controller
from ..module_utils.stack.state import PLANNED, State, stack_of
from ..plugin_utils.action import NO_LOCK, MatchaAction, as_number, display
from ..plugin_utils.fenced import signs_of_life
from ..plugin_utils.place import PLACE_SPEC, Place, place_of

LONGEST_WAIT = 86400
# What a difference shows of a state.
SHOWN = ("stack", "ports", "location", "resource_group")

Begun = tuple[str, Optional[State], Optional[State]]


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
        "location": {"type": "str", "default": ""},
        "tags": {"type": "dict", "default": {}},
        "adopt": {"type": "str", "default": ""},
    }

    def act(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return the fact ``matcha_deployment``."""
        options["python"] = options["python"] or task_vars.get("ansible_playbook_python") or ""
        place = place_of(options)
        for name in filter(None, options["rotate"]):
            if name not in options["passwords"]:
                known = did_you_mean(name, options["passwords"])
                raise MatchaError(f"matcha_rotate_passwords names '{name}', which has no password: {known}")
        place.check(options)
        check_mode = self._task.check_mode
        begun = None if check_mode else place.begun()
        creates = options["missing"] == "create"
        # What can be known without the lock is said without it, and leaves no trace.
        if begun:
            before: State | None = begun[1]
        else:
            before = place.read() if options["missing"] == "fail" else place.find(lenient=creates and not check_mode)
        stack = self._guard(options, place, before)
        meant = selected(stack.components, task_vars)
        # With tags of a playbook around ours nothing is to be made.
        creates = creates and bool(meant)
        run, state = NO_LOCK, before
        if begun:
            run = begun[0]
        elif check_mode:
            self._warn_of_lock(place)
            if creates:
                state = self._plan(options, place, stack, before)
            if before is not None:
                run = place.look() or NO_LOCK
        elif creates or before is not None:
            if creates:
                place.preflight(options, stack, before)
            with signs_of_life(f"{task_vars.get('inventory_hostname')}: {self._task.get_name()}"):
                run, before, state = self._take(options, place, creates)
        return {
            "changed": creates and state != before,
            "ansible_facts": {
                "matcha_deployment": {
                    "exists": before is not None,
                    "path": str(place.path),
                    "run": run,
                    "target": place.target,
                    "prefix": place.prefix,
                    "home": str(place.home),
                    "python": options["python"],
                    "stack": stack.name,
                    "components": list(stack.components),
                    "selected": meant,
                    **place.facts(state),
                }
            },
            "diff": {
                name: {key: value for key, value in (found or {}).items() if key in SHOWN}
                for name, found in (("before", before), ("after", state))
            },
        }

    @staticmethod
    def _guard(options: dict[str, Any], place: Place, state: State | None) -> Stack:
        """Return the stack to work on. Raises ``MatchaError`` if the deployment's must not be touched."""
        recorded = stack_of(state) if state else None
        stack = choose(options["stack"], recorded, options["stacks"], options["components"], place.prefix)
        if state and state["target"] != place.target:
            raise MatchaError(
                f"The deployment '{place.prefix}' has the target '{state['target']}', and asked for was "
                f"'{place.target}': {did_you_mean(state['target'], [state['target']])}"
            )
        if state and state.get("destroying") and options["missing"] != "ignore":
            raise MatchaError(
                f"A destroy of the deployment '{place.prefix}' was interrupted, and a part of it is gone: run "
                f"destroy.yml again, then provision."
            )
        return stack

    @staticmethod
    def _plan(options: dict[str, Any], place: Place, stack: Stack, before: State | None) -> State:
        """Return what the state would be."""
        place.preflight(options, stack, before)
        state = place.planned(options, stack, before)
        place.verify(state)
        return state if before else {**state, "matcha_uuid": PLANNED}

    @staticmethod
    def _warn_of_lock(place: Place) -> None:
        holder = place.holder()
        if holder and holder.pid != controller():
            display.warning(f"The deployment is locked by {holder}: what is shown here may change meanwhile.")

    def _take(self, options: dict[str, Any], place: Place, creates: bool) -> Begun:
        """Take the lock, look again, and record the deployment before anything of it is made.

        Returns the run's token, and the state before and after.
        """
        timeout = as_number(options["lock_timeout"], "matcha_lock_timeout", 0, LONGEST_WAIT) or 0

        def tell(text: str) -> None:
            display.display(f"  {text}")

        lock = place.lock()
        again = lock.held() is not None
        place.prepare(options, tell)
        run = lock.acquire(options["purpose"], timeout, tell)
        store = place.store(run)
        try:
            before = state = store.read() or place.find()
            stack = self._guard(options, place, before)
            if creates:
                with place.exclusively(run):
                    planned = place.planned(options, stack, before)
                    if not again:
                        place.verify(planned)
                    # The tags are the guard where the state is lost, so they come first.
                    place.settle(run, planned)
                    # The roles of this run may be recording at the same time.
                    state = store.update(lambda now: place.planned(options, stack, now or planned))
            elif before is not None:
                # What the lock is in may have been made anew just now.
                place.settle(run, before)
            place.remember(run, state)
        except MatchaError:
            if not again:
                lock.release(run)
            raise
        return run, before, state
