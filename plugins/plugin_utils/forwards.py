# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep ports of this machine open that lead into a cluster, by a process of their own: see forwarder.py."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..module_utils import detached
from ..module_utils.errors import MatchaError
from ..module_utils.files import alone, write_atomically
from ..module_utils.kubernetes import forwarder
from ..module_utils.kubernetes.client import Access, Cluster
from ..module_utils.kubernetes.forward import HOST, Target, pod_behind


def _checked(name: str, told: Any) -> dict[str, Any]:
    """Return one forward. Raises ``MatchaError``."""
    try:
        local = told.get("local_port")
        found = {"namespace": str(told["namespace"]), "service": str(told["service"]), "port": int(told["port"])}
        return {**found, "local_port": int(local) if local else None}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MatchaError(f"The forward '{name}' needs namespace, service and port: {error} is wrong.") from error


def _record_of(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / forwarder.RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _alive(record: dict[str, Any]) -> bool:
    process = record.get("process") or {}
    return bool(process) and detached.alive(process)


def _serves(record: dict[str, Any], told: dict[str, Any]) -> bool:
    """Return whether a process that lives does just what is told, whichever ports it found."""
    if not _alive(record):
        return False
    there = {name: {**each, "local_port": None} for name, each in record["told"]["forwards"].items()}
    wanted = {name: {**each, "local_port": None} for name, each in told["forwards"].items()}
    ports = all(each["local_port"] in (None, record["ports"].get(name)) for name, each in told["forwards"].items())
    return bool(there == wanted and ports and record["told"]["access"] == told["access"])


def opened(folder: Path, access: Access, forwards: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Open what is told, by name, or find it open; return the ports. Raises ``MatchaError``."""
    told = {
        "folder": str(folder),
        "access": {**vars(access), "kubeconfig": os.path.expanduser(access.kubeconfig or "~/.kube/config")},
        "forwards": {name: _checked(name, each) for name, each in forwards.items()},
    }
    if check_mode:
        return {"changed": not _serves(_record_of(folder), told), "forwards": {}}
    with alone(folder):
        return _open(folder, told)


def _open(folder: Path, told: dict[str, Any]) -> dict[str, Any]:
    record = _record_of(folder)
    changed = not _serves(record, told)
    if changed:
        _end(record)
        ports = _started(told, record.get("ports") or {})
    else:
        ports = record["ports"]
    warnings = _troubles(told)
    forwards = {name: {"url": f"http://{HOST}:{port}", "port": port} for name, port in ports.items()}
    return {"changed": changed, "forwards": forwards, "warnings": warnings}


def _started(told: dict[str, Any], kept: dict[str, int]) -> dict[str, int]:
    """Start the process; it takes the ports that it had before, where they are free."""
    wanted = {
        name: {**each, "local_port": each["local_port"] or kept.get(name)} for name, each in told["forwards"].items()
    }
    answer = _start({**told, "forwards": wanted})
    if "error" in answer and wanted != told["forwards"]:
        # Somebody else has one of them by now.
        answer = _start(told)
    if "error" in answer:
        raise MatchaError(answer["error"])
    return dict(answer["ports"])


def _start(told: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-I", os.path.abspath(forwarder.__file__)]
    _process, line = detached.start(command, json.dumps(told))
    if not line:
        return {"error": f"The process that keeps the ports could not start: see that {sys.executable} has kubernetes."}
    return dict(json.loads(line))


def _end(record: dict[str, Any]) -> None:
    if _alive(record):
        detached.end(record["process"])


def closed(folder: Path, check_mode: bool) -> dict[str, Any]:
    """End the process, if there is one; return whether that changed anything."""
    record = _record_of(folder)
    changed = _alive(record)
    if changed and not check_mode:
        with alone(folder):
            _end(record)
            # The next time they are the same ones.
            write_atomically(folder / forwarder.RECORD, json.dumps({"ports": record.get("ports") or {}}))
    return {"changed": changed, "forwards": {}}


def _troubles(told: dict[str, Any]) -> list[str]:
    """Return which of them lead nowhere yet. Raises ``MatchaError`` where there is no cluster."""
    cluster = Cluster(Access(**told["access"]), patience=5)
    # One question first, so that a cluster that does not answer is not asked for each.
    cluster.resource("v1", "Service")
    found = []
    for each in told["forwards"].values():
        try:
            pod_behind(cluster, Target(each["namespace"], each["service"], each["port"]))
        except MatchaError as error:
            found.append(str(error))
    return found
