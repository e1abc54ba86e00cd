# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The node's namespaces and the daemons in them.

Everything that is started here dies with the thread that started it, even if that is killed: the node's first process
by a parent-death signal, and all others with it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

from tests.kubernetes import binaries
from tests.kubernetes.layout import ADDRESS, ALIASES, NODE, SERVICES, Layout

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

INSIDE = binaries.Path(__file__).with_name("inside.sh")
NAMESPACES = ["--mount", "--net", "--pid", "--ipc", "--uts"]
START_TIMEOUT = 120
GRACE = 5
# Stopped in this order: nothing loses what it still wants to write.
ENDS = ("kubelet", "kube-proxy", "coredns", "kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd")


class NodeError(RuntimeError):
    """The node does not do what it should."""


def wait_for(done: Callable[[], object], what: str, timeout: float, step: float = 0.05) -> None:
    """Ask until it is done."""
    end = time.monotonic() + timeout
    while not done():
        if time.monotonic() > end:
            raise NodeError(f"The test node waited {timeout:.0f} s in vain for {what}.")
        time.sleep(step)


@dataclass
class Namespaces:
    """What isolates the node, held by its first process."""

    layout: Layout
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    daemons: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def pid(self) -> int:
        """Return the number of the node's first process, as the machine counts."""
        children = psutil.Process(self.process.pid).children() if self.process else []
        if not children:
            raise NodeError(f"The node's namespaces could not be made: see {self.layout.logs / 'node.log'}.")
        return int(children[0].pid)

    def make(self) -> None:
        """Make the namespaces, and put mounts and network there."""
        done = self.layout.run / "inside"
        done.unlink(missing_ok=True)
        variables = {
            "NODE_FOLDER": str(self.layout.folder),
            "NODE_NAME": NODE,
            "NODE_ADDRESS": ADDRESS,
            "NODE_CIDR": "16",
            "NODE_ALIASES": " ".join(ALIASES),
            "NODE_SERVICES": SERVICES,
            "NODE_POD": str(binaries.node_programs() / "pod"),
        }
        # unshare dies with this thread, and the node with unshare.
        command = ["setpriv", "--pdeathsig", "KILL", "unshare", *NAMESPACES, "--mount-proc", "--fork"]
        command += ["--kill-child=KILL", "--", "bash", str(INSIDE)]
        self.process = self._start("node", command, variables)
        process = self.process
        wait_for(lambda: done.exists() or process.poll() is not None, "its namespaces", START_TIMEOUT)
        if process.poll() is not None:
            raise NodeError(f"The node's namespaces could not be made: {self.tail('node')}")

    def entering(self, command: list[str]) -> list[str]:
        """Return a command that runs this one in the node."""
        return ["nsenter", "--target", str(self.pid), *NAMESPACES, "--", *command]

    def run(self, command: list[str], timeout: float = 600) -> str:
        """Run a command in the node and return what it prints."""
        result = subprocess.run(
            self.entering(command),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if result.returncode:
            raise NodeError(f"'{' '.join(command)}' failed in the node: {result.stderr.strip()[-2000:]}")
        return result.stdout

    def start(self, name: str, command: list[str]) -> None:
        """Start a daemon in the node."""
        self.daemons[name] = self._start(name, self.entering(command), {})

    def check(self) -> None:
        """Fail if a daemon has ended by itself."""
        for name, process in self.daemons.items():
            if process.poll() is not None:
                raise NodeError(f"{name} ended with {process.returncode}: {self.tail(name)}")

    def end(self) -> None:
        """Stop every daemon in good order, let the pods end, and then everything else."""
        for name in ENDS:
            self._terminate(name)
        self._terminate_pods()
        self._terminate("containerd")
        self.kill()

    def kill(self) -> None:
        """End all at once, as a failing machine would."""
        if self.process:
            with contextlib.suppress(NodeError, psutil.Error):
                os.kill(self.pid, signal.SIGKILL)
            self.process.wait()
        for process in self.daemons.values():
            process.wait()
        self.process = None
        self.daemons = {}

    def tail(self, name: str) -> str:
        return self.log(name).read_text("utf-8", "replace")[-1500:] if self.log(name).exists() else "it said nothing"

    def log(self, name: str) -> Path:
        return self.layout.logs / f"{name}.log"

    def _start(self, name: str, command: list[str], variables: dict[str, str]) -> subprocess.Popen[bytes]:
        with self.log(name).open("ab") as log:
            return subprocess.Popen(
                command,
                cwd="/",
                env={**self.environment, **variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self, name: str) -> None:
        """Stop one daemon and wait until it is gone."""
        self._terminate(name)
        self.daemons.pop(name, None)

    def _terminate(self, name: str) -> None:
        process = self.daemons.get(name)
        if process is None or process.poll() is not None:
            return
        # nsenter waits for the daemon and does not hand signals on.
        with contextlib.suppress(psutil.Error):
            daemons = psutil.Process(process.pid).children()
            for daemon in daemons:
                daemon.terminate()
            # The API server would wait a minute for clients that watch.
            for daemon in psutil.wait_procs(daemons, timeout=GRACE)[1]:
                daemon.kill()
        process.wait()

    def _terminate_pods(self) -> None:
        """Tell every pod's processes to end, as a machine that is shut down does."""
        with contextlib.suppress(NodeError, psutil.Error):
            first = psutil.Process(self.pid)
            shims = [child for child in first.children() if "containerd-shim" in child.name()]
            processes = [child for shim in shims for child in shim.children(recursive=True)]
            for process in processes:
                with contextlib.suppress(psutil.Error):
                    process.terminate()
            psutil.wait_procs(processes, timeout=5)
