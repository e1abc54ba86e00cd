# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deployment on the simulated Azure, worked on by the real `ansible-playbook` with the role `stack`."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ansible_collections.matcha.mlops.plugins.module_utils.azure.auth import Auth
from ansible_collections.matcha.mlops.plugins.module_utils.azure.blob import BlobPlace

if TYPE_CHECKING:
    from modules.conftest import Azure

PLUGINS = "ansible_collections.matcha.mlops.plugins"
ROOT = Path(__file__).resolve().parents[2]
STACKS = {"tiny": ["dvc"], "small": ["dvc", "chroma"]}
PREFIX = "tea"
GROUP, ACCOUNT, CONTAINER = "tea-resources", "teastatestacc", "teastatestore"


def stack(tasks_from: str = "main", **variables: Any) -> dict[str, Any]:
    """Return the task that runs the role."""
    role = {"name": "matcha.mlops.stack", "tasks_from": tasks_from}
    return {"name": f"Run {tasks_from}", "ansible.builtin.import_role": role, "vars": variables}


def task(name: str, /, **options: Any) -> dict[str, Any]:
    """Return a task that runs one of our modules."""
    return {"name": f"Run {name}", f"matcha.mlops.{name}": options}


def note(path: Path, *names: str) -> dict[str, Any]:
    """Return a task that writes variables down for a test."""
    content = {name: f"{{{{ {name} | default(none) }}}}" for name in names}
    copy = {"content": "{{ noted | to_json }}", "dest": str(path), "mode": "0600"}
    return {
        "name": "Note",
        "ansible.builtin.copy": copy,
        "vars": {"noted": content},
        "check_mode": False,
        "changed_when": False,
        "diff": False,
    }


BOX = "/subscriptions/s/resourceGroups/tea-resources/providers/Microsoft.Storage/storageAccounts/teabox"
REMOTE = {"data-version-control": {"flavor": "dvc", "properties": {"remote-url": "azure://box"}}}
RECORD: dict[str, Any] = {"component": "dvc", "version": "3.0", "outputs": REMOTE, "resources": [BOX]}
BEGIN, END = stack(), stack("end")


@dataclass
class Ended:
    """How a playbook ended."""

    status: int
    output: str

    @property
    def text(self) -> str:
        """The output as one line, as a person reads it."""
        return " ".join(self.output.split())

    @property
    def changed(self) -> bool:
        """Whether a task changed something."""
        return bool(re.search(r"^localhost +: ok=\d+ +changed=[1-9]", self.output, re.MULTILINE))

    def ok(self) -> Ended:
        """Return itself if the playbook succeeded."""
        assert self.status == 0, self.output
        return self

    def failed(self, *sentences: str) -> Ended:
        """Return itself if the playbook failed and said all of this."""
        assert self.status != 0, self.output
        for sentence in sentences:
            assert sentence in self.text, self.output
        assert "Traceback" not in self.output, self.output
        return self


@dataclass
class Site:
    """A machine from which a deployment is worked on."""

    azure: Azure
    folder: Path
    variables: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The deployment's private folder."""
        return self.folder / "home" / "on-azure" / self.azure.simulator.subscription / PREFIX

    def note(self, *names: str) -> dict[str, Any]:
        """Return a task that writes variables down for a test, and `noted`."""
        self.folder.mkdir(exist_ok=True)
        return note(self.folder / "noted.json", *names)

    @property
    def noted(self) -> dict[str, Any]:
        """What was written down."""
        found: dict[str, Any] = json.loads((self.folder / "noted.json").read_text(encoding="utf-8"))
        return found

    def start(self, tasks: list[dict[str, Any]], *arguments: str, **variables: Any) -> subprocess.Popen[str]:
        """Start a playbook of one play on localhost."""
        self.folder.mkdir(exist_ok=True)
        values = {
            "matcha_target": "azure",
            "matcha_prefix": PREFIX,
            "matcha_home": str(self.folder / "home"),
            "matcha_location": "westeurope",
            "matcha_stacks": STACKS,
            "stack_purpose": "test",
            **self.variables,
            **variables,
        }
        play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
        number = len(list(self.folder.glob("*.yml")))
        path = self.folder / f"{number}.yml"
        path.write_text(json.dumps([play]), encoding="utf-8")
        return subprocess.Popen(
            [Path(sys.executable).with_name("ansible-playbook"), path, "-e", json.dumps(values), *arguments],
            cwd=ROOT,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1", "COLUMNS": "1000"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, tasks: list[dict[str, Any]], *arguments: str, **variables: Any) -> Ended:
        """Run a playbook to its end."""
        return ended(self.start(tasks, *arguments, **variables))

    def blob(self) -> BlobPlace:
        """Return the place of the state."""
        return BlobPlace(Auth.of({}), ACCOUNT, CONTAINER)

    # The same by the action plugins alone, in this process: a playbook takes seconds.

    def act(
        self, name: str, variables: dict[str, Any] | None = None, /, *, check_mode: bool = False, **options: Any
    ) -> dict[str, Any]:
        """Run an action plugin."""
        plugin = importlib.import_module(f"{PLUGINS}.action.{name}")
        action = SimpleNamespace(
            action=f"matcha.mlops.{name}", args=options, async_val=0, check_mode=check_mode, get_name=lambda: name
        )
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="none"))
        module = plugin.ActionModule(action, connection, None, None, None)
        return dict(module.run(task_vars=variables or {}))

    def begin(self, *, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        """Begin a run, on the smallest stack unless something else is asked for."""
        asked = {
            "target": "azure",
            "prefix": PREFIX,
            "home": str(self.folder / "home"),
            "location": "westeurope",
            "stacks": {"default": ["dvc"], **STACKS},
            "components": ["dvc", "chroma"],
            "purpose": "test",
            **options,
        }
        return self.act("stack_begin", {}, check_mode=check_mode, **asked)

    def deploy(self, **options: Any) -> dict[str, Any]:
        """Make the deployment what it is to be; return the fact, and whether anything changed."""
        begun = self.begin(**options)
        assert not begun.get("failed"), begun
        recorded = self.act("stack_record", begun["ansible_facts"], **RECORD)
        assert not recorded.get("failed"), recorded
        assert not self.act("stack_end", begun["ansible_facts"]).get("failed")
        return {**begun["ansible_facts"]["matcha_deployment"], "changed": begun["changed"] or recorded["changed"]}

    @property
    def state(self) -> dict[str, Any]:
        """The state as the blob has it."""
        found: dict[str, Any] = json.loads(self.blob().client.download_blob().readall())
        return found

    def document(self, path: str) -> dict[str, Any] | None:
        """Return a resource as the simulator has it."""
        subscription = f"/subscriptions/{self.azure.simulator.subscription}"
        found: dict[str, Any] | None = self.azure.simulator.store.get(f"{subscription}{path}")
        return found


def ended(process: subprocess.Popen[str]) -> Ended:
    """Wait for the end of a playbook."""
    output, _nothing = process.communicate()
    return Ended(process.returncode, output)
