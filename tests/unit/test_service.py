# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service under a real supervisor: a small web server with a SQLite database."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from servers import serving

from ansible_collections.matcha.mlops.plugins.module_utils.errors import MatchaError
from ansible_collections.matcha.mlops.plugins.module_utils.local import deployment, secrets
from ansible_collections.matcha.mlops.plugins.module_utils.local import service as local_service
from ansible_collections.matcha.mlops.plugins.module_utils.local.ports import allocate
from ansible_collections.matcha.mlops.plugins.module_utils.local.processes import processes_of
from ansible_collections.matcha.mlops.plugins.module_utils.local.service import Service, ServiceError, converge
from ansible_collections.matcha.mlops.plugins.module_utils.local.supervisor import Supervisor
from ansible_collections.matcha.mlops.plugins.module_utils.stack.definition import Stack
from ansible_collections.matcha.mlops.plugins.module_utils.stack.lock import LocalLock
from ansible_collections.matcha.mlops.plugins.module_utils.stack.state import FileState, new_state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ansible_collections.matcha.mlops.plugins.module_utils.local.folder import Folder

SERVER = """\
import http.server, os, pathlib, sys
print("the password is", os.environ["PASSWORD"], flush=True)
if "broken" in sys.argv:
    sys.exit(1)
pathlib.Path("health").touch()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


@pytest.fixture
def service(folder: Folder) -> Service:
    port = allocate(folder, {"tea": {"http": None}}, {})["tea"]["http"]
    secrets.converge(folder, ["tea-password"], [], apply=True)
    return Service(
        name="tea",
        version="1.2.0",
        command=[sys.executable, str(folder.config("tea") / "server.py"), str(port)],
        health_url=f"http://127.0.0.1:{port}/health",
        environment={"COLOUR": "it's green"},
        secrets={"PASSWORD": "tea-password"},
        files={"server.py": SERVER},
        folders=[str(folder.data("tea") / "leaves")],
        databases=[str(folder.data("tea") / "tea.db")],
    )


def pid_of(folder: Folder) -> int:
    return int(Supervisor(folder).process("tea")["pid"])


def snapshot(folder: Folder) -> dict[str, tuple[int, int]]:
    """Return what tells whether anybody wrote anything."""
    return {str(path): (path.lstat().st_mtime_ns, path.lstat().st_mode) for path in folder.path.rglob("*")}


def test_it_is_started_once(folder: Folder, service: Service) -> None:
    before = snapshot(folder)
    planned = converge(folder, service, apply=False)
    assert planned["changed"]
    assert snapshot(folder) == before
    assert converge(folder, service, apply=True) == planned
    assert set(planned["configuration"]) == {"config/tea/run", "config/tea/server.py", "supervisor/programs/tea.conf"}
    assert [path.stat().st_mode & 0o777 for path in (folder.data("tea"), folder.data("tea") / "leaves")] == [0o700] * 2
    pid = pid_of(folder)
    for apply in (False, True):
        result = converge(folder, service, apply=apply)
        assert not result["changed"]
        assert result["diff"] == []
    assert pid_of(folder) == pid


def test_its_secret_is_in_its_environment_and_nowhere_else(folder: Folder, service: Service) -> None:
    converge(folder, service, apply=True)
    secret = secrets.read(folder, "tea-password")
    (process,) = [found for found in processes_of(folder.path) if found.pid == pid_of(folder)]
    assert process.environ()["PASSWORD"] == secret
    assert process.environ()["COLOUR"] == "it's green"
    assert secret not in " ".join(process.cmdline())
    files = [path for top in ("config", "supervisor") for path in (folder.path / top).rglob("*") if path.is_file()]
    assert len(files) >= 5
    for path in [*files, folder.path / "logs" / "supervisor.log", folder.log("tea")]:
        assert path.stat().st_mode & 0o077 == 0
        # It is this server alone that prints it.
        assert secret not in path.read_text(encoding="utf-8") or path == folder.log("tea")


def test_a_file_that_others_can_read_is_mended(folder: Folder, service: Service) -> None:
    converge(folder, service, apply=True)
    path = folder.config("tea") / "server.py"
    path.chmod(0o644)
    assert converge(folder, service, apply=False)["changed"]
    assert converge(folder, service, apply=True)["changed"]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("file", ["config/tea/run", "config/tea/server.py", "supervisor/programs/tea.conf"])
def test_a_file_that_was_edited_is_mended_and_the_process_restarted(
    folder: Folder, service: Service, file: str
) -> None:
    converge(folder, service, apply=True)
    pid = pid_of(folder)
    with (folder.path / file).open("a", encoding="utf-8") as stream:
        stream.write(f"# by hand, with {secrets.read(folder, 'tea-password')}\n")
    before = snapshot(folder)
    planned = converge(folder, service, apply=False)
    assert snapshot(folder) == before
    assert planned["changed"]
    assert planned["diff"][0]["before_header"] == file
    assert "# by hand, with (hidden)" in planned["diff"][0]["before"]
    assert pid_of(folder) == pid
    assert converge(folder, service, apply=True)["diff"] == planned["diff"]
    assert pid_of(folder) != pid
    assert not converge(folder, service, apply=True)["changed"]


def test_a_change_that_the_process_has_not_seen_survives_a_crash(folder: Folder, service: Service) -> None:
    converge(folder, service, apply=True)
    pid = pid_of(folder)
    folder.pending("tea").touch()
    assert converge(folder, service, apply=True)["changed"]
    assert pid_of(folder) != pid
    assert not folder.pending("tea").exists()


def test_a_stopped_one_is_started(folder: Folder, service: Service) -> None:
    converge(folder, service, apply=True)
    Supervisor(folder).halt("tea")
    assert converge(folder, service, apply=False)["diff"][-1]["before"]["process"] == "STOPPED"
    assert converge(folder, service, apply=True)["changed"]


def test_a_killed_one_is_restarted_by_supervisor(
    folder: Folder, service: Service, wait_until: Callable[..., Any]
) -> None:
    converge(folder, service, apply=True)
    pid = pid_of(folder)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: pid_of(folder) not in (0, pid), "it is restarted")
    assert not converge(folder, service, apply=True)["changed"]


def test_a_killed_supervisor_leaves_nothing_in_the_way(folder: Folder, service: Service) -> None:
    converge(folder, service, apply=True)
    old = pid_of(folder)
    os.kill(int((folder.path / "run" / "supervisor.pid").read_text(encoding="utf-8")), signal.SIGKILL)
    assert converge(folder, service, apply=True)["changed"]
    assert old not in {process.pid for process in processes_of(folder.path)}


def test_one_that_runs_and_does_not_answer_is_restarted(
    folder: Folder, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_service, "HUNG", 0.1)
    converge(folder, service, apply=True)
    pid = pid_of(folder)
    (folder.data("tea") / "health").unlink()
    for apply in (False, True):
        assert converge(folder, service, apply=apply)["diff"][-1]["before"]["process"] == "does not answer"
    assert pid_of(folder) != pid


def test_one_that_never_answers(folder: Folder, service: Service) -> None:
    with pytest.raises(ServiceError, match=rf"tea did not become healthy\. .* {folder.log('tea')} ends with:"):
        converge(folder, dataclasses.replace(service, command=["sleep", "1000"], timeout=0.1), apply=True)
    # The process has the new configuration: that it works is still to be seen.
    assert folder.pending("tea").exists()


def test_another_server_on_its_port_does_not_stand_for_it(folder: Folder, service: Service) -> None:
    with serving(lambda _request: (200, "")) as url:
        taken = dataclasses.replace(service, command=["sleep", "1000"], health_url=url, timeout=0.1)
        with pytest.raises(ServiceError, match="tea did not become healthy"):
            converge(folder, taken, apply=True)
        assert converge(folder, taken, apply=False)["changed"]


def test_another_version_copies_the_databases_first(folder: Folder, service: Service) -> None:
    converge(folder, service, apply=True)
    with closing(sqlite3.connect(service.databases[0])) as database:
        database.execute("CREATE TABLE tea (name TEXT)")
        database.execute("INSERT INTO tea VALUES ('matcha')")
        database.commit()
    pid = pid_of(folder)
    newer = dataclasses.replace(
        service, version="1.10.0", upgrade_command=["/bin/sh", "-c", f"echo $COLOUR >{folder.path}/upgraded"]
    )
    before = snapshot(folder)
    planned = converge(folder, newer, apply=False)
    assert planned["diff"][-1]["after"]["version"] == "1.10.0"
    assert snapshot(folder) == before
    assert pid_of(folder) == pid
    result = converge(folder, newer, apply=True)
    assert result["backup"]
    with closing(sqlite3.connect(f"{result['backup']}/tea.db")) as copy:
        assert copy.execute("SELECT name FROM tea").fetchall() == [("matcha",)]
    assert (folder.path / "upgraded").read_text(encoding="utf-8") == "it's green\n"
    assert {path.stat().st_mode & 0o077 for path in (folder.path / "backups").rglob("*")} == {0}
    assert not converge(folder, newer, apply=True)["changed"]
    # 1.10 is newer than 1.2: there is no way back.
    with pytest.raises(ServiceError, match=r"tea 1\.2\.0 cannot use data of 1\.10\.0"):
        converge(folder, service, apply=True)


def test_an_upgrade_that_fails_says_so_and_can_be_repeated(folder: Folder, service: Service) -> None:
    converge(folder, service, apply=True)
    sqlite3.connect(service.databases[0]).close()
    newer = dataclasses.replace(
        service, version="2", upgrade_command=["/bin/sh", "-c", "echo $PASSWORD is wrong; exit 1"]
    )
    with pytest.raises(ServiceError, match=r"could not be brought to 2; .*\(hidden\) is wrong"):
        converge(folder, newer, apply=True)
    assert converge(folder, dataclasses.replace(newer, upgrade_command=[]), apply=True)["changed"]


def test_one_that_does_not_start_says_why_without_its_secret(
    folder: Folder, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_service, "ATTEMPTS", 2)
    broken = dataclasses.replace(service, command=[*service.command, "broken"])
    with pytest.raises(ServiceError, match="did not become healthy") as error:
        converge(folder, broken, apply=True)
    assert "the password is (hidden)" in str(error.value)
    assert secrets.read(folder, "tea-password") not in str(error.value)
    # The way back is to run it again.
    assert converge(folder, service, apply=True)["changed"]


@pytest.fixture
def state(folder: Folder, service: Service) -> dict[str, Any]:
    """Record the service as a role does, and start it."""
    result = converge(folder, service, apply=True)
    made = new_state("tests", "local", Stack("own", ("tea", "coffee")))
    made["ports"] = {"tea": {"http": int(service.command[-1])}}
    made["components"]["tea"] = {
        "version": "1.2.0",
        "package": "tea",
        "environment": str(folder.environments / "tea"),
        "health_url": service.health_url,
        "configuration": result["configuration"],
        "outputs": {},
    }
    metadata = folder.environments / "tea/lib/python3/site-packages/tea-1.2.0.dist-info/METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text("Name: tea\nVersion: 1.2.0\n", encoding="utf-8")
    return FileState(folder.state).update(lambda _none: made)


def test_stop_and_start(folder: Folder, state: dict[str, Any]) -> None:
    assert not deployment.start(folder, state, apply=True)["changed"]
    assert deployment.stop(folder, apply=True)["changed"]
    assert not processes_of(folder.path)
    assert not deployment.stop(folder, apply=True)["changed"]
    assert deployment.start(folder, state, apply=False)["changed"]
    assert not processes_of(folder.path)
    assert deployment.start(folder, state, apply=True)["changed"]
    assert len(processes_of(folder.path)) == 2


def test_one_that_cannot_be_started_again_is_named(
    folder: Folder, state: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployment, "PATIENCE", 0.1)
    deployment.stop(folder, apply=True)
    (folder.config("tea") / "server.py").write_text("raise SystemExit", encoding="utf-8")
    with pytest.raises(MatchaError, match=f"tea does not become healthy: see {folder.log('tea')}, then run provision"):
        deployment.start(folder, state, apply=True)


def test_drift(folder: Folder, state: dict[str, Any]) -> None:
    assert deployment.inspect(folder, state)["tea"]["drift"] == []
    assert deployment.inspect(folder, state)["coffee"] == {
        "recorded": False,
        "running": None,
        "healthy": False,
        "drift": ["It is not provisioned yet."],
    }
    with (folder.config("tea") / "server.py").open("a", encoding="utf-8") as stream:
        stream.write("# by hand\n")
    (folder.config("tea") / "run").unlink()
    state["ports"]["tea"]["http"] += 1
    state["components"]["tea"]["version"] = "1.3.0"
    assert deployment.inspect(folder, state)["tea"]["drift"] == [
        "Version 1.2.0 is installed, and 1.3.0 is recorded.",
        f"{folder.config('tea')}/server.py was changed.",
        f"{folder.config('tea')}/run is missing.",
        f"It does not listen on port {state['ports']['tea']['http']}.",
    ]
    shutil.rmtree(folder.environments)
    drift = deployment.inspect(folder, state)["tea"]["drift"]
    assert drift[0] == f"Its environment {folder.environments}/tea is not complete."


def test_destroy(folder: Folder, state: dict[str, Any], tmp_path: Path, wait_until: Callable[..., Any]) -> None:
    assert state
    lock = LocalLock(folder.path)
    token = str(lock.try_acquire("destroy"))
    (tmp_path / "mine").touch()
    (folder.path / "link").symlink_to(tmp_path)
    (folder.data("tea") / "link").symlink_to(tmp_path)
    before = snapshot(folder)
    planned = deployment.destroy(folder, apply=False)
    assert planned["changed"]
    assert snapshot(folder) == before
    assert processes_of(folder.path)
    assert deployment.destroy(folder, apply=True) == planned
    assert not processes_of(folder.path)
    # What a link leads to is somebody else's.
    assert (tmp_path / "mine").exists()
    # The lock is held until the end, and goes then.
    assert {path.name for path in folder.path.iterdir()} == {"lock", "lock.json", "work.lock"}
    assert not deployment.destroy(folder, apply=True)["changed"]
    lock.release(token)
    wait_until(lambda: not folder.path.exists(), "the folder is gone")
    assert not deployment.destroy(folder, apply=True)["changed"]


def test_a_destroy_that_is_interrupted_says_so_in_the_state(
    folder: Folder, state: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert state

    def interrupted(_path: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(deployment.shutil, "rmtree", interrupted)
        with pytest.raises(KeyboardInterrupt):
            deployment.destroy(folder, apply=True)
    assert json.loads(folder.state.read_text(encoding="utf-8"))["destroying"] is True
    deployment.destroy(folder, apply=True)
    assert not list(folder.path.iterdir())
