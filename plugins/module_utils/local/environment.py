# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python environments: made by uv from a lock file with hashes, compared with it, replaced by a new one."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import MatchaError
from ..files import make_private, read_text, write_atomically
from .folder import Folder

PYTHONS = ("3.11", "3.12")
# The packages that were installed. Written last: an environment without it was interrupted.
COMPLETE = ".complete"


class VenvError(MatchaError):
    """An environment that cannot be made."""


def uv(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run uv. It trusts what this system trusts, and never fetches a Python of its own."""
    try:
        from uv import find_uv_bin

        program = find_uv_bin()
    except (ImportError, FileNotFoundError) as error:
        raise VenvError("The Python package uv is missing: install the collection's requirements.txt.") from error
    environment = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")}
    environment.update(
        NO_COLOR="1",
        UV_NATIVE_TLS="1",
        UV_NO_CONFIG="1",
        UV_NO_PROGRESS="1",
        UV_PYTHON_DOWNLOADS="never",
        UV_SYSTEM_CERTS="1",
    )
    # Ansible's own run_command needs a module, and these libraries serve action plugins too.
    return subprocess.run(  # pylint: disable=ansible-bad-function
        [program, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        # What fences this process fences uv too: see stack/lock.py.
        close_fds=False,
        check=False,
    )


def python_version(python: str) -> str:
    """Return an interpreter's version as ``3.11``. Raises ``MatchaError`` unless it is a supported one."""
    script = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        result = subprocess.run(  # pylint: disable=ansible-bad-function
            [python, "-I", "-c", script], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise VenvError(
            f"matcha_python is {python}, and that does not run: set it to the path of a Python {' or '.join(PYTHONS)}."
        ) from error
    found = result.stdout.strip()
    if found not in PYTHONS:
        raise VenvError(
            f"{python} is Python {found}, and the components need {' or '.join(PYTHONS)}: set matcha_python to the "
            f"path of one."
        )
    return found


def locked_version(lock: str, package: str) -> str | None:
    """Return the version of a package in a lock file's text."""
    found = re.search(rf"^{re.escape(package)}==(\S+)", lock, re.MULTILINE)
    return found[1] if found else None


def installed_version(environment: Path, package: str) -> str | None:
    """Return the version of a package that an environment really has."""
    name = re.sub(r"[-_.]+", "_", package).lower()
    for path in environment.glob(f"lib/python*/site-packages/{name}-*.dist-info/METADATA"):
        found = re.search(r"^Version: (\S+)", path.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
        if found:
            return found[1]
    return None


def _packages(path: Path) -> list[str]:
    """Return what an environment really has, as ``name==version``."""
    return uv("pip", "freeze", "--python", str(path / "bin" / "python")).stdout.splitlines()


def _make(path: Path, requirements: Path, python: str) -> None:
    """Make an environment, or bring it back to its lock file."""
    complete = (path / COMPLETE).exists() and (path / "bin" / "python").exists()
    # From here on, until the end, it is not.
    (path / COMPLETE).unlink(missing_ok=True)
    if not complete:
        shutil.rmtree(path, ignore_errors=True)
        result = uv("venv", "--quiet", "--python", python, "--no-project", str(path))
        if result.returncode:
            raise VenvError(f"{python} could not make the environment {path}: {_last(result)}")
    interpreter = str(path / "bin" / "python")
    result = uv("pip", "sync", "--quiet", "--require-hashes", "--python", interpreter, str(requirements))
    if result.returncode:
        raise VenvError(
            f"The packages in {requirements} could not be installed: {_last(result)}. If the network failed, run this "
            f"again."
        )
    write_atomically(path / COMPLETE, "\n".join(_packages(path)) + "\n")


def _last(result: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in result.stderr.splitlines() if line.strip()]
    return " ".join(lines[-4:])[:600].rstrip(".") or f"exit status {result.returncode}"


def converge(
    folder: Folder, name: str, *, requirements: Path, package: str, version: str, python: str, apply: bool
) -> dict[str, Any]:
    """Bring the environment of a component to its lock file.

    An environment is made anew for another lock file or Python, beside the old one, which goes on
    running until the service is restarted. Returns ``path`` and ``version`` too.
    """
    lock = read_text(requirements)
    locked = locked_version(lock or "", package)
    if lock is None or locked is None:
        raise VenvError(f"{requirements} is no lock file with {package} in it: see matcha_{name}_requirements.")
    if version and version != locked:
        raise VenvError(
            f"matcha_{name}_version is {version}, and {requirements} locks {package} {locked}: name a lock file of "
            f"that version in matcha_{name}_requirements ('uv pip compile --generate-hashes' makes one)."
        )
    digest = hashlib.sha256(f"{lock}\n{python_version(python)}".encode()).hexdigest()[:8]
    path = folder.environments / f"{name}-{locked}-{digest}"
    before: dict[str, Any]
    after: dict[str, Any]
    complete = read_text(path / COMPLETE)
    if complete is not None and (path / "bin" / "python").exists():
        found, wanted = set(_packages(path)), set(complete.splitlines())
        before, after = {"packages": sorted(found - wanted)}, {"packages": sorted(wanted - found)}
    else:
        before, after = {"path": None}, {"path": str(path)}
    changed = before != after
    if changed and apply:
        make_private(folder.environments)
        # The service that runs from it has to be started again, whatever happens to this run.
        if folder.config(name).is_dir():
            folder.pending(name).touch(mode=0o600)
        _make(path, requirements, python)
    return {"changed": changed, "diff": {"before": before, "after": after}, "path": str(path), "version": locked}


def prune(folder: Folder, name: str, keep: Sequence[str]) -> list[str]:
    """Remove the environments of a component that are not used any more; return their paths."""
    unused = [path for path in folder.environments.glob(f"{name}-*") if str(path) not in keep]
    for path in unused:
        shutil.rmtree(path, ignore_errors=True)
    return [str(path) for path in unused]
