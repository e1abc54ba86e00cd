# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record that a deployment is being destroyed, and forget it: see the module's documentation."""

from __future__ import annotations

from typing import Any, ClassVar

from ..module_utils.azure.auth import AUTH_SPEC
from ..module_utils.errors import MatchaError
from ..module_utils.stack.state import State
from ..plugin_utils.action import MatchaAction, deployment_of
from ..plugin_utils.azure_place import AzurePlace
from ..plugin_utils.fenced import signs_of_life
from ..plugin_utils.place import place_in


class ActionModule(MatchaAction):
    """Forget a deployment."""

    SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        "state": {"type": "str", "choices": ["begun", "kept", "absent"], "required": True},
        "resource_group": {"type": "bool", "default": False},
        "components": {"type": "list", "elements": "str", "default": ["version", "configuration"]},
        "resources": {"type": "list", "elements": "str", "default": []},
    }

    def act(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Change the state, or remove it."""
        deployment = deployment_of(task_vars)
        place = place_in(deployment, options)
        if not isinstance(place, AzurePlace):
            raise MatchaError("stack_forget is for deployments on Azure: use matcha.mlops.local_deployment.")
        if not deployment["exists"]:
            return {"changed": False}
        if options["state"] == "absent":
            if not self._task.check_mode:
                with signs_of_life(f"{task_vars.get('inventory_hostname')}: {self._task.get_name()}"):
                    place.remove(deployment["run"], options["resource_group"], deployment["tags"])
            return {"changed": True, "diff": {"before": {"state": "present"}, "after": {"state": "absent"}}}
        before = place.read()
        after = begun(before) if options["state"] == "begun" else kept(before, options)
        if not self._task.check_mode:
            place.write(deployment["run"], after)
        return {"changed": after != before}


def begun(state: State) -> State:
    """Return the state of a deployment that is being destroyed."""
    return {**state, "destroying": True}


def kept(state: State, options: dict[str, Any]) -> State:
    """Return the state of a deployment of which nothing but data is left."""
    parts = {
        name: {key: value for key, value in part.items() if key in options["components"]}
        for name, part in state["components"].items()
    }
    found = {key: value for key, value in state.items() if key != "destroying"}
    return {
        **found,
        "components": {name: {**part, "kept": True} for name, part in parts.items() if part},
        "resources": sorted(options["resources"], key=str.casefold),
    }
