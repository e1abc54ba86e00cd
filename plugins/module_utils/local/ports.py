# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports on 127.0.0.1: found free once, recorded in the state, and kept."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Mapping

from ..errors import MatchaError
from .folder import Folder
from .processes import listeners, processes_of

# Above the well-known ones and below those that Linux gives to clients.
RANGE = range(20000, 32000)

Ports = dict[str, dict[str, int]]


def is_free(port: int) -> bool:
    """Return whether a server could listen on a port now."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _recorded_elsewhere(folder: Folder) -> set[int]:
    """Return the ports of the other deployments in the same home: they may be stopped now."""
    found: set[int] = set()
    for state in folder.path.parent.glob("*/state.json"):
        if state != folder.state:
            try:
                ports = json.loads(state.read_text(encoding="utf-8"))["ports"]
                found.update(port for named in ports.values() for port in named.values())
            except (OSError, ValueError, KeyError, AttributeError, TypeError):
                continue
    return found


def allocate(folder: Folder, needed: Mapping[str, Mapping[str, int | None]], recorded: Ports) -> Ports:
    """Return a port for each name of each component: the one asked for, else the recorded, else a free one.

    ``needed`` holds, by component and name, the port that is asked for, or None. Raises
    ``MatchaError`` for one that is asked for twice.
    """
    wanted = {(c, n): port or recorded.get(c, {}).get(n) for c, names in needed.items() for n, port in names.items()}
    taken = [port for port in wanted.values() if port]
    twice = sorted({port for port in taken if taken.count(port) > 1})
    if twice:
        raise MatchaError(f"Port {twice[0]} is asked for twice: give each component a port of its own.")
    used = _recorded_elsewhere(folder) | set(taken)
    # The same choice for the same folder: what check mode shows is what will be.
    candidates = random.Random(str(folder.path)).sample(RANGE, len(RANGE))  # noqa: S311
    free = (port for port in candidates if port not in used and is_free(port))
    found: Ports = {component: {} for component in needed}
    for (component, name), port in wanted.items():
        chosen = port or next(free, None)
        if chosen is None:
            raise MatchaError(f"No port between {RANGE.start} and {RANGE.stop - 1} is free: end some servers.")
        found[component][name] = chosen
    return found


def check_ports(folder: Folder, ports: Ports) -> None:
    """Raise ``MatchaError`` if one of a deployment's ports is taken by a process that isn't its own."""
    busy = {port: f"{c} ({n})" for c, names in ports.items() for n, port in names.items() if not is_free(port)}
    if not busy:
        return
    own = {process.pid for process in processes_of(folder.path)}
    for port, owners in listeners(busy).items():
        if not owners & own:
            owner = f"process {min(owners)}" if min(owners) else "another user's process"
            component = busy[port].split(" ", maxsplit=1)[0]
            raise MatchaError(
                f"Port {port}, recorded for {busy[port]}, is taken by {owner}: end that, or give {component} another "
                f"port (matcha_{component}_port)."
            )
