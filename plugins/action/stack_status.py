# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say how a deployment is: see the module's documentation."""

from __future__ import annotations

from typing import Any, ClassVar

from ..module_utils.errors import MatchaError
from ..module_utils.stack.definition import did_you_mean
from ..plugin_utils.action import MatchaAction, display
from ..plugin_utils.cluster_access import CLUSTER_SPEC
from ..plugin_utils.outputs import FORMATS, render
from ..plugin_utils.place import PLACE_SPEC, place_of


class ActionModule(MatchaAction):
    """Look at a deployment; takes no lock and changes nothing."""

    SPEC: ClassVar[dict[str, Any]] = {**PLACE_SPEC, **CLUSTER_SPEC, "format": {"type": "str", "default": ""}}

    def act(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Print the status and return it."""
        form = options["format"] or "text"
        if form not in FORMATS:
            raise MatchaError(f"matcha_output is '{form}': {did_you_mean(form, FORMATS)}")
        place = place_of(options)
        state = place.read()
        holder = place.holder()
        components = place.inspect(state, options)
        healthy = all(part["healthy"] for part in components.values())
        status = {
            "prefix": state["prefix"],
            "target": state["target"],
            "matcha_uuid": state["matcha_uuid"],
            "stack": state["stack"],
            "folder": str(place.path),
            "lock": str(holder) if holder else None,
            "destroying": bool(state.get("destroying")),
            "healthy": healthy,
            "drift": any(part["drift"] for part in components.values()),
            "components": components,
        }
        display.display(_text(status) if form == "text" else render(status, form).rstrip("\n"))
        return {"changed": False, "status": status}


def _text(status: dict[str, Any]) -> str:
    """Return the status as a person reads it: a line for each component, and one for each complaint."""
    stack = status["stack"]
    lines = [
        f"Deployment {status['prefix']}, stack {stack['name']}, target {status['target']}, in {status['folder']}",
        f"Lock: {status['lock'] or 'free'}",
    ]
    if status["destroying"]:
        lines.append("A destroy was interrupted: run destroy.yml again.")
    for name, part in status["components"].items():
        running = {True: "running", False: "not running", None: "no process"}[part["running"]]
        ports = ", ".join(f"{key} {port}" for key, port in part.get("ports", {}).items())
        words = [part.get("version", "-"), running, "healthy" if part["healthy"] else "not healthy", ports]
        lines.append(f"{name:<8} {words[0]:<10} {words[1]:<12} {words[2]:<12} {words[3]}".rstrip())
        lines += [f"         {text}" for text in [part.get("complaint"), *part["drift"]] if text]
    return "\n".join(lines)
