# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes of a deployment, and the supervisor that starts them."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from ansible_collections.matcha.mlops.plugins.module_utils.local import processes
from ansible_collections.matcha.mlops.plugins.module_utils.local.processes import end_processes, listeners, processes_of
from ansible_collections.matcha.mlops.plugins.module_utils.local.supervisor import (
    Supervisor,
    SupervisorError,
    program_file,
    program_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ansible_collections.matcha.mlops.plugins.module_utils.local.folder import Folder

SLEEP = "import sys, time; print('ready', flush=True); time.sleep(1000)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Yield what starts a process of a folder, and waits until it is ready."""
    started: list[subprocess.Popen[str]] = []

    def one(path: Path, script: str = SLEEP) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", script],
            env={**os.environ, "MATCHA_DEPLOYMENT": str(path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        return process

    yield one
    for process in started:
        process.kill()
        process.communicate()


def test_only_its_own_processes_end(folder: Folder, start: Callable[..., subprocess.Popen[str]]) -> None:
    own, other = start(folder.path), start(folder.path.with_name("tests2"))
    assert [process.pid for process in processes_of(folder.path)] == [own.pid]
    assert end_processes(folder.path)
    assert own.wait() == -15
    assert other.poll() is None
    assert not end_processes(folder.path)


def test_one_that_does_not_end_is_killed(
    folder: Folder, start: Callable[..., subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "PATIENCE", 0.1)
    stubborn = start(folder.path, STUBBORN)
    assert end_processes(folder.path)
    assert stubborn.wait() == -9


def test_one_that_has_ended_is_not_waited_for(folder: Folder, start: Callable[..., subprocess.Popen[str]]) -> None:
    # Nobody reaps it meanwhile: it stays a zombie.
    process = start(folder.path)
    assert end_processes(folder.path)
    assert psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE
    assert not end_processes(folder.path)


def test_who_listens(stranger: int) -> None:
    assert listeners([stranger]) == {stranger: {os.getpid()}}
    assert listeners([]) == {}


def program(folder: Folder, name: str, text: str) -> None:
    """Let supervisor know a program, or what is no program."""
    program_file(folder, name).write_text(text, encoding="utf-8")
    folder.data(name).mkdir(parents=True)


@pytest.fixture
def supervisor(folder: Folder) -> Supervisor:
    found = Supervisor(folder)
    with found.alone():
        pass
    script = folder.path / "sleep"
    script.write_text("#!/bin/sh\nexec sleep 1000\n", encoding="utf-8")
    script.chmod(0o700)
    program(folder, "tea", program_text(folder, "tea", script))
    return found


def test_supervisor_is_started_and_stopped_once(folder: Folder, supervisor: Supervisor) -> None:
    assert not supervisor.is_running()
    assert supervisor.process("tea")["statename"] == "ABSENT"
    supervisor.halt("tea")
    assert not supervisor.stop()
    assert supervisor.start()
    assert not supervisor.start()
    assert supervisor.process("coffee")["statename"] == "ABSENT"
    assert supervisor.process("tea")["statename"] in ("STARTING", "RUNNING")
    assert supervisor.folder.socket.stat().st_mode & 0o077 == 0
    assert supervisor.stop()
    assert not processes_of(folder.path)
    assert not supervisor.is_running()


def test_a_restart_takes_the_new_configuration_and_leaves_the_others(
    folder: Folder, supervisor: Supervisor, wait_until: Callable[..., Any]
) -> None:
    program(folder, "coffee", program_file(folder, "tea").read_text(encoding="utf-8").replace("tea", "coffee"))
    supervisor.start()
    wait_until(lambda: supervisor.process("coffee")["pid"], "it has a process")
    coffee = supervisor.process("coffee")["pid"]
    text = program_file(folder, "tea").read_text(encoding="utf-8").replace("/sleep", "/other")
    program_file(folder, "tea").write_text(text, encoding="utf-8")
    (folder.path / "other").write_text("#!/bin/sh\nexec sleep 2000\n", encoding="utf-8")
    (folder.path / "other").chmod(0o700)
    supervisor.restart("tea")

    def arguments() -> set[str]:
        return {process.cmdline()[-1] for process in processes_of(folder.path)}

    wait_until(lambda: "2000" in arguments(), "the new one runs")
    assert supervisor.process("coffee")["pid"] == coffee
    supervisor.halt("tea")
    assert "2000" not in arguments()
    # Twice does no harm.
    supervisor.halt("tea")
    supervisor.halt("none")


def test_a_broken_configuration_of_another_program_is_named(folder: Folder, supervisor: Supervisor) -> None:
    program(folder, "coffee", "[program:coffee]\n")
    with pytest.raises(SupervisorError, match=r"Supervisor could not be started \(.*coffee.*supervisor.log says more"):
        supervisor.start()
    program_file(folder, "coffee").unlink()
    assert supervisor.start()
    program_file(folder, "coffee").write_text("[program:coffee]\n", encoding="utf-8")
    with pytest.raises(SupervisorError, match=r"tea could not be started: .*coffee"):
        supervisor.restart("tea")


def test_nothing_of_the_run_is_handed_on(folder: Folder, supervisor: Supervisor, tmp_path: Path) -> None:
    # What fences a run would else be held for as long as the deployment runs.
    with (tmp_path / "work.lock").open("w") as fence:
        os.set_inheritable(fence.fileno(), True)
        supervisor.start()
        for process in processes_of(folder.path):
            assert str(tmp_path / "work.lock") not in {file.path for file in process.open_files()}
