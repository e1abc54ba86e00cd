# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deployment's state: one JSON document with a schema version and no secret in it.

::

    {"schema_version": 1, "matcha_uuid": "…", "prefix": "matcha", "target": "local",
     "created": "2026-11-24T12:00:00Z",
     "stack": {"name": "llm", "components": ["zenml", …]},
     "ports": {"zenml": {"http": 20231}, …},
     "components": {"zenml": {"version": "0.98.0", "outputs": {…}, …}, …}}

``components`` holds what each role recorded when it was done. ``destroying`` is there, and true,
from the moment on in which a destroy begins to remove things. On Azure there are also ``location``,
``subscription_id``, ``resource_group``, ``resource_group_created`` (whether it was made for this deployment),
``tags`` (those that a user asked for) and ``resources``, the ids of what was made.
"""

from __future__ import annotations

import json
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..errors import MatchaError
from ..files import alone, write_atomically
from .definition import Stack

SCHEMA_VERSION = 1
# In place of a deployment's id where it is yet to be made.
PLANNED = "00000000-0000-0000-0000-000000000000"
REQUIRED = {
    "matcha_uuid": str,
    "prefix": str,
    "target": str,
    "created": str,
    "stack": dict,
    "ports": dict,
    "components": dict,
}

State = dict[str, Any]


class StateError(MatchaError):
    """A state that cannot be read or written."""


def new_state(prefix: str, target: str, stack: Stack) -> State:
    """Return the state of a deployment that is about to be made."""
    return {
        "schema_version": SCHEMA_VERSION,
        "matcha_uuid": str(uuid.uuid4()),
        "prefix": prefix,
        "target": target,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "stack": {"name": stack.name, "components": list(stack.components)},
        "ports": {},
        "components": {},
    }


def stack_of(state: State) -> Stack:
    """Return the stack that a state records."""
    return Stack(state["stack"]["name"], tuple(state["stack"]["components"]))


def decode(text: str, where: str) -> State:
    """Return the state in a document. ``where`` names it in the message of a ``StateError``."""
    damaged = (
        f"The state {where} is damaged ({{}}): put a copy of it back. It is the record of what was made, "
        f"so nothing is touched without it."
    )
    try:
        state = json.loads(text)
    except ValueError as error:
        raise StateError(damaged.format(error)) from error
    version = state.get("schema_version") if isinstance(state, dict) else None
    if not isinstance(version, int):
        raise StateError(damaged.format("it has no schema_version"))
    if version > SCHEMA_VERSION:
        raise StateError(
            f"The state {where} was written by a newer version of matcha.mlops (schema_version {version}, this one "
            f"knows {SCHEMA_VERSION}): upgrade the collection."
        )
    for key, kind in REQUIRED.items():
        if not isinstance(state.get(key), kind):
            raise StateError(damaged.format(f"'{key}' is missing or of another type"))
    name, components = state["stack"].get("name"), state["stack"].get("components")
    if not isinstance(name, str) or not isinstance(components, list) or not all(isinstance(c, str) for c in components):
        raise StateError(damaged.format("'stack' has no name or no components"))
    for key in ("ports", "components"):
        if not all(isinstance(part, dict) for part in state[key].values()):
            raise StateError(damaged.format(f"'{key}' holds something of another type"))
    return dict(state)


class StateStore(ABC):
    """Where a deployment's state is kept."""

    @abstractmethod
    def read(self) -> State | None:
        """Return the state, or None where there is no deployment. Raises ``StateError``."""

    @abstractmethod
    def update(self, change: Callable[[State | None], State]) -> State:
        """Replace the state by what ``change`` makes of it; nobody else changes it meanwhile.

        Nothing is written where it stays the same. Raises ``StateError``.
        """


class FileState(StateStore):
    """A state in a file that its owner alone can read."""

    def __init__(self, path: Path) -> None:
        """Use this file; its folder must exist before ``update``."""
        self.path = path

    def read(self) -> State | None:
        """Return the state, or None where there is no file."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise StateError(f"The state {self.path} cannot be read ({error}): see to its permissions.") from error
        return decode(text, str(self.path))

    def update(self, change: Callable[[State | None], State]) -> State:
        """Replace the state under a lock of its own: the roles of one run record side by side."""
        try:
            with alone(self.path.parent):
                before = self.read()
                # A copy, so that a change in place is seen.
                after = change(json.loads(json.dumps(before)))
                if after != before:
                    write_atomically(self.path, json.dumps(after, indent=2) + "\n")
                return after
        except OSError as error:
            raise StateError(f"The state {self.path} cannot be written ({error}): make its folder writable.") from error
