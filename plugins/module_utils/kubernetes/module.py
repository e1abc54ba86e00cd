# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module for Kubernetes has: how a cluster is reached, the fence, and a line of progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..files import write_atomically
from ..stack.lock import LocalLock
from .client import PATIENCE, Access, Cluster

ACCESS_SPEC: dict[str, Any] = {
    "kubeconfig": {"type": "path"},
    "context": {"type": "str"},
    "openshift": {"type": "bool", "default": False},
}
# The action plugin reads what the module writes there.
PROGRESS_SPEC: dict[str, Any] = {"progress_file": {"type": "path"}}


def cluster_of(params: Mapping[str, Any], check_mode: bool = False) -> Cluster:
    """Return the cluster that the options mean. What is to be written is fenced by the run's lock."""
    token, folder = params.get("run"), params.get("deployment")

    def fence() -> None:
        if token and folder:
            LocalLock(Path(folder)).check(token)

    # A plan does not wait for a cluster that may not be there yet.
    return Cluster(Access.of(params), fence, 0 if check_mode else PATIENCE)


def sayer(params: Mapping[str, Any]) -> Callable[[str], None]:
    """Return what writes down what is awaited."""
    path = params.get("progress_file")
    last = ""

    def say(text: str) -> None:
        nonlocal last
        if path and text != last:
            last = text
            write_atomically(Path(path), text)

    return say
