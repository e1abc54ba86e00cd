# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Kubernetes for tests: one node on this machine, or the cluster that MATCHA_TEST_KUBECONFIG names.

with running(hosts={"login.microsoftonline.com": "10.224.0.100"}) as cluster:
    cluster.kubeconfig
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.kubernetes import binaries, cgroups
from tests.kubernetes.components import Settings
from tests.kubernetes.layout import ALIASES, ISSUER, Layout, alive
from tests.kubernetes.pki import Pki
from tests.kubernetes.processes import NodeError, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
VARIABLE = "MATCHA_TEST_KUBECONFIG"
# Read before tests take everything of MATCHA_ out of the environment.
EXISTING = os.environ.get(VARIABLE)
KEEPER_TIMEOUT = 120
TOOLS = ("bash", "ip", "mount", "nsenter", "setpriv", "unshare")


class NodeNeeded(unittest.SkipTest):
    """A test asks for what only the test node can do."""


def trouble() -> str | None:
    """Say in a sentence why no node can be run on this machine; nothing if one can."""
    if sys.platform != "linux":
        return "The test node needs Linux."
    if os.geteuid() != 0:
        return "The test node needs root, for namespaces and mounts."
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        return f"The test node needs {', '.join(missing)} (packages iproute2 and util-linux)."
    if not shutil.which("go") and not binaries.built():
        return "The test node is built from Go modules, and go was not found."
    if not shutil.which("dpkg"):
        return "The test node needs containerd out of Debian's packages, and this is neither Debian nor Ubuntu."
    attempt = subprocess.run(
        ["unshare", "--net", "--pid", "--fork", "true"], capture_output=True, text=True, check=False
    )
    if attempt.returncode:
        return f"Namespaces cannot be made here: {attempt.stderr.strip()}"
    return cgroups.trouble()


def needed() -> None:
    """Skip the test where there can be no cluster, and say why; in CI that is an error."""
    reason = None if EXISTING else trouble()
    if reason and os.environ.get("CI"):
        raise NodeError(f"{reason} In CI these tests have to run.")
    if reason:
        raise NodeNeeded(reason)


@dataclass(frozen=True)
class Existing:
    """A cluster that was made elsewhere. Whatever needs the node is refused, which skips a test."""

    kubeconfig: Path

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NodeNeeded(f"{VARIABLE} names a cluster of which tests do not use {name}: that needs the test node.")


@dataclass
class Cluster:
    """A node that its keeper runs. Any number of these may talk to one keeper."""

    folder: Path
    _connection: Connection | None = None
    _lock: Any = field(default_factory=threading.Lock)

    @property
    def layout(self) -> Layout:
        return Layout(self.folder)

    @property
    def kubeconfig(self) -> Path:
        """Return the administrator's kubeconfig, whose server is https://127.0.0.1:PORT."""
        return self.folder / "kubeconfig"

    @property
    def server(self) -> str:
        return f"https://127.0.0.1:{self.layout.read()['port']}"

    @property
    def ca(self) -> Path:
        """Return the file of the authority that signed the API server's certificate."""
        return Pki(self.layout.pki).ca

    @property
    def volumes(self) -> Path:
        """Return the folder in which each volume of a claim is a folder."""
        return self.layout.volumes

    @property
    def logs(self) -> Path:
        return self.layout.logs

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return addresses in the node that are free for relays."""
        return ALIASES

    @property
    def version(self) -> str:
        return binaries.version()

    @property
    def oidc_keys(self) -> dict[str, Any]:
        """Return the public keys (JWKS) of service accounts' tokens, also while the cluster is stopped."""
        return Pki(self.layout.pki).oidc_keys()

    def start(self) -> None:
        """Start on the data of the last time, and wait until the node is Ready."""
        self._ask("start")

    def stop(self) -> None:
        """Shut down: pods, kubelet, containerd, API server, etcd. Data stays."""
        self._ask("stop")

    def kill(self) -> None:
        """Stop everything at once, as a loss of power does. Data stays."""
        self._ask("kill")

    def reset(self, issuer: str | None = None, authentication_config: Path | str | None = None) -> None:
        """Make a fresh cluster. The folder of volumes stays, and so do the port, the certificates and the images."""
        changed = {"issuer": issuer, "authentication_config": authentication_config and str(authentication_config)}
        self._ask("reset", **{name: value for name, value in changed.items() if value is not None})

    def import_image(self, tar: Path | str) -> list[str]:
        """Import an image and return its names. One that is there already takes no time."""
        names: list[str] = self._ask("import", tar=str(tar))
        return names

    def images(self) -> list[str]:
        """List the names of all images that pods can use without a registry."""
        names: list[str] = self._ask("images")
        return names

    def tag(self, source: str, target: str) -> None:
        """Give an image another name. Both are whole, with their registry."""
        self._ask("tag", source=source, target=target)

    def run(self, *command: str) -> str:
        """Run a command in the node's namespaces and return what it prints."""
        printed: str = self._ask("run", command=list(command))
        return printed

    def relay_in(self, host_port: int, address: str, port: int) -> None:
        """Let pods reach 127.0.0.1:`host_port` of this machine as `address`:`port` (see `addresses`)."""
        self._ask("relay_in", host_port=host_port, address=address, port=port)

    def relay_out(self, address: str, port: int) -> int:
        """Return a port of 127.0.0.1 that leads to an address in the node: of a service, a pod, or the node."""
        number: int = self._ask("relay_out", address=address, port=port)
        return number

    def hosts(self, hosts: dict[str, str]) -> None:
        """Let these names, and no other, lead to these addresses: `name`, or `*.name` for all below it."""
        self._ask("hosts", hosts=hosts)

    def status(self) -> dict[str, bool]:
        """Tell of each daemon whether it runs; nothing while the node is stopped."""
        running: dict[str, bool] = self._ask("status")
        return running

    def down(self) -> None:
        """Remove the node, whoever started it. What it kept in volumes stays."""
        pid = self.layout.read().get("pid")
        if pid and alive(pid):
            self._ask("down")
            wait_for(lambda: not alive(pid), "the node to be removed", 60)

    def _ask(self, name: str, **arguments: Any) -> Any:
        with self._lock:
            if self._connection is None:
                state = self.layout.read()
                if not state.get("pid") or not alive(state["pid"]):
                    raise NodeError(f"No test node runs in {self.folder}.")
                self._connection = Client(tuple(state["control"]), authkey=bytes.fromhex(state["key"]))
            try:
                self._connection.send((name, arguments))
                good, content = self._connection.recv()
            except (EOFError, OSError) as error:
                self._connection = None
                raise NodeError(f"The test node's keeper is gone: see {self.logs / 'keeper.log'}.") from error
        if not good:
            raise NodeError(content)
        return content


def start(folder: Path, settings: Settings, owned: bool, temporary: bool = False) -> tuple[Cluster, Callable[[], None]]:
    """Start a node and its keeper, and return both ends: the cluster, and what lets go of an owned one."""
    reason = trouble()
    if reason:
        raise NodeError(reason)
    # Before anything waits for it, and with its messages where a person sees them.
    binaries.node_programs()
    binaries.debian_programs()
    layout = Layout(folder.resolve())
    layout.make()
    cluster = Cluster(layout.folder)
    pid = layout.read().get("pid")
    if pid and alive(pid):
        raise NodeError(f"A test node already runs in {layout.folder}.")
    layout.write({"temporary": temporary})
    command = [sys.executable, "-m", "tests.kubernetes.keeper", str(layout.folder), *(["--owned"] if owned else [])]
    with (layout.logs / "keeper.log").open("ab") as log:
        stdin = subprocess.PIPE if owned else subprocess.DEVNULL
        keeper = subprocess.Popen(
            command, cwd=ROOT, env=binaries.ENVIRONMENT, stdin=stdin, stdout=log, stderr=log, start_new_session=True
        )

    def let_go() -> None:
        if keeper.stdin:
            keeper.stdin.close()
        keeper.wait()

    try:
        wait_for(lambda: "control" in layout.read() or keeper.poll() is not None, "the node's keeper", KEEPER_TIMEOUT)
        if keeper.poll() is not None:
            raise NodeError(f"The node's keeper ended: {(layout.logs / 'keeper.log').read_text('utf-8')[-2000:]}")
        cluster._ask("create", **asdict(settings))
    except BaseException:
        keeper.terminate()
        let_go()
        raise
    return cluster, let_go


@contextmanager
def running(
    folder: Path | None = None,
    hosts: dict[str, str] | None = None,
    issuer: str = ISSUER,
    authentication_config: Path | str | None = None,
) -> Iterator[Any]:
    """Yield a fresh cluster that is removed afterwards, or the one that MATCHA_TEST_KUBECONFIG names.

    `folder` is kept, with logs and volumes; without it there is a temporary one.
    """
    if EXISTING:
        yield Existing(Path(EXISTING))
        return
    settings = Settings(issuer, authentication_config and str(authentication_config), hosts or {})
    place = folder or Path(tempfile.mkdtemp(prefix="matcha-node-"))
    cluster, let_go = start(place, settings, owned=True, temporary=folder is None)
    try:
        yield cluster
    finally:
        let_go()
