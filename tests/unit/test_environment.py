# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments: what is asked for, and real ones, made by uv of a package that is nowhere but here."""

from __future__ import annotations

import hashlib
import shutil
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.matcha.mlops.plugins.module_utils.local import environment
from ansible_collections.matcha.mlops.plugins.module_utils.local.environment import VenvError, installed_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ansible_collections.matcha.mlops.plugins.module_utils.local.folder import Folder


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Make wheels in a folder, with a cache of uv's own; yield the lock file's text for each version."""
    folder = tmp_path_factory.mktemp("wheels")
    locks = {}
    for version in ("1.2.3", "1.3.0"):
        path = folder / f"tea_pot-{version}-py3-none-any.whl"
        info = f"tea_pot-{version}.dist-info"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr("tea_pot.py", f"VERSION = '{version}'\n")
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tea-pot\nVersion: {version}\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", f"tea_pot.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        locks[version] = f"--no-index\n--find-links {folder}\ntea-pot=={version} \\\n    --hash=sha256:{digest}\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UV_CACHE_DIR", str(folder / "cache"))
        yield locks


@pytest.fixture
def converge(folder: Folder, wheels: dict[str, str]) -> Callable[..., dict[str, Any]]:
    """Return what converges an environment of that package."""

    def one(lock: str = "1.2.3", apply: bool = True, **options: str) -> dict[str, Any]:
        requirements = folder.path / "lock.txt"
        requirements.write_text(wheels.get(lock, lock), encoding="utf-8")
        asked = {"package": "tea-pot", "version": "", "python": sys.executable, **options}
        return environment.converge(folder, "tea", requirements=requirements, apply=apply, **asked)

    return one


@pytest.fixture
def made(converge: Callable[..., dict[str, Any]]) -> Path:
    """Return an environment that was just made."""
    return Path(converge()["path"])


def test_it_is_planned_in_check_mode(folder: Folder, converge: Callable[..., dict[str, Any]]) -> None:
    result = converge(apply=False)
    assert result["changed"]
    assert result["version"] == "1.2.3"
    assert result["diff"] == {"before": {"path": None}, "after": {"path": result["path"]}}
    assert Path(result["path"]).name.startswith("tea-1.2.3-")
    assert not folder.environments.exists()


def test_it_is_made_once(converge: Callable[..., dict[str, Any]], made: Path) -> None:
    assert installed_version(made, "tea-pot") == "1.2.3"
    assert made.parent.stat().st_mode & 0o777 == 0o700
    for apply in (False, True):
        result = converge(apply=apply)
        assert not result["changed"]
        assert result["path"] == str(made)


@pytest.mark.parametrize("damage", ["package", "interrupted", "interpreter"])
def test_a_damaged_one_is_mended(
    folder: Folder, converge: Callable[..., dict[str, Any]], made: Path, damage: str
) -> None:
    (site,) = made.glob("lib/python*/site-packages")
    if damage == "package":
        shutil.rmtree(site / "tea_pot-1.2.3.dist-info")
    else:
        (made / {"interrupted": ".complete", "interpreter": "bin/python"}[damage]).unlink()
        (site / "rest_of_it").touch()
    folder.config("tea").mkdir(parents=True)
    planned = converge(apply=False)
    assert planned["changed"]
    assert not folder.pending("tea").exists()
    assert converge()["diff"] == planned["diff"]
    # What runs from it must be started again, by whatever run comes next.
    assert folder.pending("tea").exists()
    assert installed_version(made, "tea-pot") == "1.2.3"
    # One that is not whole is made anew.
    assert not (site / "rest_of_it").exists()
    assert not converge()["changed"]


def test_a_package_that_was_added_by_hand_goes(converge: Callable[..., dict[str, Any]], made: Path) -> None:
    (site,) = made.glob("lib/python*/site-packages")
    info = site / "sugar-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sugar\nVersion: 1\n", encoding="utf-8")
    (info / "RECORD").write_text("sugar-1.dist-info/METADATA,,\nsugar-1.dist-info/RECORD,,\n", encoding="utf-8")
    assert converge()["diff"] == {"before": {"packages": ["sugar==1"]}, "after": {"packages": []}}
    assert not info.exists()


def test_another_lock_makes_another_one_beside_it(converge: Callable[..., dict[str, Any]], made: Path) -> None:
    result = converge("1.3.0")
    assert result["changed"]
    assert result["version"] == "1.3.0"
    assert {path.name for path in made.parent.iterdir()} == {made.name, Path(result["path"]).name}
    assert installed_version(made, "tea-pot") == "1.2.3"


def test_a_package_that_is_not_the_locked_one_is_refused(
    wheels: dict[str, str], converge: Callable[..., dict[str, Any]]
) -> None:
    forged = wheels["1.2.3"][:-5] + "0000\n"
    with pytest.raises(VenvError, match=r"could not be installed: Expected: sha256:.*0000 Computed:"):
        converge(forged)
    path = Path(converge(forged, apply=False)["path"])
    assert not (path / environment.COMPLETE).exists()


def test_a_package_without_a_hash_is_refused(wheels: dict[str, str], converge: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(VenvError, match=r"could not be installed: .*hash"):
        converge(wheels["1.2.3"].partition(" \\")[0] + "\n")


def test_one_that_was_interrupted_is_not_complete(
    converge: Callable[..., dict[str, Any]], made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (site,) = made.glob("lib/python*/site-packages")
    shutil.rmtree(site / "tea_pot-1.2.3.dist-info")
    uv = environment.uv

    def interrupted(*arguments: str) -> Any:
        if "sync" in arguments:
            raise KeyboardInterrupt
        return uv(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(environment, "uv", interrupted)
        with pytest.raises(KeyboardInterrupt):
            converge()
    assert not (made / environment.COMPLETE).exists()
    assert converge()["changed"]


def interpreter(folder: Folder, script: str) -> str:
    """Return the path of a program that stands for a Python."""
    path = folder.path / "python"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("script", ["echo 3.10", "echo 3.13", "echo 2.7"])
def test_a_python_that_is_not_supported(folder: Folder, converge: Callable[..., dict[str, Any]], script: str) -> None:
    sentence = f"is Python {script.split()[1]}, and the components need 3.11 or 3.12: set matcha_python"
    with pytest.raises(VenvError, match=sentence):
        converge(python=interpreter(folder, script), apply=False)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"version": "2.0"}, "matcha_tea_version is 2.0, and .* locks tea-pot 1.2.3"),
        ({"package": "coffee"}, "no lock file with coffee in it: see matcha_tea_requirements"),
        # Another package's name may end like it.
        ({"package": "pot"}, "no lock file with pot in it"),
        ({"python": "/nonexistent"}, "matcha_python is /nonexistent, and that does not run"),
        ({"python": "/bin/false"}, "that does not run"),
    ],
)
def test_one_that_cannot_be(
    folder: Folder, converge: Callable[..., dict[str, Any]], options: dict[str, str], sentence: str
) -> None:
    with pytest.raises(VenvError, match=sentence):
        converge(**options)
    assert not folder.environments.exists()


def test_a_lock_file_that_is_not_there(folder: Folder) -> None:
    with pytest.raises(VenvError, match="none is no lock file with tea in it"):
        environment.converge(
            folder, "tea", requirements=Path("none"), package="tea", version="", python=sys.executable, apply=True
        )


def test_the_version_that_is_asked_for(converge: Callable[..., dict[str, Any]]) -> None:
    assert converge(version="1.2.3", apply=False)["version"] == "1.2.3"


def test_unused_ones_go(folder: Folder) -> None:
    for name in ("tea-1-aa", "tea-2-bb", "coffee-1-cc"):
        (folder.environments / name).mkdir(parents=True)
    used = str(folder.environments / "tea-2-bb")
    assert environment.prune(folder, "tea", [used]) == [str(folder.environments / "tea-1-aa")]
    assert {path.name for path in folder.environments.iterdir()} == {"tea-2-bb", "coffee-1-cc"}
