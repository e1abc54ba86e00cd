# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that holds a local lock for a run, and frees it when the run's controller dies.

``python -I watcher.py FOLDER HOLDER`` where HOLDER is the JSON object that ``lock.json`` will hold.
It answers with one word on standard output: ``acquired``; ``held``, if another watcher has the lock;
``elsewhere``, if one on another machine has it;
``moved``, if the folder was removed meanwhile; ``gone``, if the controller is.

It lives on its own, in a session of its own, because an Ansible worker ends with its task and a
callback isn't there for people who import our playbooks. It needs nothing but Python itself.

Two files are locked by ``flock``: ``lock`` exclusively by the watcher, and ``work.lock`` shared by
whatever changes the deployment, with its children. So a new holder can tell that nothing of a dead
run is at work any more: it ends what is, and waits until ``work.lock`` is free.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LOCK, HOLDER, WORK = "lock", "lock.json", "work.lock"


def start_time(pid: int) -> str:
    """Return when a process was started, in clock ticks since boot; empty if there is no such process.

    With it a process is known for sure: the kernel uses numbers again. One that has ended is none, even
    where nobody reaps it.
    """
    try:
        # The second field, the name, may hold spaces and parentheses.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    except (OSError, IndexError):
        return ""


def users(path: Path) -> Iterator[int]:
    """Yield the processes, other than this one, that have a file open."""
    wanted = os.stat(path)
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            for handle in (entry / "fd").iterdir():
                found = handle.stat()
                if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
                    yield int(entry.name)
                    break
        except OSError:
            # Somebody else's process, or one that has ended.
            continue


def end_workers(folder: Path) -> bool:
    """Kill whatever still changes the deployment, and return when nothing does; tell whether anything did."""
    path, found = folder / WORK, False
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        # The folder was removed with all that is in it.
        return False
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return found
            except BlockingIOError:
                found = True
                for pid in users(path):
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except OSError:
                        continue
                time.sleep(0.02)
    finally:
        os.close(handle)


def write_holder(folder: Path, holder: dict[str, Any]) -> None:
    """Say who holds the lock, all of it or nothing."""
    draft = folder / f".{HOLDER}.{os.getpid()}"
    draft.write_text(json.dumps(holder), encoding="utf-8")
    os.replace(draft, folder / HOLDER)


def forget_holder(folder: Path, token: str) -> None:
    """Remove the record of a holder, unless it is another one's by now."""
    try:
        if json.loads((folder / HOLDER).read_text(encoding="utf-8")).get("token") == token:
            (folder / HOLDER).unlink()
    except (OSError, ValueError):
        return


def discard(folder: Path) -> None:
    """Remove a folder in which nothing is but the lock's own files: there is no deployment. The lock must be held."""
    try:
        if set(os.listdir(folder)) <= {LOCK, HOLDER, WORK}:
            for name in (WORK, HOLDER, LOCK):
                (folder / name).unlink(missing_ok=True)
            folder.rmdir()
    except OSError:
        # It is gone, or somebody else has just put something there.
        return


def answer(word: str) -> None:
    """Tell the starting process how it went, and let go of its pipe."""
    sys.stdout.write(word + "\n")
    sys.stdout.flush()
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)


def take(folder: Path) -> str:
    """Lock the file for this process's life; return ``acquired``, ``held`` or ``moved``."""
    try:
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        mine, there = os.fstat(handle), os.stat(folder / LOCK)
    except BlockingIOError:
        return "held"
    except FileNotFoundError:
        return "moved"
    # A destroy may have removed the file between our opening and locking it.
    return "acquired" if (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino) else "moved"


class Keeper:
    """What else is held with the lock, such as a lease; here nothing. See ``lease_watcher.py``."""

    # Seconds between two renewals.
    interval: float | None = None
    # Seconds that what a killed worker had sent may take to arrive.
    grace: float = 0

    def acquire(self, holder: dict[str, Any]) -> str:
        """Take it; return ``acquired``, ``elsewhere`` if another machine has it, or a sentence.

        What a reader should know goes into ``holder``.
        """
        return "acquired"

    def renew(self, holder: dict[str, Any]) -> bool:
        """Keep it; return whether it is still ours."""
        return True

    def tidy(self, folder: Path) -> None:
        """Remove what the run has left on this machine and nobody needs after it."""

    def release(self) -> None:
        """Let it go."""


def main(keeper: Keeper | None = None) -> None:
    """Take the lock, and hold it until the controller dies, it is lost, or somebody asks for it (SIGTERM)."""
    os.umask(0o077)
    keeper = keeper or Keeper()
    folder, holder = Path(sys.argv[1]), json.loads(sys.argv[2])
    controller = holder["controller"]
    try:
        watched = os.pidfd_open(controller["pid"])
    except OSError:
        return answer("gone")
    # One that has ended has none, neither now nor when the lock was asked for.
    if start_time(controller["pid"]) != (controller["started"] or None):
        return answer("gone")
    outcome = take(folder)
    if outcome == "acquired":
        outcome = keeper.acquire(holder)
        if outcome != "acquired":
            discard(folder)
    if outcome != "acquired":
        return answer(outcome)
    hold(folder, holder, watched, keeper)
    return None


def hold(folder: Path, holder: dict[str, Any], watched: int, keeper: Keeper) -> None:
    """Tell who holds the lock, wait for the end, and see to it that nothing of this run goes on after that."""

    def release(*_: object) -> None:
        raise SystemExit

    asked = True
    try:
        signal.signal(signal.SIGTERM, release)
        holder["watcher"] = {"pid": os.getpid(), "started": start_time(os.getpid())}
        # From here on the writes of an earlier run fail; then what is still under way is ended.
        write_holder(folder, holder)
        end_workers(folder)
        answer("acquired")
        poll = select.poll()
        poll.register(watched, select.POLLIN)
        while not poll.poll(keeper.interval and keeper.interval * 1000) and keeper.renew(holder):
            write_holder(folder, holder)
        asked = False
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if not asked and folder.is_dir() and end_workers(folder):
            time.sleep(keeper.grace)
        keeper.tidy(folder)
        forget_holder(folder, holder["token"])
        keeper.release()
        discard(folder)


if __name__ == "__main__":
    main()
