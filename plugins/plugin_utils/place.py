# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a deployment is: how it is found, locked, recorded and looked at. Each target has a class of its own."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils.azure.auth import AUTH_SPEC
from ..module_utils.errors import MatchaError
from ..module_utils.local.folder import default_home
from ..module_utils.stack.definition import Stack, check_prefix, did_you_mean
from ..module_utils.stack.lock import Holder, LocalLock
from ..module_utils.stack.state import State, StateStore

# What says where a deployment is, and who signs in there; the same for every plugin.
PLACE_SPEC: dict[str, Any] = {
    "target": {"type": "str", "default": ""},
    "prefix": {"type": "str", "default": ""},
    "home": {"type": "str", "default": ""},
    **AUTH_SPEC,
}

Options = Mapping[str, Any]
Tell = Callable[[str], None]


class Steps:
    """What only some targets have to do."""

    def begun(self) -> tuple[str, State] | None:
        """Return the token and the state with which this very run has begun already, if it is known here."""
        return None

    def remember(self, run: str, state: State | None) -> None:
        """Keep what ``begun`` returns."""

    def look(self) -> str:
        """Begin a plan of a deployment that is there; return its token, if it has a folder of its own to be removed."""
        return ""

    def check(self, options: Options) -> None:
        """Raise ``MatchaError`` for options that cannot be, whatever there is."""

    def verify(self, state: State) -> None:
        """Raise ``MatchaError`` if something in a planned state is not to be had."""

    def prepare(self, options: Options, tell: Tell) -> None:
        """Make what the lock needs."""

    def settle(self, run: str, state: State) -> None:
        """Mark what ``prepare`` made as this deployment's. The lock is held."""

    def recorded(self, component: str, part: Mapping[str, Any]) -> None:
        """Remove what a component that was just recorded does not use any more."""


class Place(Steps, ABC):
    """The place of one deployment, whether or not it is there."""

    target: ClassVar[str]

    def __init__(self, options: Options) -> None:
        """Take the options of ``PLACE_SPEC``. Raises ``MatchaError`` where they cannot be."""
        self.prefix = check_prefix(options.get("prefix") or "matcha")
        home = os.path.expandvars(os.path.expanduser(options.get("home") or ""))
        self.home = Path(os.path.abspath(home)) if home else default_home()

    @property
    @abstractmethod
    def path(self) -> Path:
        """The deployment's private folder on this machine."""

    @property
    @abstractmethod
    def where(self) -> str:
        """What holds the deployment, as a message says it."""

    # How it is found, locked and recorded

    @abstractmethod
    def find(self, lenient: bool = False) -> State | None:
        """Return the state as it is without a lock, or None where there is no deployment.

        ``lenient`` is for who is about to give himself the right to read it.
        """

    @abstractmethod
    def store(self, run: str = "") -> StateStore:
        """Return where the state is kept; a run's token is needed only to write."""

    @abstractmethod
    def lock(self) -> LocalLock:
        """Return the lock."""

    def holder(self) -> Holder | None:
        """Return who holds the lock, if anybody."""
        return self.lock().holder()

    def read(self) -> State:
        """Return the state of a deployment that must be there. Raises ``MatchaError``."""
        state = self.find()
        if state is None:
            raise MatchaError(
                f"There is no deployment '{self.prefix}' in {self.where}: run provision first, or set matcha_prefix "
                f"and {self.hint} to those of another one."
            )
        return state

    hint: ClassVar[str]

    # How work on it begins

    @abstractmethod
    def preflight(self, options: Options, stack: Stack, state: State | None) -> None:
        """Raise ``MatchaError`` for what would stop the work, as far as it can be known without the lock."""

    @abstractmethod
    def planned(self, options: Options, stack: Stack, state: State | None) -> State:
        """Return the state of a deployment on which work begins. Nothing is written."""

    @contextmanager
    def exclusively(self, run: str) -> Iterator[None]:
        """Keep other first runs away while a state is planned and written."""
        with self.lock().working(run):
            yield

    @abstractmethod
    def facts(self, state: State | None) -> dict[str, Any]:
        """Return what ``matcha_deployment`` has for this target alone."""

    # What else depends on the target

    @abstractmethod
    def secret(self, name: str) -> str:
        """Return a secret from its place of record."""

    def reveal(self, reference: Mapping[str, str]) -> str:
        """Return the secret that is meant by what a role recorded in place of it."""
        return self.secret(reference["secret"])

    @abstractmethod
    def inspect(self, state: State, options: Options) -> dict[str, dict[str, Any]]:
        """Return, for each component: what is recorded, whether it runs and works, and what has drifted."""


def place_of(options: Options) -> Place:
    """Return the place that a target, prefix and home mean. Raises ``MatchaError``."""
    # Here, since they build on this file; and the SDKs of one target are no matter of the other's.
    from .azure_place import AzurePlace
    from .local_place import LocalPlace

    targets: dict[str, type[Place]] = {each.target: each for each in (LocalPlace, AzurePlace)}
    target = options.get("target") or AzurePlace.target
    if target not in targets:
        raise MatchaError(f"matcha_target is '{target}': {did_you_mean(target, targets)}")
    return targets[target](options)


def place_in(deployment: Mapping[str, Any], options: Options) -> Place:
    """Return the place of the deployment on which a run has begun; ``options`` say who signs in."""
    names = ("target", "prefix", "home", "subscription_id")
    return place_of({**options, **{name: deployment.get(name) for name in names}})
