# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""containerd's folder, which keeps the images that were imported for the next node.

One node at a time has the one in the cache; others, at the same time, have one of their own.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tests.kubernetes.caches import cache_folder

if TYPE_CHECKING:
    from tests.kubernetes.processes import Namespaces

CTR = ["ctr", "--address", "/run/containerd/containerd.sock", "--namespace", "k8s.io"]


@dataclass
class Store:
    """The folder, held until the process ends."""

    own: Path
    root: Path = field(init=False)
    _lock: IO[str] | None = None

    def __post_init__(self) -> None:
        cache_folder().mkdir(parents=True, exist_ok=True)
        self._lock = (cache_folder() / ".containerd.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.root = cache_folder() / "containerd"
        except OSError:
            self._lock.close()
            self.root = self.own
        self.root.mkdir(exist_ok=True, mode=0o711)

    def clear(self, node: Namespaces) -> None:
        """Forget the containers that an earlier node had. containerd has to run, and nothing else."""
        containers = node.run([*CTR, "containers", "list", "--quiet"]).split()
        if containers:
            node.run([*CTR, "containers", "delete", *containers])
        for name in ("containers", "sandboxes"):
            shutil.rmtree(self.root / "io.containerd.grpc.v1.cri" / name, ignore_errors=True)

    def dirty(self) -> bool:
        """Tell whether an earlier node may have left containers."""
        folder = self.root / "io.containerd.grpc.v1.cri" / "sandboxes"
        return folder.is_dir() and any(folder.iterdir())

    def load(self, node: Namespaces, tar: Path) -> list[str]:
        """Import an image and return its names. What was imported before is known by its file."""
        status = tar.stat()
        mark = f"{tar}:{status.st_size}:{status.st_mtime_ns}"
        known = self._known()
        if mark in known and not set(known[mark]) - set(self.names(node)):
            return known[mark]
        printed = node.run([*CTR, "images", "import", "--snapshotter", "overlayfs", str(tar)])
        # "unpacking NAME (DIGEST)...done"
        names = [line.split()[1] for line in printed.splitlines() if line.startswith("unpacking ")]
        # Whatever had these names before has them no more.
        known = {other: had for other, had in known.items() if not set(had) & set(names)} | {mark: names}
        new = self.root / "imported.json.new"
        new.write_text(json.dumps(known, indent=2), "utf-8")
        os.replace(new, self.root / "imported.json")
        return names

    def names(self, node: Namespaces) -> list[str]:
        return node.run([*CTR, "images", "list", "--quiet"]).split()

    def _known(self) -> dict[str, list[str]]:
        with contextlib.suppress(OSError, ValueError):
            content: dict[str, list[str]] = json.loads((self.root / "imported.json").read_text("utf-8"))
            return content
        return {}
