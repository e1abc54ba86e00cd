# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator: everything behind the listeners."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING, Any

from .access import NO_DELAYS, Access, Delays
from .arm import Answer, AzureError, Request
from .clock import Clock
from .faults import Faults
from .operations import Operations
from .principals import Directory
from .providers import all_types
from .router import Router
from .store import Store

if TYPE_CHECKING:
    from .arm import ResourceType

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
TENANT = "54826b22-38d6-4fb2-bad9-b7b93a3e9c5a"


class Simulator:
    """One subscription of Azure, in memory. `handle` may be called by any thread; one request runs at a time."""

    def __init__(
        self, *, speed: float = 1.0, instant: bool = False, seed: int = 0, faults: Faults | None = None
    ) -> None:
        self._settings = {"speed": speed, "instant": instant}
        self._seed = seed
        self._types: list[ResourceType] = all_types()
        self.lock = threading.RLock()
        self.faults = faults or Faults()
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        with self.lock:
            self.clock = Clock(**self._settings)
            self.rng = random.Random(self._seed)
            self.store = Store()
            self.delays = NO_DELAYS if self.clock.instant else Delays()
            self.principals = Directory(self)
            self.access = Access(self)
            self.operations = Operations(self)
            self.router = Router(self, self._types)
            self.log: list[dict[str, Any]] = []
            self._unregistered: set[tuple[str, str]] = set()

    def registered(self, subscription: str, namespace: str) -> bool:
        return (subscription.lower(), namespace.lower()) not in self._unregistered

    def handle(self, request: Request) -> Answer:
        with self.lock:
            self.operations.settle()
            try:
                answer = self.faults.check(request)
                answer = self.router.route(request) if answer is None else answer
            except AzureError as error:
                answer = error.answer()
            return answer
