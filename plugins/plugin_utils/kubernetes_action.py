# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action before every module for Kubernetes: it knows the cluster, and says what is awaited.

It works without a deployment, in anybody's playbook. Where the role ``platform`` ran, its cluster is the default;
where the role ``stack`` began a run, the run's lock fences the module.
"""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path
from typing import Any, ClassVar

from ansible.utils.display import Display

from .azure_action import AzureAction, AzureInformation
from .fenced import INTERVAL

# Options that the fact matcha_platform answers.
CLUSTER = ("kubeconfig", "context", "openshift")


def with_cluster(options: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
    """Return the options, with the platform's cluster where they name none."""
    cluster = (variables.get("matcha_platform") or {}).get("cluster") or {}
    if options.get("kubeconfig") or not cluster.get("kubeconfig"):
        return options
    return {**{key: cluster[key] for key in CLUSTER if cluster.get(key) is not None}, **options}


class KubernetesInformation(AzureInformation):
    """Run the module of the same name where the client is."""

    PLACE: ClassVar[tuple[str, ...]] = ()

    def options(self, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the module's options, with the cluster."""
        return with_cluster(super().options(variables), variables)


class KubernetesAction(AzureAction):
    """The same for a module that changes something and waits: a line says what it waits for."""

    PLACE: ClassVar[tuple[str, ...]] = ()
    _progress = ""

    def options(self, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the module's options, with the run and the cluster."""
        options = with_cluster(super().options(variables), variables)
        return {**options, "progress_file": self._progress} if self._progress else options

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Give the module a file to write down what it waits for, where it runs on this machine."""
        if self._connection.transport != "local":
            return super().run(tmp, task_vars)
        with tempfile.TemporaryDirectory(prefix="matcha-") as folder:
            self._progress = str(Path(folder) / "progress")
            return super().run(tmp, task_vars)

    def _report(self, done: threading.Event, label: str) -> None:  # type: ignore[override]
        begin = time.monotonic()
        while not done.wait(INTERVAL):
            try:
                text = Path(self._progress).read_text(encoding="utf-8") if self._progress else ""
            except OSError:
                text = ""
            awaited = f"{text}, " if text else ""
            Display().display(f"  {label}: {awaited}{time.monotonic() - begin:.0f} s so far")
