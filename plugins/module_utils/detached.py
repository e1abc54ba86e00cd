# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that outlive the task that starts them: a lock's watcher, and what keeps ports open.

Each is recorded as ``{"pid": …, "started": …}``, because the kernel uses numbers again.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from typing import Any

from .stack.watcher import start_time


def identity(pid: int) -> dict[str, Any]:
    """Return what a process is recorded as."""
    return {"pid": pid, "started": start_time(pid)}


def alive(process: Mapping[str, Any]) -> bool:
    """Return whether a recorded process is still there."""
    return bool(start_time(process["pid"]) == process["started"])


def end(process: Mapping[str, Any], number: signal.Signals = signal.SIGTERM) -> None:
    """Send a signal to a recorded process, and return when it has ended."""
    with suppress(ProcessLookupError):
        os.kill(process["pid"], number)
    while alive(process):
        time.sleep(0.005)


def start(command: Sequence[str], told: str) -> tuple[subprocess.Popen[str], str]:
    """Start a process in a session of its own, and return it with the first line that it says.

    ``told`` is a line for its standard input, which nobody else sees. Nobody waits for it: it belongs to init then.
    """
    process = subprocess.Popen(  # pylint: disable=ansible-bad-function
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
        text=True,
    )
    # One that cannot do what it is for may have ended already.
    with suppress(BrokenPipeError), process.stdin or nullcontext():
        if process.stdin:
            process.stdin.write(f"{told}\n")
    with process.stdout or nullcontext():
        return process, process.stdout.readline().strip() if process.stdout else ""
