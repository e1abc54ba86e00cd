# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the Azure CLI and azure.azcollection in environments and homes of their own, pointed at a simulator."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.http import Running

ROOT = Path(__file__).resolve().parents[2]
HURRIED = Path(__file__).parent / "hurried"
# Of the whole environment these are all that a client sees, besides what the simulator exports.
KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR")


@dataclass(frozen=True)
class Ended:
    """A process that has ended: what it printed, and what it and all that it waited for has used."""

    command: str
    status: int
    out: str
    err: str
    seconds: float
    cpu_seconds: float
    memory_mib: float

    def ok(self) -> Ended:
        assert not self.status, f"{self.command}: exit status {self.status}\n{self.out[-3000:]}\n{self.err[-3000:]}"
        return self

    @property
    def json(self) -> Any:
        return json.loads(self.ok().out)

    @property
    def results(self) -> list[str]:
        """How each task of a playbook ended: ok, changed, fatal."""
        return re.findall(r"^(ok|changed|fatal|skipping): \[localhost\]", self.out, re.MULTILINE)


def environment_of(name: str) -> Path:
    """Return the folder of an environment, which is made where it is missing."""
    subprocess.run([ROOT / "tools" / "bootstrap", name], check=True, stdin=subprocess.DEVNULL)
    return ROOT / "build" / f"venv-{name}"


def measured(command: list[str | Path], environment: dict[str, str], folder: Path) -> Ended:
    """Run a command to its end. The memory is that of the largest process."""
    begun = time.monotonic()
    with (folder / "out").open("w+", encoding="utf-8") as out, (folder / "err").open("w+", encoding="utf-8") as err:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err, text=True
        )
        _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - begun
        for stream in (out, err):
            stream.seek(0)
        return Ended(
            " ".join(str(part) for part in command), process.returncode, out.read(), err.read(),
            round(seconds, 2), round(used.ru_utime + used.ru_stime, 2), round(used.ru_maxrss / 1024, 1),
        )  # fmt: skip


class Clients:
    """All clients of one simulator, with a home of their own in `folder`."""

    def __init__(self, running: Running, folder: Path) -> None:
        self.running = running
        self.folder = folder
        (folder / "home").mkdir(parents=True)
        secret, tenant = running.environment["AZURE_CLIENT_SECRET"], running.environment["AZURE_TENANT_ID"]
        self.environment = {
            **{name: value for name, value in os.environ.items() if name in KEPT},
            **running.environment,
            "HOME": str(folder / "home"),
            "PYTHONPATH": str(HURRIED),
            "AZURE_CORE_COLLECT_TELEMETRY": "no",
            "AZURE_CORE_NO_COLOR": "yes",
            # As azure.azcollection calls them.
            "AZURE_SECRET": secret,
            "AZURE_TENANT": tenant,
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_NOCOLOR": "1",
        }

    def az(self, *words: str) -> Ended:
        """Run the Azure CLI, which answers in JSON."""
        program = ROOT / "build" / "venv-azcli" / "bin" / "az"
        return measured([program, *words, "--output", "json"], self.environment, self.folder)

    def sign_in(self) -> Ended:
        """Sign the Azure CLI in, as the simulator's owner."""
        environment_of("azcli")
        names = (("--username", "AZURE_CLIENT_ID"), ("--password", "AZURE_CLIENT_SECRET"), ("--tenant", "AZURE_TENANT"))
        words = [word for option, name in names for word in (option, self.environment[name])]
        return self.az("login", "--service-principal", *words)

    def playbook(self, venv: Path, tasks: list[dict[str, Any]], **environment: str) -> Ended:
        """Run tasks on localhost with the Ansible of an environment, and with its Python."""
        play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
        path = self.folder / "play.yml"
        path.write_text(json.dumps([play]), encoding="utf-8")
        python = f"ansible_python_interpreter={venv / 'bin' / 'python'}"
        command = [venv / "bin" / "ansible-playbook", "-i", "localhost,", "-e", python, path]
        return measured(command, {**self.environment, **environment}, self.folder)

    def get(self, path: str, api_version: str) -> Any:
        """Return what the simulator has at a path below the subscription; nothing if it has nothing."""
        from urllib.error import HTTPError
        from urllib.request import urlopen

        subscription = self.environment["AZURE_SUBSCRIPTION_ID"]
        url = f"{self.running.url}/subscriptions/{subscription}/{path}?api-version={api_version}"
        try:
            with urlopen(url) as answer:  # noqa: S310 (the simulator's own address)
                return json.load(answer)
        except HTTPError as error:
            if error.code != 404:
                raise
            return None
