# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role `platform` as a playbook runs it, by the real `ansible-playbook`, on a simulated Azure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from modules.conftest import Azure

ROOT = Path(__file__).resolve().parents[2]
NEEDS = ["cluster", "registry", "database", "storage", "vault", "identities"]
HOST = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
PLAY = {"hosts": "localhost", "gather_facts": False}
STACK: dict[str, Any] = {"ansible.builtin.import_role": {"name": "matcha.mlops.stack"}}
PLATFORM = {"ansible.builtin.include_role": {"name": "matcha.mlops.platform"}}


def part(name: str, **variables: Any) -> dict[str, Any]:
    return {
        "ansible.builtin.include_role": {"name": "matcha.mlops.platform", "tasks_from": name},
        "vars": variables,
    }


SHOW = {"ansible.builtin.copy": {"content": "{{ matcha_platform | to_json }}", "dest": "{{ shown }}", "mode": "0600"}}
END = {"ansible.builtin.import_role": {"name": "matcha.mlops.stack", "tasks_from": "end"}}


class Platform:
    """A playbook that begins a run, makes the platform, waits for all of it, and ends the run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.variables: dict[str, Any] = {
            "matcha_target": "azure",
            "matcha_location": "westeurope",
            "matcha_home": str(folder / "home"),
            "shown": str(folder / "platform.json"),
        }
        self.output = ""

    def run(self, *arguments: str, tasks: list[dict[str, Any]] | None = None, fails: bool = False, **more: Any) -> dict:
        """Run it to its end; return what the recap says."""
        path, inventory = self.folder / "playbook.yml", self.folder / "hosts.yml"
        inventory.write_text(json.dumps({"all": {"hosts": {"localhost": HOST}}}))
        if tasks is None:
            tasks = [PLATFORM, part("ready", platform_needs=NEEDS), SHOW]
        path.write_text(json.dumps([{**PLAY, "tasks": [STACK, *tasks, END]}]))
        variables = json.dumps({**self.variables, **more})
        done = subprocess.run(
            [Path(sys.executable).with_name("ansible-playbook"), "-i", inventory, path, "-e", variables, *arguments],
            cwd=ROOT,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1", "COLUMNS": "1000"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        self.output = done.stdout
        assert (done.returncode != 0) == fails, self.output
        assert "Traceback" not in self.output, self.output
        recap = next(line for line in self.output.splitlines() if line.startswith("localhost ") and " ok=" in line)
        return {key: int(value) for key, value in (each.split("=") for each in recap.split(":")[1].split())}

    @property
    def fact(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "platform.json").read_text()))


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(tmp_path)


def test_from_nothing_and_again(azure: Azure, platform: Platform) -> None:
    platform.run()
    print(platform.output)
    fact = platform.fact
    print(json.dumps({k: v for k, v in fact.items() if k != "request"}, indent=1))
    azure.forget()
    recap = platform.run()
    print(platform.output)
    print(azure.writes())
    assert recap["changed"] == 0
    assert azure.writes() == []
