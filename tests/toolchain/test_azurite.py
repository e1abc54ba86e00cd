# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/azurite: installed once, whole or not at all, from a lock file without addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from npm_tools import Machine, check_lock_file

if TYPE_CHECKING:
    from pathlib import Path

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


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    found = Machine(tmp_path, ["azurite", "--silent", "--blobPort", "0"], NPM)
    found.install("node", NODE)
    return found


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
    check_lock_file("azurite")
