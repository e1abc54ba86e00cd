# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments on this machine, each in a folder of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..module_utils.errors import MatchaError
from ..module_utils.files import alone
from ..module_utils.local import secrets
from ..module_utils.local.deployment import inspect
from ..module_utils.local.environment import prune, python_version
from ..module_utils.local.folder import Folder
from ..module_utils.local.ports import allocate, check_ports
from ..module_utils.stack.definition import Stack
from ..module_utils.stack.lock import LocalLock
from ..module_utils.stack.state import FileState, State, StateStore, new_state
from .action import as_number
from .place import Options, Place

# What a component's environment and first data take at most, in bytes, while nothing is shared with uv's cache.
SPACE = 800 * 2**20


class LocalPlace(Place):
    """A folder."""

    target = "local"
    hint = "matcha_home"

    def __init__(self, options: Options) -> None:
        """Look at the path alone."""
        super().__init__(options)
        self.folder = Folder.of(options.get("home") or "", self.prefix)

    @property
    def path(self) -> Path:
        """The folder."""
        return self.folder.path

    @property
    def where(self) -> str:
        """The home."""
        return str(self.home)

    def find(self, lenient: bool = False) -> State | None:
        """Return what the file holds."""
        return self.store().read()

    def store(self, run: str = "") -> StateStore:
        """Return the file's store."""
        return FileState(self.folder.state)

    def lock(self) -> LocalLock:
        """Return the folder's lock."""
        return LocalLock(self.path)

    def check(self, options: Options) -> None:
        """Check the ports that are asked for."""
        self._asked(options)

    def _asked(self, options: Options) -> dict[str, dict[str, int | None]]:
        return {
            component: {
                name: as_number(port, f"The port '{name}' of {component}", 1024, 65535) for name, port in names.items()
            }
            for component, names in options["ports"].items()
        }

    def preflight(self, options: Options, stack: Stack, state: State | None) -> None:
        """Look for Python, a folder that can be written to, and space."""
        python_version(options["python"])
        place = self.path
        while not place.exists():
            place = place.parent
        if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
            raise MatchaError(
                f"{place} is not a folder that you can write to: make it one, or set matcha_home to another place."
            )
        new = set(stack.components) - set(state["components"] if state else ())
        free, wanted = shutil.disk_usage(place).free, SPACE * len(new)
        if free < wanted:
            raise MatchaError(
                f"{place} has {free / 2**30:.1f} GiB left, and {len(new)} components may need {wanted / 2**30:.1f}: "
                f"make room, or set matcha_home to another place."
            )

    def planned(self, options: Options, stack: Stack, state: State | None) -> State:
        """Return the state with a port for each server."""
        asked = self._asked(options)
        needed = {component: asked.get(component, {}) for component in stack.components}
        found = dict(state or new_state(self.prefix, self.target, stack))
        return {**found, "ports": allocate(self.folder, needed, found["ports"])}

    def verify(self, state: State) -> None:
        """Look whether the ports are free, or in our own hands."""
        check_ports(self.folder, state["ports"])

    @contextmanager
    def exclusively(self, run: str) -> Iterator[None]:
        """Let first runs of different deployments look for ports one after the other."""
        with super().exclusively(run), alone(self.home):
            yield

    def facts(self, state: State | None) -> dict[str, Any]:
        """Return ports and environments."""
        parts = (state or {}).get("components", {})
        return {
            "ports": state["ports"] if state else {},
            "environments": {name: part["environment"] for name, part in parts.items()},
        }

    def recorded(self, component: str, part: Mapping[str, Any]) -> None:
        """Remove environments of other versions."""
        prune(self.folder, component, [part["environment"]])

    def secret(self, name: str) -> str:
        """Read the secret's file."""
        return secrets.read(self.folder, name)

    def inspect(self, state: State, options: Options) -> dict[str, dict[str, Any]]:
        """Look at processes, ports, files and servers."""
        return inspect(self.folder, state)
