# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record in the state what a role has made: see the module's documentation."""

from __future__ import annotations

from typing import Any, ClassVar

from ..module_utils.azure.auth import AUTH_SPEC
from ..module_utils.errors import MatchaError
from ..module_utils.stack.state import State
from ..plugin_utils.action import MatchaAction, deployment_of
from ..plugin_utils.place import place_in


class ActionModule(MatchaAction):
    """Record a component."""

    PART: ClassVar[dict[str, Any]] = {
        "version": {"type": "str", "default": ""},
        "outputs": {"type": "dict", "default": {}},
        "environment": {"type": "str", "default": ""},
        "package": {"type": "str", "default": ""},
        "configuration": {"type": "dict", "default": {}},
        "health_url": {"type": "str", "default": ""},
    }
    SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        "component": {"type": "str", "required": True},
        **PART,
        "resources": {"type": "list", "elements": "str", "default": []},
    }

    def act(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Write the component into the state, and say that it is done in this run."""
        deployment = deployment_of(task_vars)
        place = place_in(deployment, options)
        component = options["component"]
        part = {key: value for key in self.PART if (value := options[key]) not in ("", {})}
        before: State = {}

        def change(state: State | None) -> State:
            if state is None:
                raise MatchaError(
                    f"The state of '{place.prefix}' in {place.where} is gone: it was removed while this run was under "
                    f"way."
                )
            before.update(state, components=dict(state["components"]))
            if part:
                state["components"][component] = part
            return {**state, **added(state, options["resources"])}

        if not self._task.check_mode:
            with place.lock().working(deployment["run"]):
                place.store(deployment["run"]).update(change)
                if part:
                    place.recorded(component, part)
        elif deployment["exists"]:
            before.update(place.read())
        found = before.get("components", {}).get(component)
        new = added(before, options["resources"])
        return {
            "changed": (bool(part) and found != part) or any(before.get(key) != value for key, value in new.items()),
            "diff": {
                "before": {**(found or {}), **{key: before.get(key, []) for key in new}},
                "after": {**(part or found or {}), **new},
            },
            # Who only names resources has not done the component yet.
            **({"ansible_facts": {"matcha_recorded": {"run": deployment["run"]}}} if part else {}),
        }


def added(state: State, ids: list[str]) -> dict[str, list[str]]:
    """Return the inventory with these ids in it; nothing where there are none. Azure keeps no case."""
    if not ids:
        return {}
    known = {each.casefold(): each for each in [*ids, *state.get("resources", [])]}
    return {"resources": sorted(known.values(), key=str.casefold)}
