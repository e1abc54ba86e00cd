# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders, ports, secrets and environments of the local target."""

from __future__ import annotations

import json
import os
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ansible_collections.matcha.mlops.plugins.module_utils.errors import MatchaError
from ansible_collections.matcha.mlops.plugins.module_utils.files import make_private
from ansible_collections.matcha.mlops.plugins.module_utils.local import environment, secrets
from ansible_collections.matcha.mlops.plugins.module_utils.local.folder import Folder, default_home
from ansible_collections.matcha.mlops.plugins.module_utils.local.ports import allocate, check_ports, choosing

if TYPE_CHECKING:
    from collections.abc import Iterator


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


@pytest.fixture
def stranger() -> Iterator[int]:
    """Yield a port on which this process, which is none of the deployment's, listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_ports_are_kept_chosen_and_found(folder: Folder) -> None:
    recorded = {"zenml": {"http": 20001}}
    found = allocate(folder, {"zenml": {"http": None}, "mlflow": {"http": 20002}, "chroma": {"http": None}}, recorded)
    assert found["zenml"] == {"http": 20001}
    assert found["mlflow"] == {"http": 20002}
    assert found["chroma"]["http"] in range(20000, 32000)
    # What check mode shows is what will be.
    assert allocate(folder, {"chroma": {"http": None}}, {}) == {"chroma": {"http": found["chroma"]["http"]}}


def test_a_port_is_asked_for_once(folder: Folder) -> None:
    with pytest.raises(MatchaError, match="Port 20001 is asked for twice"):
        allocate(folder, {"zenml": {"http": 20001}, "mlflow": {"http": 20001}}, {})


def test_ports_of_other_deployments_are_theirs_even_if_they_are_stopped(folder: Folder) -> None:
    (first,) = allocate(folder, {"chroma": {"http": None}}, {})["chroma"].values()
    other = folder.path.parent / "other"
    other.mkdir()
    (other / "state.json").write_text(json.dumps({"ports": {"chroma": {"http": first}}}), encoding="utf-8")
    with choosing(folder.path.parent):
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
    # The next run, which is not asked for one, knows; and it keeps the value.
    assert secrets.converge(folder, ["a"], [], apply=True) == {
        "changed": False,
        "diff": {"before": {"a": "owner only"}, "after": {"a": "owner only"}},
        "pending": ["a"],
    }
    assert secrets.promote(folder, ["a"], apply=True)["changed"]
    assert secrets.read(folder, "a") == new != old
    assert not secrets.promote(folder, ["a"], apply=True)["changed"]


def test_redact(folder: Folder) -> None:
    secrets.converge(folder, ["a"], [], apply=True)
    assert secrets.redact(folder, f"it is {secrets.read(folder, 'a')}!") == "it is (hidden)!"
    assert secrets.redact(Folder(folder.path / "none"), "text") == "text"


LOCK = "tea==1.2.3 \\\n    --hash=sha256:00\nteapot==9 \\\n    --hash=sha256:00\n"


def plan(folder: Folder, **options: str) -> dict[str, object]:
    (folder.path / "lock.txt").write_text(LOCK, encoding="utf-8")
    asked = {"package": "tea", "version": "", "python": sys.executable, **options}
    return environment.converge(folder, "tea", requirements=folder.path / "lock.txt", apply=False, **asked)


def test_an_environment_is_planned(folder: Folder) -> None:
    result = plan(folder)
    assert result["changed"]
    assert result["version"] == "1.2.3"
    assert Path(str(result["path"])).name.startswith("tea-1.2.3-")
    assert not folder.environments.exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"version": "2.0"}, "matcha_tea_version is 2.0, and .* locks tea 1.2.3"),
        ({"package": "coffee"}, "no lock file with coffee in it"),
        ({"python": "/nonexistent"}, "that does not run"),
        ({"python": "/bin/echo"}, "and the components need 3.11 or 3.12"),
    ],
)
def test_an_environment_that_cannot_be(folder: Folder, options: dict[str, str], sentence: str) -> None:
    with pytest.raises(MatchaError, match=sentence):
        plan(folder, **options)


def test_unused_environments_go(folder: Folder) -> None:
    for name in ("tea-1-aa", "tea-2-bb", "coffee-1-cc"):
        (folder.environments / name).mkdir(parents=True)
    assert environment.prune(folder, "tea", [str(folder.environments / "tea-2-bb")]) == [
        str(folder.environments / "tea-1-aa")
    ]
    assert {path.name for path in folder.environments.iterdir()} == {"tea-2-bb", "coffee-1-cc"}
