# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything of the test node is: addresses as AKS gives them, and folders."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NODE = "aks-system-00000000-vmss000000"
ADDRESS = "10.224.0.4"
# Addresses on which relays listen inside, for names that the harness gives.
ALIASES = tuple(f"10.224.0.{number}" for number in range(100, 116))
SERVICES, API_SERVICE, DNS_SERVICE = "10.0.0.0/16", "10.0.0.1", "10.0.0.10"
PODS, NODE_PODS = "10.244.0.0/16", "10.244.0.0/24"
DOMAIN = "cluster.local"
PORT = 6443
PAUSE = "registry.test/pause:1"
ISSUER = f"https://kubernetes.default.svc.{DOMAIN}"
NAMES = [
    *("localhost", "127.0.0.1", ADDRESS, API_SERVICE, NODE),
    *("kubernetes", "kubernetes.default", "kubernetes.default.svc", f"kubernetes.default.svc.{DOMAIN}"),
]


@dataclass(frozen=True)
class Layout:
    """A node's folder."""

    folder: Path

    def __getattr__(self, name: str) -> Path:
        if name.startswith("_"):
            raise AttributeError(name)
        return self.folder / name

    def make(self) -> None:
        """Make the folders that a new cluster starts with."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Pods of any user look into their volumes, which lie below.
        self.folder.chmod(0o711)
        for name in ("cni", "config", "etcd", "kubelet", "logs", "run", "volumes"):
            (self.folder / name).mkdir(exist_ok=True)
        (self.folder / "etcd").chmod(0o700)

    def read(self) -> dict[str, Any]:
        """Return what the node's keeper wrote of itself; nothing if it never ran."""
        try:
            content: dict[str, Any] = json.loads((self.folder / "state.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return content

    def write(self, content: dict[str, Any]) -> None:
        """Replace that."""
        new = self.folder / "state.json.new"
        new.touch(mode=0o600)
        new.write_text(json.dumps(content, indent=2), "utf-8")
        new.rename(self.folder / "state.json")


def alive(pid: int) -> bool:
    """Tell whether a keeper with this number runs."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except OSError:
        return False
    return b"tests.kubernetes.keeper" in command and stat.rpartition(")")[2].split()[0] != "Z" and pid != os.getpid()
