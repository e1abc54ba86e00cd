# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/azurite: installed once, whole or not at all, from a lock file without addresses."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("bash", "cp", "dirname", "flock", "mkdir", "mv", "rm", "sha256sum")
NPM = """#!/bin/sh
echo installing >>"$LOG"
mkdir -p node_modules/azurite/dist/src/blob
[ ! -e "$BROKEN" ] || { rm "$BROKEN"; exit 1; }
echo >node_modules/azurite/dist/src/blob/main.js
"""
NODE = """#!/bin/sh
[ -f "$1" ] || exit 9
shift
echo "ran with $*"
"""


class Machine:
    """A machine with only the programs that are needed, and npm and node that note what they do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = folder / "bin"
        self.programs.mkdir()
        for name in NEEDED:
            (self.programs / name).symlink_to(str(shutil.which(name)))
        self.install("npm", NPM)
        self.install("node", NODE)

    def install(self, name: str, script: str) -> None:
        path = self.programs / name
        path.write_text(script, encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.programs / "bash"), ROOT / "tools" / "azurite", "--silent", "--blobPort", "0"],
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
        return len(log.read_text(encoding="utf-8").splitlines()) if log.exists() else 0


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_it_is_installed_once_and_run_with_its_arguments(machine: Machine) -> None:
    processes = [machine.start() for _index in range(3)]
    printed = [process.communicate()[0] for process in processes]
    assert printed == ["ran with --silent --blobPort 0\n"] * 3
    assert machine.run()[1] == printed[0]
    assert machine.installations() == 1


def test_what_was_not_installed_whole_is_installed_again(machine: Machine) -> None:
    (machine.folder / "broken").touch()
    status, _out, err = machine.run()
    assert status == 1
    assert "could not be installed" in err
    assert machine.run()[:2] == (0, "ran with --silent --blobPort 0\n")
    assert machine.installations() == 2


@pytest.mark.parametrize("name", ["node", "npm"])
def test_what_is_missing_is_named(machine: Machine, name: str) -> None:
    (machine.programs / name).unlink()
    status, _out, err = machine.run()
    assert status == 1
    assert "apt-get install" in err
    assert len(err.splitlines()) == 1


def test_the_lock_file_has_a_hash_for_each_package_and_no_address() -> None:
    lock = json.loads((ROOT / "tests" / "azurite" / "package-lock.json").read_text(encoding="utf-8"))
    wanted = json.loads((ROOT / "tests" / "azurite" / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert lock["packages"].pop("")["dependencies"] == wanted
    assert [name for name, package in lock["packages"].items() if not package.get("integrity")] == []
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
