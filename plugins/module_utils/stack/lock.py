# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock: one run at a time changes a deployment. It names its holder and ends with it."""

from __future__ import annotations

import getpass
import json
import multiprocessing
import os
import signal
import socket
import sys
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .. import detached
from ..errors import MatchaError
from ..files import make_private
from . import watcher

# How often a waiting run asks again, in seconds.
INTERVAL = 0.5


class LockError(MatchaError):
    """The lock is held by somebody else, or was lost."""


def controller() -> int:
    """Return the number of the process that runs the playbook: the one that forked this, also if it has died since.

    The parent would be init then, which never ends; but init may be the controller too, in a container.
    """
    forked_by = multiprocessing.parent_process()
    return int(forked_by.pid or 0) if forked_by else os.getppid()


@dataclass(frozen=True)
class Holder:
    """Who holds a lock."""

    token: str
    user: str
    host: str
    pid: int
    since: str
    purpose: str
    alive: bool

    def __str__(self) -> str:
        """Return the holder as a message shows it."""
        state = "" if self.alive else ", which has ended"
        return f"{self.user}@{self.host} (process {self.pid}{state}) since {self.since} for '{self.purpose}'"


class Lock(ABC):
    """A lock of one deployment. Its backends differ in where it is kept, not in what it promises."""

    @abstractmethod
    def try_acquire(self, purpose: str) -> str | None:
        """Return the run's token, or None where somebody else holds the lock.

        A run that holds it already gets the same token again.
        """

    @abstractmethod
    def release(self, token: str) -> None:
        """Free the lock, if this token still holds it."""

    @abstractmethod
    def holder(self) -> Holder | None:
        """Return who holds the lock, if anybody."""

    @abstractmethod
    def force(self) -> None:
        """Take the lock away from its holder, whose next write then fails."""

    def acquire(self, purpose: str, timeout: float = 0, waiting: Callable[[str], None] | None = None) -> str:
        """Return the run's token; wait up to ``timeout`` seconds for it.

        ``waiting`` is told, about every 15 seconds, what is being waited for. Raises ``LockError``,
        which names the holder.
        """
        begin = told = time.monotonic()
        while True:
            token = self.try_acquire(purpose)
            if token:
                return token
            now = time.monotonic()
            who = self.holder() or "somebody who has just let go of it"
            if timeout and waiting and (now - told >= 15 or told == begin):
                waiting(f"waiting for the lock of {who}, {now - begin:.0f} s so far")
                told = now
            if now - begin >= timeout:
                raise LockError(
                    f"The deployment is locked by {who}. Wait until that ends, or let this run wait for it "
                    f"(matcha_lock_timeout, in seconds); unlock.yml frees the lock of a run that hangs."
                )
            time.sleep(INTERVAL)


class LocalLock(Lock):
    """A lock in a deployment's folder, held by a watcher process: see ``watcher.py``."""

    WATCHER = Path(watcher.__file__)

    def __init__(self, folder: Path) -> None:
        """Use this folder; it is made if it isn't there."""
        self.folder = folder

    def try_acquire(self, purpose: str) -> str | None:
        """Start a watcher that takes the lock; it ends with this process's controller."""
        wanted = {
            "token": uuid.uuid4().hex,
            "user": getpass.getuser(),
            "host": socket.gethostname(),
            "controller": detached.identity(controller()),
            "since": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "purpose": purpose,
        }
        # A holder that is just taking or leaving the lock has no record: look again.
        for _attempt in range(100):
            now = self._read()
            if now and now["controller"] == wanted["controller"] and self._alive(now):
                return str(now["token"])
            outcome = self._start_watcher(wanted)
            if outcome == "acquired":
                return str(wanted["token"])
            if outcome == "gone":
                raise LockError("The run that asked for the lock has ended.")
            if outcome == "elsewhere":
                return None
            if outcome not in ("held", "moved"):
                raise LockError(outcome)
            if outcome == "held" and (now := self._read()) and now["controller"] != wanted["controller"]:
                return None
            time.sleep(0.05)
        return None

    def _secrets(self) -> str:
        """Return what the watcher needs to know and nobody else may see, for its standard input."""
        return ""

    def _start_watcher(self, wanted: dict[str, Any]) -> str:
        make_private(self.folder)
        command = [sys.executable, "-I", str(self.WATCHER), str(self.folder), json.dumps(wanted)]
        process, outcome = detached.start(command, self._secrets())
        if outcome != "acquired":
            process.wait()
        if not outcome:
            raise LockError(f"The lock in {self.folder} could not be taken: see that its files are yours.")
        return outcome

    def _read(self) -> dict[str, Any] | None:
        try:
            found = json.loads((self.folder / watcher.HOLDER).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    @staticmethod
    def _alive(record: dict[str, Any]) -> bool:
        """Return whether the watcher of a record is still there."""
        return detached.alive(record["watcher"])

    def held(self) -> str | None:
        """Return the token, if this process's controller holds the lock already."""
        found = self._read()
        mine = found and found["controller"] == detached.identity(controller())
        return str(found["token"]) if found and mine and self._alive(found) else None

    def holder(self) -> Holder | None:
        """Return who holds the lock. One who has ended left it without being able to say so."""
        found = self._read()
        if not found or not self._alive(found):
            return None
        told = found["controller"]
        return Holder(
            token=found["token"],
            user=found["user"],
            host=found["host"],
            pid=told["pid"],
            since=found["since"],
            purpose=found["purpose"],
            alive=detached.alive(told),
        )

    def release(self, token: str) -> None:
        """Ask the watcher to end, and return when it has."""
        found = self._read()
        if found and found["token"] == token and self._alive(found):
            detached.end(found["watcher"], signal.SIGTERM)

    def force(self) -> None:
        """End the watcher, and whatever the holder has under way."""
        found = self._read()
        if not found:
            return
        # First the record: from now on the holder's writes fail.
        watcher.forget_holder(self.folder, found["token"])
        if self._alive(found):
            detached.end(found["watcher"], signal.SIGKILL)
        watcher.end_workers(self.folder)

    @contextmanager
    def working(self, token: str) -> Iterator[None]:
        """Fence a change: it begins only while the token holds the lock, and no new holder begins before it ends.

        Processes that are started within with ``close_fds=False`` are fenced too. Raises ``LockError``.
        """
        import fcntl

        try:
            handle = os.open(self.folder / watcher.WORK, os.O_RDWR)
        except FileNotFoundError as error:
            raise LockError(f"{self.folder} is no deployment's folder any more: run the playbook again.") from error
        try:
            os.set_inheritable(handle, True)
            fcntl.flock(handle, fcntl.LOCK_SH)
            self.check(token)
            yield
        finally:
            os.close(handle)

    def check(self, token: str) -> None:
        """Raise ``LockError`` unless the token holds the lock, and will for long enough to begin a change."""
        found = self._read()
        if not found or found["token"] != token or found.get("until", float("inf")) < time.monotonic():
            now = self.holder()
            raise LockError(
                f"This run does not hold the lock any more{f'; {now} does' if now else ''}: "
                f"it was taken away (unlock.yml), so nothing more is changed. Run the playbook again."
            )


class PlanLock(LocalLock):
    """No lock of a deployment: the folder of one plan, which goes with its controller."""

    WATCHER = Path(__file__).with_name("plan_watcher.py")
