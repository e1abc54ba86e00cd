# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments for tests: made by the real playbooks, in a home of their own, and destroyed again."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
COMPONENTS = ("zenml", "mlflow", "seldon", "dvc", "chroma")
SERVERS = ("zenml", "mlflow", "seldon", "chroma")
# Stacks of tests' own: a whole one takes half a minute.
STACKS = {"tiny": ["dvc"], "small": ["dvc", "chroma"], **{f"only-{name}": [name] for name in COMPONENTS}}


def wait_until(condition: Callable[[], Any], what: str, timeout: float = 120) -> Any:
    """Return what a condition gives as soon as it is true."""
    deadline = time.monotonic() + timeout
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        time.sleep(0.05)
    return found


@dataclass(frozen=True)
class Result:
    """How a playbook ended."""

    status: int
    output: str

    @property
    def changed(self) -> set[str]:
        """The hosts on which something changed."""
        return set(re.findall(r"^(\S+) +: ok=\d+ +changed=[1-9]", self.output, re.MULTILINE))

    @property
    def text(self) -> str:
        """The output as one line, as a person reads it."""
        return " ".join(self.output.split())

    def ok(self) -> Result:
        """Return itself if the playbook succeeded."""
        assert self.status == 0, self.output
        return self

    def failed(self, *sentences: str) -> Result:
        """Return itself if the playbook failed and said all of this, and showed no traceback of its own."""
        assert self.status != 0, self.output
        for sentence in sentences:
            assert sentence in self.text, f"{sentence!r} is not in:\n{self.output}"
        # The end of a server's log may be shown, and hold one.
        assert "Traceback" not in self.output.partition(" ends with:")[0], self.output
        return self


@dataclass
class Deployment:
    """One deployment: a home, a prefix, a stack, and the variables that all its playbooks get."""

    home: Path
    prefix: str = "tests"
    stack: str = ""
    variables: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    directory: Path = ROOT
    programs: Path = BIN
    # What was printed, and the arguments of processes, where a test wants to search it.
    said: list[str] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.home / self.prefix

    @property
    def state(self) -> dict[str, Any]:
        return json.loads((self.path / "state.json").read_text(encoding="utf-8"))

    def port(self, component: str) -> int:
        return self.state["ports"][component]["http"]

    def url(self, component: str) -> str:
        return f"http://127.0.0.1:{self.port(component)}"

    def secret(self, name: str) -> str:
        return (self.path / "secrets" / name).read_text(encoding="utf-8").strip()

    @property
    def secrets(self) -> dict[str, str]:
        return {path.name: path.read_text(encoding="utf-8").strip() for path in (self.path / "secrets").iterdir()}

    def command(self, playbook: str, *arguments: str, **variables: Any) -> list[str]:
        """Return the command line that runs a playbook."""
        values = {
            "matcha_home": str(self.home),
            "matcha_prefix": self.prefix,
            "matcha_stacks": STACKS,
            **({"matcha_stack": self.stack} if self.stack else {}),
            **self.variables,
            **variables,
        }
        name = playbook if "." in playbook else f"playbooks/{playbook}.yml"
        return [str(self.programs / "ansible-playbook"), name, "-e", json.dumps(values), *arguments]

    def start(self, playbook: str, *arguments: str, **variables: Any) -> subprocess.Popen[str]:
        """Start a playbook in a session of its own, without a terminal."""
        return subprocess.Popen(
            self.command(playbook, *arguments, **variables),
            cwd=self.directory,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1", "COLUMNS": "1000", **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, playbook: str, *arguments: str, **variables: Any) -> Result:
        """Run a playbook to its end."""
        process = self.start(playbook, *arguments, **variables)
        try:
            output, _nothing = process.communicate()
        except BaseException:
            # A test that is ended leaves nothing running.
            kill_controller(process)
            raise
        return Result(process.returncode, output)

    def destroy(self) -> None:
        """Destroy the deployment, and its home with it."""
        if (self.path / "state.json").exists():
            self.run("destroy", matcha_confirm=True, matcha_stack="").ok()
        assert not self.processes(), "processes are left"

    def processes(self) -> list[psutil.Process]:
        """Return every process of the deployment, supervisor included."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("MATCHA_DEPLOYMENT") == str(self.path):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    @property
    def supervisor(self) -> psutil.Process | None:
        """The deployment's supervisor, if it has one."""
        file = self.path / "run" / "supervisor.pid"
        return psutil.Process(int(file.read_text(encoding="utf-8"))) if file.exists() else None

    def servers(self) -> dict[str, psutil.Process]:
        """Return each component's server, by the supervisor's word."""
        found = {}
        for process in self.supervisor.children() if self.supervisor else []:
            # Each runs in its data's folder. One that has just ended has none.
            with contextlib.suppress(psutil.Error):
                found[Path(process.cwd()).name] = process
        return found

    def listening(self) -> set[int]:
        """Return the ports on which the deployment's processes listen: on this machine's own address alone."""
        pids = {process.pid for process in self.processes()}
        found = [
            connection
            for connection in psutil.net_connections("tcp")
            if connection.pid in pids and connection.status == psutil.CONN_LISTEN
        ]
        assert {connection.laddr.ip for connection in found} <= {"127.0.0.1", "::ffff:127.0.0.1"}
        return {connection.laddr.port for connection in found}

    def status(self) -> dict[str, Any]:
        """Return what status.yml says, as a machine reads it."""
        output = self.run("status", matcha_output="json").ok().output
        return json.loads(output[output.index("\n{") : output.rindex("\n}") + 2])

    def assert_healthy(self, *components: str) -> None:
        """Fail unless these components run, work, and are as they were made, and nothing else runs."""
        status = self.status()
        bad = {name: part for name, part in status["components"].items() if not part["healthy"] or part["drift"]}
        assert not bad, bad
        assert set(status["components"]) == set(components)
        assert set(self.servers()) == set(components) & set(SERVERS)
        ports = {port for names in self.state["ports"].values() for port in names.values()}
        assert self.listening() == ports
        # Nothing but supervisor, its children and theirs.
        family = [self.supervisor, *self.supervisor.children(recursive=True)] if self.supervisor else []
        assert {process.pid for process in self.processes()} == {process.pid for process in family}

    def snapshot(self) -> dict[str, tuple[int, int, int]]:
        """Return what tells whether anybody changed what a run makes: not data, not logs."""
        found = {}
        for part in ("state.json", "config", "secrets", "supervisor", "environments", "backups"):
            top = self.path / part
            for path in [top, *(top.rglob("*") if part != "environments" else top.glob("*"))]:
                if path.name != "__pycache__" and os.path.lexists(path):
                    status = path.lstat()
                    found[str(path.relative_to(self.path))] = (status.st_mode, status.st_mtime_ns, status.st_ino)
        return found


class Processes:
    """Sees the arguments of every process that runs meanwhile."""

    def __init__(self) -> None:
        self.arguments: set[str] = set()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Processes:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.05):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    self.arguments.add(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))


def lock_is_free(deployment: Deployment) -> bool:
    """Return whether unlock.yml would find nothing to free."""
    from ansible_collections.matcha.mlops.plugins.module_utils.stack.lock import LocalLock

    return LocalLock(deployment.path).holder() is None


def kill_controller(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Kill a playbook's controller by SIGKILL; return what was running under it."""
    try:
        below = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        below = []
    process.send_signal(signal.SIGKILL)
    process.wait()
    return below


def new_home() -> Path:
    """Return a new folder whose path is short: a Unix socket will be below it."""
    return Path(tempfile.mkdtemp(prefix="matcha-"))


def made(home: Path, **options: Any) -> Iterator[Deployment]:
    """Yield a deployment; whatever the test did to it, nothing is left afterwards."""
    deployment = Deployment(home, **options)
    try:
        yield deployment
    finally:
        try:
            deployment.destroy()
        finally:
            for process in deployment.processes():
                process.kill()
            shutil.rmtree(home)


def python_of(deployment: Deployment, environment: str) -> str:
    """Return the interpreter of one of a deployment's environments."""
    (path,) = (deployment.path / "environments").glob(f"{environment}-*")
    return str(path / "bin" / "python")
