# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Supervisor, which keeps a deployment's processes running, on a private Unix socket."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from ..errors import MatchaError
from ..files import alone, make_private, read_text, write_atomically
from .folder import Folder
from .processes import MARK, end_processes

CONFIGURATION = """\
; Made by matcha.mlops: the next provision makes it anew.
[unix_http_server]
file={socket}
chmod=0700

[supervisord]
directory={path}
pidfile={path}/run/supervisor.pid
logfile={path}/logs/supervisor.log
logfile_maxbytes=1MB
logfile_backups=1
childlogdir={path}/logs
umask=077
strip_ansi=true
environment={mark}="{path}"

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[include]
files={path}/supervisor/programs/*.conf
"""

PROGRAM = """\
; Made by matcha.mlops: the next provision makes it anew.
[program:{name}]
command={command}
directory={directory}
autorestart=true
startsecs=2
startretries=5
stopwaitsecs=10
stopasgroup=true
killasgroup=true
redirect_stderr=true
stdout_logfile={log}
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
"""

# How long supervisor itself may take to answer or to end, in seconds.
PATIENCE = 30

# supervisor.xmlrpc.Faults
BAD_NAME, ALREADY_STARTED, NOT_RUNNING, ALREADY_ADDED = 10, 60, 70, 90
RUNNING = ("STARTING", "RUNNING", "BACKOFF")


class SupervisorError(MatchaError):
    """Supervisor does not do what it is asked to."""


def program_file(folder: Folder, name: str) -> Path:
    """Return the file in which supervisor reads about a program."""
    return folder.supervisor / "programs" / f"{name}.conf"


def program_text(folder: Folder, name: str, command: Path) -> str:
    """Return what supervisor is to know about a program."""
    return PROGRAM.format(name=name, command=command, directory=folder.data(name), log=folder.log(name))


class Supervisor:
    """The supervisor of one deployment. Methods raise ``SupervisorError``."""

    def __init__(self, folder: Folder) -> None:
        """Use the supervisor of a folder; it may not run yet."""
        self.folder = folder

    def _call(self, method: str, *arguments: Any) -> Any:
        try:
            from supervisor.xmlrpc import SupervisorTransport
        except ImportError as error:
            raise SupervisorError(
                "The Python package supervisor is missing: install the collection's requirements.txt."
            ) from error
        transport = SupervisorTransport(None, None, f"unix://{self.folder.socket}")
        with ServerProxy("http://127.0.0.1", transport=transport) as proxy:
            return getattr(proxy.supervisor, method)(*arguments)

    def is_running(self) -> bool:
        """Return whether supervisor answers."""
        try:
            return bool(self._call("getState")["statename"] == "RUNNING")
        except (OSError, HTTPException):
            return False

    def process(self, name: str) -> dict[str, Any]:
        """Return what supervisor knows of a program: ``statename``, ``pid``, ``start`` and ``now`` at least."""
        try:
            return dict(self._call("getProcessInfo", name))
        except Fault as fault:
            if fault.faultCode != BAD_NAME:
                raise
        except (OSError, HTTPException):
            pass
        return {"statename": "ABSENT", "pid": 0, "start": 0, "now": 0}

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let one role at a time speak to supervisor: they install side by side."""
        make_private(self.folder.supervisor / "programs", self.folder.path / "run", self.folder.path / "logs")
        with alone(self.folder.supervisor):
            yield

    def start(self) -> bool:
        """Start supervisor, unless it runs; return whether it was started. It starts every program that it knows."""
        configuration = self.folder.supervisor / "supervisord.conf"
        text = CONFIGURATION.format(path=self.folder.path, socket=self.folder.socket, mark=MARK)
        if read_text(configuration) != text:
            write_atomically(configuration, text)
        if self.is_running():
            return False
        # What a killed supervisor left would keep the ports.
        end_processes(self.folder.path)
        # Nothing of an ansible run is handed on, not even what fences it.
        result = subprocess.run(  # pylint: disable=ansible-bad-function
            [sys.executable, "-I", "-m", "supervisor.supervisord", "-c", str(configuration)],
            env={**os.environ, MARK: str(self.folder.path)},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Its own setting comes too late for its log.
            umask=0o077,
            check=False,
        )
        deadline = time.monotonic() + PATIENCE
        while not self.is_running():
            if result.returncode or time.monotonic() > deadline:
                reason = " ".join(result.stdout.split())[-300:] or "it does not answer"
                log = self.folder.path / "logs" / "supervisor.log"
                raise SupervisorError(f"Supervisor could not be started ({reason}): {log} says more.")
            time.sleep(0.05)
        return True

    def stop(self) -> bool:
        """Stop supervisor and every process of the deployment; return whether there was one."""
        try:
            self._call("shutdown")
        except (OSError, HTTPException, Fault):
            return end_processes(self.folder.path)
        deadline = time.monotonic() + PATIENCE
        while self.folder.socket.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        end_processes(self.folder.path)
        return True

    def restart(self, name: str) -> None:
        """Start a program with the configuration that is in its file now; stop it first if it runs."""
        self.halt(name)
        try:
            # It reads every program's file, and refuses all of them for one that is broken.
            self._call("reloadConfig")
        except Fault as fault:
            raise SupervisorError(f"{name} could not be started: {fault.faultString}.") from fault
        try:
            self._call("removeProcessGroup", name)
        except Fault as fault:
            if fault.faultCode != BAD_NAME:
                raise SupervisorError(f"{name} does not end: {fault.faultString}.") from fault
        try:
            self._call("addProcessGroup", name)
        except Fault as fault:
            if fault.faultCode != ALREADY_ADDED:
                raise SupervisorError(f"{name} could not be started: {fault.faultString}.") from fault
        self.launch(name)

    def launch(self, name: str) -> None:
        """Start a program that supervisor knows, unless it runs: a new supervisor takes a moment to do so itself."""
        try:
            self._call("startProcess", name, False)
        except Fault as fault:
            if fault.faultCode != ALREADY_STARTED:
                raise SupervisorError(f"{name} could not be started: {fault.faultString}.") from fault

    def halt(self, name: str) -> None:
        """Stop a program with its whole process group; the others run on."""
        try:
            self._call("stopProcess", name, True)
        except Fault as fault:
            if fault.faultCode not in (BAD_NAME, NOT_RUNNING):
                raise SupervisorError(f"{name} could not be stopped: {fault.faultString}.") from fault
        except (OSError, HTTPException):
            return
