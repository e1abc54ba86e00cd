# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated Azure for each test, and a check of every body that a module sends there."""

from __future__ import annotations

import os
import random
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.matcha.mlops.plugins.module_utils.azure import arm, pipeline
from modules.harness import USER_AGENT
from modules.type_check import TYPES, Checker
from simulator.faults import Faults
from simulator.simulator import Simulator, running

if TYPE_CHECKING:
    from collections.abc import Iterator

READS = ("GET", "HEAD", "OPTIONS")
# Real seconds would be a day for these tests.
SPEED = 2000


class Azure:
    """A simulated Azure, empty at first, that a module's process finds by its environment."""

    def __init__(self, running: Any) -> None:
        self.running = running
        self.simulator: Simulator = running.simulator
        self._begin = 0

    def log(self) -> list[dict[str, Any]]:
        """Return the requests so far, sign-ins left out."""
        return [each for each in self.simulator.log if "login." not in each["host"]]

    def forget(self) -> None:
        """Look only at what comes from now on."""
        self._begin = len(self.log())

    def since(self) -> list[dict[str, Any]]:
        """Return the requests since `forget`."""
        return self.log()[self._begin :]

    def writes(self) -> list[str]:
        """Return the writes since `forget`, as "METHOD path"."""
        return [f"{each['method']} {each['path']}" for each in self.since() if each["method"] not in READS]

    def storm(self, seed: int) -> None:
        """From now on things go wrong, at random."""
        chance = random.Random(seed)
        faults = Faults(seed, rate=0.2)
        # Refusals of writes, and operations that end badly, once each at some write or another.
        faults.add("etag_mismatch", method="PUT", nth=chance.randint(1, 6))
        faults.add("another_operation", method="PUT|PATCH|DELETE", nth=chance.randint(1, 6))
        faults.add("operation_failed", nth=chance.randint(1, 5))
        faults.add("operation_canceled", nth=chance.randint(1, 5))
        self.simulator.faults = faults

    def calm(self) -> None:
        """From now on nothing goes wrong."""
        self.simulator.faults.clear()


@pytest.fixture(scope="session")
def _running() -> Iterator[Any]:
    with running(speed=SPEED) as found:
        yield found


@pytest.fixture(scope="session")
def checker() -> Checker | None:
    """Return what knows Azure's types, where they are."""
    return Checker() if TYPES.is_dir() else None


@pytest.fixture
def azure(_running: Any, checker: Checker | None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Azure]:
    """Yield an empty Azure. At the end, everything that modules sent to it must fit Azure's types."""
    for name in list(os.environ):
        if name.startswith("AZURE_"):
            monkeypatch.delenv(name)
    for name, value in _running.environment.items():
        monkeypatch.setenv(name, value)
    # The simulator's clock runs fast, and so do the pauses between two looks at it.
    monkeypatch.setattr(arm, "FIRST_LOOK", 0.02)
    monkeypatch.setattr(arm, "LONGEST_PAUSE", 0.2)
    monkeypatch.setattr(pipeline, "BACKOFF", 0.02)
    _running.simulator.reset()
    found = Azure(_running)
    yield found
    found.calm()
    if checker:
        problems = [problem for each in found.log() for problem in _problems(checker, each)]
        assert not problems, "\n".join(problems)


def _problems(checker: Checker, request: dict[str, Any]) -> list[str]:
    if request["method"] not in ("PUT", "PATCH") or USER_AGENT not in request["user_agent"]:
        return []
    if not isinstance(request["body"], dict):
        return []
    found = checker.problems(request["method"], request["path"], request["body"])
    errors, warned = found or ([], [])
    for each in warned:
        warnings.warn(f"{request['method']} {request['path']}: {each}", stacklevel=1)
    return [f"{request['method']} {request['path']}: {problem}" for problem in errors]
