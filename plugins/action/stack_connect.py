# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lead a user's clients to a deployment: see the module's documentation."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import SplitResult, urlsplit

from ..module_utils.files import make_private, read_text, write_atomically
from ..plugin_utils.action import MatchaAction, as_bool, display
from ..plugin_utils.cluster_access import CLUSTER_SPEC, cluster_access
from ..plugin_utils.forwards import closed, opened
from ..plugin_utils.outputs import MASK, Outputs, is_secret, recorded
from ..plugin_utils.place import PLACE_SPEC, Place, place_of

FOLDER, SCRIPT = "connections", "environment.sh"
# How a name in a cluster ends.
INSIDE = ".svc.cluster.local"
# What clients read, and the output that it is.
ENVIRONMENT = {
    "ZENML_STORE_URL": ("pipeline", "server-url"),
    "ZENML_STORE_API_KEY": ("pipeline", "server-api-key"),
    "MLFLOW_TRACKING_URI": ("experiment-tracker", "tracking-url"),
    "MLFLOW_TRACKING_USERNAME": ("experiment-tracker", "username"),
    "MLFLOW_TRACKING_PASSWORD": ("experiment-tracker", "password"),
    # Their clients read none.
    "CHROMA_URL": ("vector-database", "server-url"),
    "SELDON_BASE_URL": ("model-deployer", "base-url"),
    "DVC_REMOTE_URL": ("data-version-control", "remote-url"),
}


class ActionModule(MatchaAction):
    """Open ports where the addresses are inside a cluster, and say what to export."""

    SPEC: ClassVar[dict[str, Any]] = {
        **PLACE_SPEC,
        **CLUSTER_SPEC,
        "connect": {"type": "str", "default": ""},
        "show_sensitive": {"type": "str", "default": ""},
    }

    def act(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return the environment, with secrets masked."""
        place = place_of(options)
        folder = place.path / FOLDER
        if options["connect"] and not as_bool(options["connect"], "matcha_connect"):
            found = closed(folder, self._task.check_mode)
            display.display("The connections are closed." if found["changed"] else "No connection was open.")
            return {"changed": found["changed"], "environment": {}}
        state = place.read()
        outputs = recorded(state)
        ways = ways_into(outputs)
        changed, urls, warnings = False, {}, []
        if ways:
            if not self._task.check_mode:
                make_private(folder)
            access = cluster_access(options, place, state, folder, self._task.check_mode)
            done = opened(folder, access, ways, self._task.check_mode)
            changed, warnings = done["changed"], done.get("warnings", [])
            urls = {name: each["url"] for name, each in done["forwards"].items()}
        environment = environment_of(outputs, urls)
        return {
            "changed": self._tell(options, environment, place, folder / SCRIPT) or changed,
            "environment": {name: MASK if is_secret(value) else value for name, value in environment.items()},
            "warnings": warnings,
        }

    def _tell(self, options: Mapping[str, Any], environment: dict[str, Any], place: Place, script: Path) -> bool:
        """Print what to export, and put it with its secrets into a file for its owner alone; say if that is new."""
        show = as_bool(options["show_sensitive"], "matcha_show_sensitive")
        secrets = _reading(place, environment)
        lines = [f"export {name}={shlex.quote(value)}" for name, value in secrets.items()]
        text = "\n".join(lines) + "\n"
        new = read_text(script) != text
        if new and not self._task.check_mode:
            make_private(script.parent)
            write_atomically(script, text)
        shown = {name: MASK if is_secret(value) and not show else secrets[name] for name, value in environment.items()}
        for name, value in shown.items():
            display.display(f"export {name}={shlex.quote(value)}")
        display.display(f"All of it, with the secrets:  source {shlex.quote(str(script))}")
        return new


def inside(value: Any) -> SplitResult | None:
    """Return an address inside a cluster, taken apart; None for anything else."""
    parts = urlsplit(value) if isinstance(value, str) else None
    return parts if parts and (parts.hostname or "").endswith(INSIDE) else None


def ways_into(outputs: Outputs) -> dict[str, dict[str, Any]]:
    """Return the Services that addresses inside a cluster mean, by resource."""
    found = {}
    for resource, name in ENVIRONMENT.values():
        address = inside(outputs.get(resource, {}).get(name))
        if address:
            service, namespace = (address.hostname or "").removesuffix(INSIDE).split(".")
            found[resource] = {"namespace": namespace, "service": service, "port": address.port or 80}
    return found


def environment_of(outputs: Outputs, urls: Mapping[str, str]) -> dict[str, Any]:
    """Return the variables, with an open port in place of an address inside, and references in place of secrets."""
    found: dict[str, Any] = {}
    for variable, (resource, name) in ENVIRONMENT.items():
        value = outputs.get(resource, {}).get(name)
        if value is None:
            continue
        address = inside(value)
        found[variable] = urls[resource] + address.path if address and resource in urls else value
    return found


def _reading(place: Place, environment: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables with the values of secrets."""
    return {name: place.reveal(each) if is_secret(each) else str(each) for name, each in environment.items()}
