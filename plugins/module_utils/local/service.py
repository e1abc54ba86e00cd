# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A supervised server: its configuration, its process, its health, and the copy of its databases before an upgrade."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

from ..errors import MatchaError
from ..files import make_private, read_text, write_atomically
from .folder import Folder
from .processes import listeners, processes_of
from .secrets import redact, secret_file
from .supervisor import RUNNING, Supervisor, program_file, program_text

# How long a server that runs already may take to answer, in seconds, before it is started anew.
HUNG = 45
# How often supervisor may start a server, which then ends, before it is reported.
ATTEMPTS = 4


class ServiceError(MatchaError):
    """A service that cannot be brought up."""


@dataclass(frozen=True)
class Service:
    """What a component's server is to be."""

    name: str
    version: str
    command: Sequence[str]
    health_url: str
    environment: Mapping[str, str] = field(default_factory=dict)
    # Variables, each with the name of the secret that it holds.
    secrets: Mapping[str, str] = field(default_factory=dict)
    # Files below the configuration's folder, with their text. None holds a secret.
    files: Mapping[str, str] = field(default_factory=dict)
    folders: Sequence[str] = ()
    databases: Sequence[str] = ()
    upgrade_command: Sequence[str] = ()
    timeout: float = 300

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Service:
        """Return the service that a module's options describe."""
        return cls(**{name: params[name] for name in cls.__dataclass_fields__})


def is_healthy(url: str, timeout: float = 5) -> bool:
    """Return whether a server on this machine answers with success."""
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=timeout) as response:
            return bool(200 <= response.status < 300)
    except (URLError, OSError, HTTPException, ValueError):
        return False


def answers(folder: Folder, url: str) -> bool:
    """Return whether a server of this deployment answers with success: not somebody else's on its port."""
    port = urlsplit(url).port or 0
    return is_healthy(url) and not listeners([port]).get(port, set()).isdisjoint(
        process.pid for process in processes_of(folder.path)
    )


def run_script(folder: Folder, service: Service, command: Sequence[str]) -> str:
    """Return the script that runs a command with the service's environment.

    It reads the secrets from their files, so that none is in the script, nor in an argument.
    """
    lines = ["#!/bin/sh", "# Made by matcha.mlops: the next provision makes it anew.", "set -eu"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in sorted(service.environment.items())]
    for name, secret in sorted(service.secrets.items()):
        lines += [f"{name}=$(cat {shlex.quote(str(secret_file(folder, secret)))})", f"export {name}"]
    return "\n".join([*lines, f"exec {shlex.join(command)}", ""])


def wanted_files(folder: Folder, service: Service) -> dict[Path, str]:
    """Return every file of a service's configuration with its text, that of supervisor last."""
    config = folder.config(service.name)
    files = {config / name: text for name, text in sorted(service.files.items())}
    files[config / "run"] = run_script(folder, service, service.command)
    files[program_file(folder, service.name)] = program_text(folder, service.name, config / "run")
    return files


def fingerprint(files: Mapping[Path, str], folder: Folder) -> dict[str, str]:
    """Return each file's SHA-256, by its path in the deployment: what ``status`` compares with."""
    return {
        str(path.relative_to(folder.path)): hashlib.sha256(text.encode()).hexdigest() for path, text in files.items()
    }


def _version_file(folder: Folder, name: str) -> Path:
    """Return the file with the version that the data was last used with."""
    return folder.config(name) / "version"


def _older(version: str, than: str) -> bool:
    def parts(text: str) -> list[int]:
        return [int(part) for part in text.split(".") if part.isdigit()]

    return parts(version) < parts(than)


def converge(folder: Folder, service: Service, apply: bool) -> dict[str, Any]:
    """Bring a service up as it is to be; restart it only if something about it differs.

    Returns ``configuration``, the fingerprint of its files, and ``backup``, the folder with the
    copies of its databases if the version changed. Raises ``ServiceError``.
    """
    supervisor = Supervisor(folder)
    files = wanted_files(folder, service)
    found = {path: read_text(path) for path in files}
    edited = [path for path, text in files.items() if found[path] != text or not _private(path)]
    pending = folder.pending(service.name).exists()
    data_version = (read_text(_version_file(folder, service.name)) or "").strip()
    upgrade = bool(data_version) and data_version != service.version
    if upgrade and service.databases and _older(service.version, data_version):
        raise ServiceError(
            f"{service.name} {service.version} cannot use data of {data_version}: leave matcha_{service.name}_version "
            f"as it was. {folder.path / 'backups'} holds the copies from before each upgrade."
        )
    state = supervisor.process(service.name)["statename"]
    runs = state in RUNNING and not edited and not pending and not upgrade
    if runs and apply:
        runs = _wait(supervisor, service, HUNG)
        state = state if runs else "does not answer"
    elif runs:
        runs = answers(folder, service.health_url)
        state = state if runs else "does not answer"
    result: dict[str, Any] = {
        "changed": not runs,
        "diff": _difference(folder, {path: (found[path], files[path]) for path in edited})
        + _process_difference(service, state, runs, data_version),
        "configuration": fingerprint(files, folder),
        "backup": None,
    }
    if apply and not runs:
        result["backup"] = _bring_up(supervisor, service, files, data_version if upgrade else "")
    return result


def _private(path: Path) -> bool:
    return not os.stat(path).st_mode & 0o077


def _bring_up(supervisor: Supervisor, service: Service, files: Mapping[Path, str], old: str) -> str | None:
    """Write the configuration, upgrade the data of another version ``old``, start the process and wait for it."""
    folder = supervisor.folder
    make_private(folder.config(service.name), folder.data(service.name), *map(Path, service.folders))
    # Until the process has seen all of it, a crash here is made up for by the next run.
    folder.pending(service.name).touch(mode=0o600)
    backup = None
    if old:
        with supervisor.alone():
            supervisor.halt(service.name)
        backup = _back_up(folder, service, old)
    for path, text in files.items():
        make_private(path.parent)
        write_atomically(path, text, 0o700 if path.name == "run" else 0o600)
    if old and service.upgrade_command:
        _upgrade(folder, service)
    with supervisor.alone():
        # A new supervisor has read the files that were just written.
        if supervisor.start():
            supervisor.launch(service.name)
        else:
            supervisor.restart(service.name)
    if not _wait(supervisor, service, service.timeout):
        raise ServiceError(
            f"{service.name} did not become healthy. Mend that, then run provision again. Its log "
            f"{folder.log(service.name)} ends with:\n{_log_end(folder, service)}"
        )
    write_atomically(_version_file(folder, service.name), service.version + "\n")
    folder.pending(service.name).unlink()
    return backup


def _wait(supervisor: Supervisor, service: Service, timeout: float) -> bool:
    """Return whether a service becomes healthy before the time is over, or it ended too often."""
    deadline = time.monotonic() + timeout
    started = set()
    while not answers(supervisor.folder, service.health_url):
        process = supervisor.process(service.name)
        started.add(process["pid"])
        if process["statename"] not in RUNNING or len(started) > ATTEMPTS or time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    # And supervisor watches over it: it is none that a supervisor before it left.
    return supervisor.process(service.name)["statename"] in RUNNING


def _log_end(folder: Folder, service: Service) -> str:
    lines = (read_text(folder.log(service.name)) or "").strip().splitlines()
    return redact(folder, "\n".join(lines[-10:])[-2000:])


def _back_up(folder: Folder, service: Service, old: str) -> str | None:
    """Copy the databases of a stopped service into a new folder; nothing is there under its name before all is."""
    databases = [Path(path) for path in service.databases if Path(path).exists()]
    if not databases:
        return None
    now = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
    target = folder.path / "backups" / f"{service.name}-{old}-{now}"
    draft = target.with_name(f".{target.name}")
    shutil.rmtree(draft, ignore_errors=True)
    make_private(draft)
    for path in databases:
        copy = draft / path.name
        copy.touch(mode=0o600)
        # SQLite's own way: what is still in a journal comes along.
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as destination:
            source.backup(destination)
    draft.rename(target)
    return str(target)


def _upgrade(folder: Folder, service: Service) -> None:
    """Run the command that brings the data to the new version."""
    result = subprocess.run(  # pylint: disable=ansible-bad-function
        ["/bin/sh", "-c", run_script(folder, service, service.upgrade_command)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        close_fds=False,
        check=False,
    )
    if result.returncode:
        raise ServiceError(
            f"{service.name}'s data could not be brought to {service.version}; {folder.path / 'backups'} holds its "
            f"copy. The upgrade said: {redact(folder, result.stdout[-1000:]).strip()}"
        )


def _difference(folder: Folder, edited: Mapping[Path, tuple[str | None, str]]) -> list[dict[str, str]]:
    return [
        {
            "before_header": str(path.relative_to(folder.path)),
            "after_header": str(path.relative_to(folder.path)),
            "before": redact(folder, before or ""),
            "after": after,
        }
        for path, (before, after) in edited.items()
    ]


def _process_difference(service: Service, state: str, runs: bool, old: str) -> list[dict[str, Any]]:
    if runs:
        return []
    return [
        {
            "before": {"process": state, "version": old or None},
            "after": {"process": "RUNNING", "version": service.version},
        }
    ]
