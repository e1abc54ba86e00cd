# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes of a local deployment, known by a mark in their environment."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ..errors import MatchaError

if TYPE_CHECKING:
    import psutil

# Set in the environment of supervisor and so of all that it starts.
MARK = "MATCHA_DEPLOYMENT"
# How long a process may take to end before it is killed, in seconds.
PATIENCE = 10


def _psutil() -> ModuleType:
    try:
        import psutil
    except ImportError as error:
        raise MatchaError("The Python package psutil is missing: install the collection's requirements.txt.") from error
    return psutil


def processes_of(folder: Path) -> list[psutil.Process]:
    """Return every process of a deployment."""
    psutil = _psutil()
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(folder):
                found.append(process)
        except (psutil.Error, OSError):
            # Somebody else's, or it has ended.
            continue
    return found


def end_processes(folder: Path) -> bool:
    """End every process of a deployment; return whether there was one."""
    psutil = _psutil()
    deadline = time.monotonic() + PATIENCE
    told: set[int] = set()
    # One may start another while it ends. Those that have ended are not found, even where nobody reaps them.
    while found := processes_of(folder):
        late = time.monotonic() > deadline
        for process in found:
            try:
                if late:
                    process.kill()
                elif process.pid not in told:
                    process.terminate()
            except psutil.NoSuchProcess:
                continue
        told.update(process.pid for process in found)
        time.sleep(0.05)
    return bool(told)


def listeners(ports: Collection[int]) -> dict[int, set[int]]:
    """Return the processes that listen on each of these ports: 0 where the owner cannot be seen."""
    psutil = _psutil()
    found: dict[int, set[int]] = {}
    for connection in psutil.net_connections(kind="tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port in ports:
            found.setdefault(connection.laddr.port, set()).add(connection.pid or 0)
    return found
