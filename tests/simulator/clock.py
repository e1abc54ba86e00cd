# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's clock: Azure's minutes pass in a test's milliseconds."""

from __future__ import annotations

import time
from datetime import datetime, timezone


class Clock:
    """`now()` is the start, plus the real time that went by times `speed`, plus what `advance` added.

    With `instant`, what was begun is over at the next request, however long Azure would take.
    """

    def __init__(self, speed: float = 1.0, *, instant: bool = False, start: float | None = None) -> None:
        self.speed = speed
        self.instant = instant
        self._virtual = time.time() if start is None else start
        self._real = time.monotonic()

    def now(self) -> float:
        return self._virtual + (time.monotonic() - self._real) * self.speed

    def advance(self, seconds: float) -> None:
        self._virtual += seconds

    def text(self, at: float | None = None) -> str:
        """Write a moment as Azure writes it."""
        moment = datetime.fromtimestamp(self.now() if at is None else at, timezone.utc)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"

    def passed(self, moment: float) -> bool:
        return self.instant or self.now() >= moment
