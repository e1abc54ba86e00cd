# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is real follows what is simulated: by looking, again and again, at what there should be."""

from __future__ import annotations

import sys
import threading
import traceback
from typing import TYPE_CHECKING

from tests.simulator.simulator import Outside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.simulator.operations import Operation
    from tests.simulator.simulator import Simulator

# Some things begin to count by the clock alone, such as grants.
LOOK_AGAIN = 0.5


class Follower:
    """A thread that looks whenever something happened. What went wrong is kept, said, and tried again."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.trouble: Exception | None = None
        self._said: set[str] = set()
        self._wanted = 0
        self._reached = 0
        self._change = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._work, name=type(self).__name__)

    def start(self) -> None:
        self._thread.start()

    def look(self) -> None:
        """Do what is to be done for what is simulated now."""
        raise NotImplementedError

    def held(self, operation: Operation) -> bool:
        """Whether an operation must not end yet. Called with the simulator locked."""
        raise NotImplementedError

    def wake(self) -> None:
        with self._change:
            self._wanted += 1
            self._change.notify_all()

    def caught_up(self, timeout: float = 60) -> bool:
        """Wait until all that has happened so far has been followed. Not to be called with the simulator locked."""
        with self._change:
            wanted = self._wanted
            return self._change.wait_for(lambda: self._reached >= wanted or self._ended, timeout)

    def close(self) -> None:
        with self._change:
            self._ended = True
            self._change.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._ended or self._wanted > self._reached, LOOK_AGAIN)
                if self._ended:
                    return
                seen = self._wanted
            try:
                self.look()
                self.trouble = None
            except Exception as error:  # noqa: BLE001 (whatever it is, an operation must not wait for ever in silence)
                self._tell(error)
            with self._change:
                self._reached = max(self._reached, seen)
                self._change.notify_all()

    def _tell(self, error: Exception) -> None:
        self.trouble = error
        if (said := f"{type(error).__name__}: {error}") not in self._said:
            self._said.add(said)
            traceback.print_exc(file=sys.stderr)


class Followers(Outside):
    """All of them, told by the simulator."""

    def __init__(self, each: Sequence[Follower]) -> None:
        self._each = each

    def begun(self, operation: Operation) -> None:
        del operation
        for one in self._each:
            one.wake()

    def held(self, operation: Operation) -> bool:
        return any(one.held(operation) for one in self._each)

    def ended(self, operation: Operation) -> None:
        self.begun(operation)
