# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of tools that come out of an npm package share."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

from deployments import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

NEEDED = ("bash", "cp", "dirname", "flock", "mkdir", "mv", "rm", "sha256sum")


class Machine:
    """A machine with only the programs that a tool needs, and an npm that notes what it does."""

    def __init__(self, folder: Path, command: list[str], npm: str, programs: Iterable[str] = ()) -> None:
        self.folder, self.programs, self.command = folder, folder / "bin", command
        self.programs.mkdir()
        for name in (*NEEDED, *programs):
            (self.programs / name).symlink_to(str(shutil.which(name)))
        self.install("npm", npm)

    def install(self, name: str, script: str) -> None:
        (self.programs / name).write_text(script, "utf-8")
        (self.programs / name).chmod(0o755)

    def start(self) -> subprocess.Popen[str]:
        tool, *arguments = self.command
        return subprocess.Popen(
            [str(self.programs / "bash"), ROOT / "tools" / tool, *arguments],
            env={
                "PATH": str(self.programs),
                "HOME": str(self.folder),
                "LOG": str(self.folder / "log"),
                "BROKEN": str(self.folder / "broken"),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self) -> tuple[int, str, str]:
        process = self.start()
        out, err = process.communicate()
        return process.returncode, out, err

    def installations(self) -> int:
        log = self.folder / "log"
        return len(log.read_text("utf-8").splitlines()) if log.exists() else 0


def check_lock_file(name: str) -> None:
    """Fail unless the lock file has a hash for each package and no address."""
    lock = json.loads((ROOT / "tests" / name / "package-lock.json").read_text("utf-8"))
    wanted = json.loads((ROOT / "tests" / name / "package.json").read_text("utf-8"))["dependencies"]
    assert lock["packages"].pop("")["dependencies"] == wanted
    assert [name for name, package in lock["packages"].items() if not package.get("integrity")] == []
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
