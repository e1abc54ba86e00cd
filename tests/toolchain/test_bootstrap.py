# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/bootstrap: on machines that lack things, interrupted, repeated, moved, at the same time."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import random

ROOT = Path(__file__).resolve().parents[2]
SYSTEM_PATH = "/usr/bin:/bin"


def python_facts(python: str) -> dict[str, object]:
    """Return what an interpreter is and where it keeps pip; nothing if it does not run."""
    script = """
import importlib.util, json, os, sys, sysconfig
paths = [sysconfig.get_config_var("WHEEL_PKG_DIR") or "", "/usr/share/python-wheels"]
for name in ("ensurepip", "pip"):
    spec = importlib.util.find_spec(name)
    paths.append(os.path.dirname(spec.origin) if spec and spec.origin else "")
print(json.dumps({"version": list(sys.version_info[:2]), "pip": sorted({p for p in paths if os.path.isdir(p)})}))
"""
    result = subprocess.run([python, "-I", "-c", script], capture_output=True, text=True, check=False)
    return json.loads(result.stdout) if not result.returncode else {}


def real_python() -> str:
    """Return an interpreter outside every environment: the system's if it is supported, else the one below this."""
    for version in ("3.12", "3.11"):
        path = f"/usr/bin/python{version}"
        if os.access(path, os.X_OK) and python_facts(path):
            return path
    return str(Path(sys.base_prefix) / "bin" / "python{}.{}".format(*sys.version_info))


def block(lock: str, name: str) -> str:
    """Return a package's lines of a lock file."""
    lines, keep = [], False
    for line in lock.splitlines():
        if line and not line.startswith((" ", "#")):
            keep = line.startswith(f"{name}==")
        if keep:
            lines.append(line)
    return "\n".join(lines) + "\n"


class Checkout:
    """A folder with just enough in it to be set up quickly."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "tools").mkdir(parents=True)
        shutil.copy2(ROOT / "tools" / "bootstrap", folder / "tools")
        self.whole = (ROOT / "requirements.txt").read_text(encoding="utf-8")
        self.lock("six")

    @property
    def python(self) -> Path:
        return self.folder / ".venv" / "bin" / "python"

    def lock(self, *names: str) -> None:
        text = "".join(block(self.whole, name) for name in ("uv", *names))
        (self.folder / "requirements.txt").write_text(text, encoding="utf-8")

    def start(self, *names: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.folder / "tools" / "bootstrap", *names],
            cwd="/",
            env={**os.environ, "PYTHON": real_python(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, **environment: str) -> tuple[int, str]:
        process = self.start(**environment)
        printed = process.communicate()[0]
        return process.returncode, printed

    def set_up(self, **environment: str) -> str:
        status, printed = self.run(**environment)
        assert not status, printed
        return printed

    def installed(self) -> set[str]:
        """Return every file of every package."""
        (packages,) = (self.folder / ".venv" / "lib").glob("python*/site-packages")
        return {str(path.relative_to(packages)) for path in packages.rglob("*")}

    def has(self, module: str) -> bool:
        return not subprocess.run(
            [self.python, "-c", f"import {module}"], stderr=subprocess.DEVNULL, check=False
        ).returncode


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "a checkout")


def fake(folder: Path, name: str, script: str) -> None:
    """Put a program into a folder."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_a_second_run_does_nothing(checkout: Checkout) -> None:
    def all_files() -> dict[Path, int]:
        return {path: path.lstat().st_ctime_ns for path in checkout.folder.rglob("*")}

    assert "Setting up .venv" in checkout.set_up()
    assert checkout.has("six")
    programs = checkout.folder / ".venv" / "bin"
    assert (programs / "uv").exists()
    fake(programs, "uv", "echo It installs.; exit 1")
    before = all_files()
    assert not checkout.set_up()
    assert all_files() == before


def test_another_lock_file_changes_the_environment_in_place(checkout: Checkout) -> None:
    checkout.set_up()
    before = checkout.python.parent.stat().st_ino
    checkout.lock("idna")
    checkout.set_up()
    assert checkout.has("idna")
    assert not checkout.has("six")
    assert checkout.python.parent.stat().st_ino == before


def test_a_moved_checkout_is_set_up_again(checkout: Checkout) -> None:
    checkout.set_up()
    checkout.folder = checkout.folder.rename(checkout.folder.with_name("moved"))
    assert "Setting up" in checkout.set_up()
    program = checkout.folder / ".venv" / "bin" / "uv"
    assert subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0


def test_a_removed_interpreter_is_replaced(checkout: Checkout) -> None:
    checkout.set_up()
    checkout.python.unlink()
    checkout.set_up()
    assert checkout.has("six")


@pytest.mark.slow
def test_what_an_interruption_left_is_mended(checkout: Checkout, rng: random.Random) -> None:
    checkout.lock("six", "pyyaml", "psutil", "azure-core")
    begun = time.monotonic()
    checkout.set_up()
    duration = time.monotonic() - begun
    whole = checkout.installed()
    for _attempt in range(5):
        shutil.rmtree(checkout.folder / ".venv")
        process = checkout.start()
        time.sleep(rng.uniform(0, duration))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        checkout.set_up()
        assert checkout.installed() == whole


def test_runs_at_the_same_time_wait_for_each_other(checkout: Checkout) -> None:
    processes = [checkout.start() for _index in range(3)]
    printed = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], printed
    assert sum("Setting up" in text for text in printed) == 1
    assert checkout.has("six")


def test_large_environments_are_shared_by_all_checkouts(tmp_path: Path) -> None:
    checkouts = [Checkout(tmp_path / name) for name in ("one", "two")]
    for checkout in checkouts:
        (checkout.folder / "tests" / "requirements").mkdir(parents=True)
        lock = checkout.folder / "tests" / "requirements" / "azcli.txt"
        lock.write_text(block(checkout.whole, "six"), encoding="utf-8")
        checkout.set_up()
    links = [checkout.folder / "build" / "venv-azcli" for checkout in checkouts]
    # Once at the same time, then after the cache was deleted.
    for _round in range(2):
        processes = [checkout.start("azcli", XDG_CACHE_HOME=str(tmp_path / "cache")) for checkout in checkouts]
        printed = [process.communicate()[0] for process in processes]
        assert [process.returncode for process in processes] == [0, 0], printed
        assert sum("Setting up" in text for text in printed) == 1
        (place,) = {link.resolve() for link in links}
        assert place.parent == tmp_path / "cache" / "matcha.mlops"
        for link in links:
            assert not subprocess.run([link / "bin" / "python", "-c", "import six"], check=False).returncode
        shutil.rmtree(place)


def test_a_python_that_does_not_run_is_passed_over(checkout: Checkout, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    for name in ("python3.12", "python3.11"):
        fake(programs, name, "echo 'shim: command not found' >&2; exit 127")
    fake(programs, "python3", f'exec {real_python()} "$@"')
    checkout.set_up(PYTHON="", PATH=f"{programs}:{SYSTEM_PATH}", PYENV_ROOT=str(tmp_path))
    assert checkout.has("six")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [("echo 3.13", "No Python 3.12 or 3.11 was found"), ("exit 1", "No Python 3.12 or 3.11 was found")],
)
def test_without_a_supported_python_it_says_so(checkout: Checkout, tmp_path: Path, answer: str, sentence: str) -> None:
    programs = tmp_path / "programs"
    for name in ("python3.12", "python3.11", "python3"):
        fake(programs, name, answer)
    status, printed = checkout.run(PYTHON="", PATH=f"{programs}:{SYSTEM_PATH}", PYENV_ROOT=str(tmp_path))
    assert status == 1
    assert printed.startswith(sentence)
    assert len(printed.splitlines()) == 1
    assert not (checkout.folder / ".venv").exists()


@pytest.mark.parametrize(("answer", "sentence"), [("echo 3.9", "is Python 3.9"), ("exit 1", "does not run")])
def test_a_chosen_python_that_will_not_do_is_refused(
    checkout: Checkout, tmp_path: Path, answer: str, sentence: str
) -> None:
    fake(tmp_path / "programs", "mine", answer)
    status, printed = checkout.run(PYTHON=str(tmp_path / "programs" / "mine"))
    assert status == 1
    assert sentence in printed
    assert len(printed.splitlines()) == 1


def test_an_altered_package_is_refused(checkout: Checkout) -> None:
    path = checkout.folder / "requirements.txt"
    text = path.read_text(encoding="utf-8")
    six = block(text, "six")
    path.write_text(text.replace(six, six.replace("sha256:", "sha256:0000")[:]), encoding="utf-8")
    status, printed = checkout.run()
    assert status == 1
    assert "could not be installed" in printed.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize("lists", ["as they are", "empty"])
def test_without_pip_ensurepip_and_uv(checkout: Checkout, tmp_path: Path, lists: str) -> None:
    """As on a fresh Debian: Python without pip, hidden in a mount namespace; a new home; Debian's package lists."""
    python = real_python()
    namespace = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not permit user and mount namespaces")
    if not shutil.which("apt-get", path=SYSTEM_PATH):
        pytest.skip("this machine is neither Debian nor Ubuntu")
    hidden = list(python_facts(python)["pip"])
    assert hidden, "nothing to hide: pip was looked for in the wrong places"
    if lists == "empty":
        hidden.append("/var/lib/apt/lists")
    home = tmp_path / "home"
    home.mkdir()
    script = 'for folder in "$@"; do mount -t tmpfs tmpfs "$folder" || exit 99; done; exec tools/bootstrap'
    result = subprocess.run(
        [*namespace, "sh", "-c", script, "sh", *hidden],
        cwd=checkout.folder,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PYENV_"))},
            "HOME": str(home),
            "PATH": SYSTEM_PATH,
            "PYTHON": python,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not result.returncode, result.stderr
    assert "python3-pip-whl" in result.stderr
    assert checkout.has("six")
