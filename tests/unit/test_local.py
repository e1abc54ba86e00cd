# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders, ports and secrets of the local target."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.matcha.mlops.plugins.module_utils.errors import MatchaError
from ansible_collections.matcha.mlops.plugins.module_utils.files import alone, make_private
from ansible_collections.matcha.mlops.plugins.module_utils.local import ports, secrets
from ansible_collections.matcha.mlops.plugins.module_utils.local.folder import Folder, default_home
from ansible_collections.matcha.mlops.plugins.module_utils.local.ports import allocate, check_ports

if TYPE_CHECKING:
    from collections.abc import Callable


def test_the_home_is_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert str(default_home()) == "/somewhere/.local/share/matcha"
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert str(Folder.of("", "tests").path) == "/data/matcha/tests"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert str(default_home()) == "/somewhere/.local/share/matcha"
    assert str(Folder.of("~/x", "tests").path) == "/somewhere/x/tests"


def test_a_path_too_long_for_a_socket() -> None:
    longest = "/" + "x" * 72
    Folder.of(longest, "tests")
    with pytest.raises(MatchaError, match="1 bytes too long for a Unix socket"):
        Folder.of(longest + "x", "tests")


@pytest.mark.parametrize("character", ["'", '"', "%", ";", ":", ",", "\n"])
def test_a_path_that_supervisor_would_misread(character: str) -> None:
    with pytest.raises(MatchaError, match="without quotes"):
        Folder.of(f"/a{character}b", "tests")


def test_folders_are_private_all_the_way(tmp_path: Path) -> None:
    make_private(tmp_path / "a" / "b")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_ports_are_kept_chosen_and_found(folder: Folder) -> None:
    recorded = {"zenml": {"http": 20001}}
    found = allocate(folder, {"zenml": {"http": None}, "mlflow": {"http": 20002}, "chroma": {"http": None}}, recorded)
    assert found["zenml"] == {"http": 20001}
    assert found["mlflow"] == {"http": 20002}
    assert found["chroma"]["http"] in range(20000, 32000)
    # What check mode shows is what will be.
    (chosen,) = allocate(folder, {"chroma": {"http": None}}, {})["chroma"].values()
    assert chosen == found["chroma"]["http"]
    # One that is asked for is nobody else's.
    found = allocate(folder, {"chroma": {"http": None}, "mlflow": {"http": chosen}}, {})
    assert found["chroma"]["http"] != chosen


def test_a_port_is_asked_for_once(folder: Folder) -> None:
    with pytest.raises(MatchaError, match="Port 20001 is asked for twice"):
        allocate(folder, {"zenml": {"http": 20001}, "mlflow": {"http": 20001}}, {})


def test_ports_of_other_deployments_are_theirs_even_if_they_are_stopped(folder: Folder) -> None:
    (first,) = allocate(folder, {"chroma": {"http": None}}, {})["chroma"].values()
    other = folder.path.parent / "other"
    other.mkdir()
    (other / "state.json").write_text(json.dumps({"ports": {"chroma": {"http": first}}}), encoding="utf-8")
    with alone(folder.path.parent):
        assert allocate(folder, {"chroma": {"http": None}}, {})["chroma"]["http"] != first
    # A damaged one does not matter here.
    (other / "state.json").write_text("{", encoding="utf-8")
    assert allocate(folder, {"chroma": {"http": None}}, {})["chroma"]["http"] == first


def test_a_port_that_a_stranger_took(folder: Folder, stranger: int) -> None:
    with pytest.raises(
        MatchaError, match=f"Port {stranger}, recorded for mlflow .http., is taken by process {os.getpid()}"
    ):
        check_ports(folder, {"mlflow": {"http": stranger}})
    check_ports(folder, {"mlflow": {}})


def test_a_port_on_which_the_deployment_itself_listens(
    folder: Folder, wait_until: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATCHA_DEPLOYMENT", str(folder.path))
    port = allocate(folder, {"tea": {"http": None}}, {})["tea"]["http"]
    script = "import socket, sys; server = socket.create_server(('127.0.0.1', int(sys.argv[1]))); input()"
    with subprocess.Popen([sys.executable, "-c", script, str(port)], stdin=subprocess.PIPE) as process:
        wait_until(lambda: not ports.is_free(port), "it listens")
        check_ports(folder, {"tea": {"http": port}})
        process.communicate(b"\n")


def test_a_recorded_port_is_kept_though_it_is_busy(folder: Folder, stranger: int) -> None:
    # It is for `check_ports` to say whose it is: another port would not be what the clients know.
    assert allocate(folder, {"tea": {"http": None}}, {"tea": {"http": stranger}}) == {"tea": {"http": stranger}}


def test_no_port_is_left(folder: Folder, stranger: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "RANGE", range(stranger, stranger + 1))
    with pytest.raises(MatchaError, match=f"No port between {stranger} and {stranger} is free: end some servers"):
        allocate(folder, {"tea": {"http": None}}, {})


def _choose(folder: Folder) -> None:
    with alone(folder.path.parent):
        chosen = allocate(folder, {"tea": {"http": None}}, {})
        folder.path.mkdir(exist_ok=True)
        folder.state.write_text(json.dumps({"ports": chosen}), encoding="utf-8")


def test_runs_that_choose_at_once_choose_different_ports(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    # So few that they would meet.
    monkeypatch.setattr(ports, "RANGE", range(20000, 20020))
    context = multiprocessing.get_context("fork")
    folders = [Folder(folder.path.parent / f"run{number}") for number in range(10)]
    runs = [context.Process(target=_choose, args=(each,)) for each in folders]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    found = [json.loads(each.state.read_text(encoding="utf-8"))["ports"]["tea"]["http"] for each in folders]
    assert len(set(found)) == len(found)


def test_secrets_are_made_once(folder: Folder) -> None:
    with ThreadPoolExecutor() as pool:
        made = list(pool.map(lambda _n: secrets.converge(folder, ["a", "b"], [], apply=True)["changed"], range(8)))
    assert made.count(True) == 1
    values = {name: secrets.read(folder, name) for name in ("a", "b")}
    assert len(set(values.values())) == 2
    assert min(len(value) for value in values.values()) >= 40
    for path in folder.secrets.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    (folder.secrets / "a").chmod(0o644)
    result = secrets.converge(folder, ["a", "b"], [], apply=True)
    assert result["diff"]["before"] == {"a": "others can read it", "b": "owner only"}
    assert (folder.secrets / "a").stat().st_mode & 0o777 == 0o600
    assert values == {name: secrets.read(folder, name) for name in ("a", "b")}


def test_check_mode_makes_no_secret(folder: Folder) -> None:
    assert secrets.converge(folder, ["a"], ["a"], apply=False)["changed"]
    assert not folder.secrets.exists()


def test_a_rotation_that_was_interrupted_goes_on(folder: Folder) -> None:
    # The first time there is nothing to rotate.
    assert secrets.converge(folder, ["a"], ["a"], apply=True)["pending"] == []
    old = secrets.read(folder, "a")
    assert secrets.converge(folder, ["a"], ["a"], apply=True)["pending"] == ["a"]
    new = secrets.read(folder, "a.new")
    # The component may have it already.
    assert not secrets.converge(folder, ["a"], ["a"], apply=True)["changed"]
    assert secrets.read(folder, "a.new") == new
    # The next run, which is not asked for one, knows; and it keeps the value.
    assert secrets.converge(folder, ["a"], [], apply=True) == {
        "changed": False,
        "diff": {"before": {"a": "owner only"}, "after": {"a": "owner only"}},
        "pending": ["a"],
    }
    assert secrets.promote(folder, ["a"], apply=False)["changed"]
    assert secrets.read(folder, "a") == old
    assert secrets.promote(folder, ["a"], apply=True)["changed"]
    assert secrets.read(folder, "a") == new != old
    assert (folder.secrets / "a").stat().st_mode & 0o777 == 0o600
    assert not secrets.promote(folder, ["a"], apply=True)["changed"]


def test_check_mode_rotates_nothing(folder: Folder) -> None:
    secrets.converge(folder, ["a"], [], apply=True)
    planned = secrets.converge(folder, ["a"], ["a"], apply=False)
    assert planned["changed"]
    assert planned["pending"] == ["a"]
    assert [path.name for path in folder.secrets.iterdir()] == ["a"]


def test_redact(folder: Folder) -> None:
    secrets.converge(folder, ["a"], [], apply=True)
    secrets.converge(folder, ["a"], ["a"], apply=True)
    said = f"it was {secrets.read(folder, 'a')} and will be {secrets.read(folder, 'a.new')}!"
    assert secrets.redact(folder, said) == "it was (hidden) and will be (hidden)!"
    assert secrets.redact(Folder(folder.path / "none"), "text") == "text"
