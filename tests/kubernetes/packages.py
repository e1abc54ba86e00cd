# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's packages, unpacked into a cache and not installed: no script of theirs runs, and no service starts."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.kubernetes.caches import cached, key

if TYPE_CHECKING:
    from collections.abc import Iterable

# As it was before a test exported a simulator's own proxy, through which no package can be fetched.
ENVIRONMENT = {**os.environ, "LC_ALL": "C"}
OPTIONS = ["-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3", "-qq"]


class PackagesUnavailableError(RuntimeError):
    """No Debian packages are to be had on this machine."""


def packages(names: Iterable[str], depends: bool = False) -> Path:
    """Return a folder into which exactly these packages are unpacked; with `depends`, all that they need too."""
    wanted = sorted(set(names))
    release = Path("/etc/os-release").read_text("utf-8") if Path("/etc/os-release").exists() else ""
    inputs = key(" ".join(wanted), str(depends), release, os.uname().machine)
    return cached("packages", inputs, lambda folder: _make(folder, wanted, depends))


def files(names: Iterable[str], depends: bool, folder: Path) -> list[Path]:
    """Download the packages as .deb files into a folder."""
    for tool in ("apt-get", "dpkg"):
        if not shutil.which(tool):
            raise PackagesUnavailableError(f"{tool} was not found: this needs Debian or Ubuntu.")
    wanted = _closure(names) if depends else list(names)
    result = _run(["apt-get", *OPTIONS, "download", *wanted], folder)
    if result.returncode:
        # The lists are missing, or older than what the archive still has.
        _run(["apt-get", *OPTIONS, "update"], folder)
        result = _run(["apt-get", *OPTIONS, "download", *wanted], folder)
    if result.returncode:
        raise PackagesUnavailableError(
            f"Debian's packages {', '.join(wanted)} could not be downloaded: {result.stderr.strip()}"
        )
    return sorted(folder.glob("*.deb"))


def _make(folder: Path, names: list[str], depends: bool) -> None:
    archives = folder / ".archives"
    archives.mkdir()
    for archive in files(names, depends, archives):
        subprocess.run(["dpkg", "-x", str(archive), str(folder)], check=True)
    shutil.rmtree(archives)
    # dpkg gives the folder the mode of the package's root.
    folder.chmod(0o755)


def _closure(names: Iterable[str]) -> list[str]:
    """List what apt would install on a machine on which nothing is."""
    command = ["apt-get", *OPTIONS, "-o", "Dir::State::status=/dev/null", "-o", "APT::Install-Recommends=false"]
    command += ["install", "--print-uris", "--yes", *names]
    result = _run(command, Path("/"))
    if result.returncode:
        _run(["apt-get", *OPTIONS, "update"], Path("/"))
        result = _run(command, Path("/"))
    if result.returncode:
        raise PackagesUnavailableError(f"apt knows no way to install {', '.join(names)}: {result.stderr.strip()}")
    # 'ADDRESS' NAME_VERSION_ARCHITECTURE.deb SIZE SUM
    return [line.split()[1].split("_")[0] for line in result.stdout.splitlines() if line.startswith("'")]


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)
