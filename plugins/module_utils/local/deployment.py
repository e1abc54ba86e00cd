# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A local deployment as a whole: started, stopped, destroyed, looked at."""

from __future__ import annotations

import hashlib
import shutil
import time
from pathlib import Path
from typing import Any

from ..errors import MatchaError
from ..stack import watcher
from ..stack.state import FileState, State
from .environment import installed_version
from .folder import Folder
from .health import complaint
from .processes import listeners, processes_of
from .service import answers
from .supervisor import RUNNING, Supervisor

# How long all components together may take to become healthy, in seconds.
PATIENCE = 300


def _services(state: State) -> dict[str, dict[str, Any]]:
    """Return what was recorded of each component that has a server."""
    return {name: part for name, part in state["components"].items() if part.get("health_url")}


def start(folder: Folder, state: State, apply: bool) -> dict[str, Any]:
    """Start supervisor and every program, then wait until all are healthy."""
    supervisor = Supervisor(folder)
    services = _services(state)
    before = {name: supervisor.process(name)["statename"] for name in services}
    stopped = [name for name, found in before.items() if found not in RUNNING]
    if apply and stopped:
        with supervisor.alone():
            start_one = supervisor.launch if supervisor.start() else supervisor.restart
            for name in stopped:
                start_one(name)
    if apply:
        _wait_for_all(folder, supervisor, services)
    after = {name: "RUNNING" if name in stopped else found for name, found in before.items()}
    return {"changed": bool(stopped), "diff": {"before": before, "after": after}}


def _wait_for_all(folder: Folder, supervisor: Supervisor, services: dict[str, dict[str, Any]]) -> None:
    deadline = time.monotonic() + PATIENCE
    waiting = dict(services)
    while waiting:
        for name, part in list(waiting.items()):
            if answers(folder, part["health_url"]):
                del waiting[name]
            elif supervisor.process(name)["statename"] not in RUNNING or time.monotonic() > deadline:
                raise MatchaError(f"{name} does not become healthy: see {folder.log(name)}, then run provision.")
        time.sleep(0.1 if waiting else 0)


def stop(folder: Folder, apply: bool) -> dict[str, Any]:
    """Stop every process of the deployment. Its data and its ports stay."""
    running = len(processes_of(folder.path))
    if apply and running:
        Supervisor(folder).stop()
    return {"changed": running > 0, "diff": {"before": {"processes": running}, "after": {"processes": 0}}}


def destroy(folder: Folder, apply: bool) -> dict[str, Any]:
    """Stop every process and remove every file of the deployment.

    The state goes last, and says from the beginning that this is under way: so a destroy that was
    interrupted can be run again, and nothing else begins before.
    """
    keep = {folder.state.name, watcher.LOCK, watcher.HOLDER, watcher.WORK}
    found = sorted(path.name for path in folder.path.iterdir()) if folder.path.is_dir() else []
    running = len(processes_of(folder.path))
    state = FileState(folder.state)
    changed = running > 0 or bool(set(found) - keep) or folder.state.exists()
    if apply and changed:
        if folder.state.exists():
            state.update(lambda now: {**(now or {}), "destroying": True})
        Supervisor(folder).stop()
        for name in found:
            if name not in keep:
                _remove(folder.path / name)
        folder.state.unlink(missing_ok=True)
    shown = {"processes": running, "files": [name for name in found if not name.startswith(("lock", "work"))]}
    return {"changed": changed, "diff": {"before": shown, "after": {"processes": 0, "files": []}}}


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def inspect(folder: Folder, state: State) -> dict[str, dict[str, Any]]:
    """Return, for each component of the stack: what is recorded, whether it runs and works, and what has drifted.

    ``drift`` is a list of sentences; empty where everything is as the last provision left it.
    """
    supervisor = Supervisor(folder)
    found: dict[str, dict[str, Any]] = {}
    for name in state["stack"]["components"]:
        part = state["components"].get(name)
        if part is None:
            found[name] = {
                "recorded": False,
                "running": None,
                "healthy": False,
                "drift": ["It is not provisioned yet."],
            }
            continue
        process = supervisor.process(name) if part.get("health_url") else None
        why = complaint(folder, name, part["outputs"])
        found[name] = {
            "recorded": True,
            "version": part["version"],
            "ports": state["ports"].get(name, {}),
            "running": process["statename"] == "RUNNING" if process else None,
            "healthy": not why,
            **({"complaint": why} if why else {}),
            "drift": _drift(folder, state, name, part, process),
        }
    return found


def _drift(folder: Folder, state: State, name: str, part: dict[str, Any], process: dict[str, Any] | None) -> list[str]:
    drift = []
    environment = Path(part["environment"])
    version = installed_version(environment, part["package"])
    if version is None:
        drift.append(f"Its environment {environment} is not complete.")
    elif version != part["version"]:
        drift.append(f"Version {version} is installed, and {part['version']} is recorded.")
    for file, digest in part.get("configuration", {}).items():
        path = folder.path / file
        if not path.exists():
            drift.append(f"{path} is missing.")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            drift.append(f"{path} was changed.")
    if process and process["pid"]:
        own = {found.pid for found in processes_of(folder.path)}
        ports = state["ports"].get(name, {}).values()
        listening = listeners(list(ports))
        drift += [f"It does not listen on port {port}." for port in ports if not listening.get(port, set()) & own]
    return drift
