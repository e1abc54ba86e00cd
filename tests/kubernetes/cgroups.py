# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control groups under which a node's pods run: one of its own in each hierarchy, removed with the node."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from tests.kubernetes.layout import alive

ROOT = Path("/sys/fs/cgroup")
PREFIX = "matcha-node-"
NEEDED = ("cpu", "memory", "pids")
REMOVAL_TIMEOUT = 10


def unified() -> bool:
    """Tell whether this machine has version 2 alone."""
    return (ROOT / "cgroup.controllers").exists()


def hierarchies() -> list[Path]:
    """List the folders in which a node's group has to be."""
    if unified():
        return [ROOT]
    return [
        path for path in sorted(ROOT.iterdir()) if path.is_dir() and not path.is_symlink() and os.path.ismount(path)
    ]


def trouble() -> str | None:
    """Say why no groups can be made here."""
    if not ROOT.is_dir():
        return "There are no control groups: /sys/fs/cgroup is missing."
    if unified():
        known = (ROOT / "cgroup.controllers").read_text("utf-8").split()
    else:
        known = [name for path in hierarchies() for name in path.name.split(",")]
    missing = [name for name in NEEDED if name not in known]
    if missing:
        return f"Control groups lack {', '.join(missing)}: see /proc/cgroups."
    probe = hierarchies()[0] / f"{PREFIX}probe-{os.getpid()}"
    try:
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        return f"Control groups cannot be made ({error}): this needs root, and /sys/fs/cgroup writable."
    return None


def make(name: str) -> None:
    """Make a group in every hierarchy."""
    for hierarchy in hierarchies():
        (hierarchy / name).mkdir(exist_ok=True)
    if unified():
        wanted = " ".join(f"+{name}" for name in ("cpu", "cpuset", "memory", "pids", "io", "hugetlb"))
        for one in wanted.split():
            with contextlib.suppress(OSError):
                (ROOT / "cgroup.subtree_control").write_text(one, "utf-8")


def remove(name: str) -> None:
    """Remove a group and all below it. Its processes have to be dead; the kernel may still be burying them."""
    for hierarchy in hierarchies():
        top = hierarchy / name
        end = time.monotonic() + REMOVAL_TIMEOUT
        while top.exists():
            for folder, _folders, _files in os.walk(top, topdown=False):
                with contextlib.suppress(OSError):
                    Path(folder).rmdir()
            if time.monotonic() > end:
                return
            if top.exists():
                time.sleep(0.02)


def sweep() -> None:
    """Remove what nodes left whose keeper was killed. A group's name ends with its keeper's number."""
    for hierarchy in hierarchies():
        for path in hierarchy.glob(f"{PREFIX}*"):
            number = path.name.removeprefix(PREFIX)
            if number.isdigit() and not alive(int(number)):
                remove(path.name)
