# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that end with the one who started them, however that one ends."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Sequence

# The pipe that it reads from is closed by the kernel when nobody holds its other end any more.
_WATCH = '"$@" </dev/null 3>&- & child=$!; echo $child >&3; exec 3>&-; read -r _; kill $child 2>/dev/null; wait $child'


class Guarded:
    """A program under a shell that ends it as soon as this process is gone."""

    def __init__(self, command: Sequence[str], log: Any, **options: Any) -> None:
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", f"exec 3>&1 1>&2; {_WATCH}", "guard", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            **options,
        )
        assert self._shell.stdout
        assert self._shell.stdin
        self.process = psutil.Process(int(self._shell.stdout.readline()))
        self._shell.stdout.close()

    @property
    def runs(self) -> bool:
        return self.process.is_running() and self.process.status() != psutil.STATUS_ZOMBIE

    def stop(self, timeout: float = 60) -> None:
        """Ask it to end, and wait until it has."""
        if self._shell.stdin:
            self._shell.stdin.close()
        try:
            self._shell.wait(timeout)
        except subprocess.TimeoutExpired:
            if self.runs:
                self.process.kill()
            self._shell.wait()
