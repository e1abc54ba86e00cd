# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record in the state what a role has made: see the module's documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from ..module_utils.errors import MatchaError
from ..module_utils.local.environment import prune
from ..module_utils.local.folder import Folder
from ..module_utils.stack.lock import LocalLock
from ..module_utils.stack.state import FileState, State
from ..plugin_utils.action import MatchaAction, deployment_of


class ActionModule(MatchaAction):
    """Record a component."""

    SPEC: ClassVar[dict[str, Any]] = {
        "component": {"type": "str", "required": True},
        "version": {"type": "str", "required": True},
        "outputs": {"type": "dict", "default": {}},
        "environment": {"type": "str", "required": True},
        "package": {"type": "str", "required": True},
        "configuration": {"type": "dict", "default": {}},
        "health_url": {"type": "str", "default": ""},
    }

    def act(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Write the component into the state, and say that it is done in this run."""
        deployment = deployment_of(task_vars)
        folder = Folder(Path(deployment["path"]))
        component = options.pop("component")
        part = {key: value for key, value in options.items() if value not in ("", {})}

        def change(state: State | None) -> State:
            if state is None:
                raise MatchaError(f"The state {folder.state} is gone: it was removed while this run was under way.")
            state["components"][component] = part
            return state

        store = FileState(folder.state)
        before = (store.read() or {}).get("components", {}).get(component)
        if not self._task.check_mode:
            with LocalLock(folder.path).working(deployment["run"]):
                store.update(change)
                prune(folder, component, [part["environment"]])
        return {
            "changed": before != part,
            "diff": {"before": before or {}, "after": part},
            "ansible_facts": {"matcha_recorded": {"run": deployment["run"]}},
        }
