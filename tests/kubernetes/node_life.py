# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a test node: made, started, stopped, started again on the same data, made anew, removed."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import ssl
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kubernetes
import urllib3

from tests.kubernetes import binaries, cgroups
from tests.kubernetes.components import Components, Settings, first_objects
from tests.kubernetes.images.oci import from_scratch
from tests.kubernetes.layout import ADDRESS, NAMES, NODE, PAUSE, PORT
from tests.kubernetes.pki import Pki
from tests.kubernetes.processes import Namespaces, NodeError, wait_for
from tests.kubernetes.relay import Relays
from tests.kubernetes.store import CTR, Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.kubernetes.layout import Layout

BOOT_TIMEOUT = 300


@dataclass
class Node:
    """One node. Methods that are called do_… are what a harness may ask for."""

    layout: Layout
    cgroup: str
    settings: Settings = field(default_factory=Settings)
    relays: Relays = field(default_factory=Relays)
    namespaces: Namespaces | None = None
    provisioner: subprocess.Popen[bytes] | None = None
    started: float = 0.0

    def __post_init__(self) -> None:
        self.port = self.relays.from_host((ADDRESS, PORT))
        self.store = Store(self.layout.folder / "containerd")
        self.pki = Pki(self.layout.pki)
        self.kubeconfig = self.layout.folder / "kubeconfig"

    def do_create(self, **settings: Any) -> None:
        """Start for the first time."""
        self.settings = Settings(**settings)
        self.pki.make(NODE, NAMES)
        self.pki.kubeconfig("admin", f"https://127.0.0.1:{self.port}", self.kubeconfig)
        self.do_start()

    def do_start(self) -> None:
        """Start, on the data of the last time."""
        if self.namespaces:
            return
        self.started = time.time()
        cgroups.make(self.cgroup)
        components = Components(self.layout, self.settings, self.store.root, self.cgroup)
        components.write()
        self._choose_iptables()
        namespaces = Namespaces(self.layout, binaries.environment(self.layout.config / "bin"))
        self.namespaces = namespaces
        try:
            namespaces.make()
            self.relays.enter(namespaces.pid)
            self._start_daemons(namespaces, components.commands())
            self._wait()
        except BaseException:
            self.do_kill()
            raise

    def _start_daemons(self, namespaces: Namespaces, commands: dict[str, list[str]]) -> None:
        namespaces.start("containerd", commands["containerd"])
        namespaces.start("etcd", commands["etcd"])
        namespaces.start("kube-apiserver", commands["kube-apiserver"])
        self._wait_for_containerd(namespaces)
        self.store.load(namespaces, pause_image())
        if self.fresh and self.store.dirty():
            self.store.clear(namespaces)
            namespaces.stop("containerd")
            namespaces.start("containerd", commands["containerd"])
            self._wait_for_containerd(namespaces)
        wait_for(lambda: self._asked(self._api_ready), "the API server", BOOT_TIMEOUT)
        # These end at once where the API server does not know their rights yet.
        for name in ("kubelet", "coredns", "kube-controller-manager", "kube-scheduler", "kube-proxy"):
            namespaces.start(name, commands[name])

    @property
    def fresh(self) -> bool:
        """Tell whether this cluster has run nothing yet."""
        return not any((self.layout.kubelet).iterdir())

    def _wait_for_containerd(self, namespaces: Namespaces) -> None:
        def answers() -> bool:
            namespaces.check()
            with contextlib.suppress(NodeError):
                namespaces.run([*CTR, "version"])
                return True
            return False

        wait_for(answers, "containerd", BOOT_TIMEOUT, 0.1)

    def _choose_iptables(self) -> None:
        """Take the tables that this kernel has, tried in a network of its own."""
        for kind in ("nft", "legacy"):
            binaries.iptables(self.layout.config / "bin", kind)
            command = ["unshare", "--net", "--mount", "bash", "-c", "mount -t tmpfs tmpfs /run && iptables -t nat -S"]
            environment = binaries.environment(self.layout.config / "bin")
            if subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0:
                return
        raise NodeError("iptables works neither with nf_tables nor with ip_tables: the kernel lacks both.")

    def _asked(self, question: Callable[[], Any]) -> Any:
        """Return what a question brings; nothing while it has no answer yet, unless that is because a daemon ended."""
        if self.namespaces:
            self.namespaces.check()
        try:
            return question()
        except (kubernetes.client.ApiException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError):
            return None

    def _wait(self) -> None:
        """Wait until the node is Ready and a pod could be made."""
        api = self.api()
        core = kubernetes.client.CoreV1Api(api)
        self._first_objects(api)
        self.provisioner = self._start_provisioner()

        def ready() -> bool:
            conditions = {one.type: one for one in core.read_node(NODE).status.conditions}
            # What the kubelet of the last start said does not count.
            said = conditions["Ready"].last_heartbeat_time.timestamp() >= int(self.started)
            return said and conditions["Ready"].status == "True"

        def account() -> Any:
            return core.read_namespaced_service_account("default", "default")

        wait_for(lambda: self._asked(ready), "the node to be Ready", BOOT_TIMEOUT)
        wait_for(lambda: self._asked(account), "a service account in the namespace default", BOOT_TIMEOUT)

    def _api_ready(self) -> bool:
        tls = ssl.create_default_context(cafile=self.pki.ca)
        tls.load_cert_chain(self.pki.folder / "admin.crt", self.pki.folder / "admin.key")
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=tls)
        with contextlib.closing(connection):
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200

    def _first_objects(self, api: kubernetes.client.ApiClient) -> None:
        for definition in first_objects():
            with contextlib.suppress(kubernetes.utils.FailToCreateError):
                kubernetes.utils.create_from_dict(api, definition)

    def _start_provisioner(self) -> subprocess.Popen[bytes]:
        command = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "tests.kubernetes.provisioner"]
        command += [str(self.kubeconfig), str(self.layout.volumes)]
        with (self.layout.logs / "provisioner.log").open("ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def api(self) -> kubernetes.client.ApiClient:
        """Return a client that asks no proxy."""
        configuration = kubernetes.client.Configuration()
        kubernetes.config.load_kube_config(str(self.kubeconfig), client_configuration=configuration)
        configuration.proxy = None
        configuration.retries = False
        return kubernetes.client.ApiClient(configuration)

    def do_stop(self) -> None:
        """Stop as a machine does that is shut down. Data stays."""
        self._leave()
        if self.namespaces:
            self.namespaces.end()
        self.namespaces = None
        # As after a reboot: in groups that are left, a kubelet looks for containers, for half a minute.
        cgroups.remove(self.cgroup)

    def do_kill(self) -> None:
        """Stop as a machine does that loses its power."""
        self._leave()
        if self.namespaces:
            self.namespaces.kill()
        self.namespaces = None
        cgroups.remove(self.cgroup)

    def _leave(self) -> None:
        self.relays.leave()
        provisioner, self.provisioner = self.provisioner, None
        if provisioner:
            provisioner.kill()
            provisioner.wait()

    def do_reset(self, **settings: Any) -> None:
        """Make the cluster anew, with these settings changed. Volumes' folders stay."""
        self.do_kill()
        self._forget()
        self.layout.make()
        self.settings = Settings(**{**asdict(self.settings), **settings})
        self.do_start()

    def _forget(self) -> None:
        for name in ("cni", "etcd", "kubelet", "run", "config"):
            shutil.rmtree(self.layout.folder / name, ignore_errors=True)

    def remove(self) -> None:
        """Leave nothing but logs and volumes."""
        self.do_kill()
        self.relays.close()
        self._forget()
        shutil.rmtree(self.layout.folder / "containerd", ignore_errors=True)

    def do_import(self, tar: str) -> list[str]:
        return self.store.load(self._running(), Path(tar))

    def do_images(self) -> list[str]:
        return self.store.names(self._running())

    def do_tag(self, source: str, target: str) -> None:
        self._running().run([*CTR, "images", "tag", "--force", source, target])

    def do_run(self, command: list[str]) -> str:
        return self._running().run(command)

    def do_relay_in(self, host_port: int, address: str, port: int) -> None:
        self.relays.from_node((address, port), ("127.0.0.1", host_port))

    def do_relay_out(self, address: str, port: int) -> int:
        return self.relays.from_host((address, port))

    def do_hosts(self, hosts: dict[str, str]) -> None:
        """Let these names lead somewhere else."""
        self.settings.hosts = hosts
        Components(self.layout, self.settings, self.store.root, self.cgroup).write_names()
        if self.namespaces:
            commands = Components(self.layout, self.settings, self.store.root, self.cgroup).commands()
            self.namespaces.stop("coredns")
            self.namespaces.start("coredns", commands["coredns"])

    def do_status(self) -> dict[str, Any]:
        running = self.namespaces.daemons if self.namespaces else {}
        return {name: process.poll() is None for name, process in running.items()}

    def _running(self) -> Namespaces:
        if not self.namespaces:
            raise NodeError("The test node is stopped: start it first.")
        return self.namespaces


def pause_image() -> Path:
    """Return the image of the program that holds a pod's namespaces."""
    return from_scratch(PAUSE, {"/pod": binaries.node_programs() / "pod"}, ["/pod", "pause"])
