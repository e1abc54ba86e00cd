# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A port of this machine that leads to a Service in a cluster, through the API server and with its authentication.

Each connection looks for a ready pod anew, so a pod may be replaced meanwhile.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from ..errors import MatchaError
from .client import Access, Cluster
from .model import Object

HOST = "127.0.0.1"
SIZE = 64 * 1024


class ForwardError(MatchaError):
    """The Service is not there, or no pod of it is ready."""


@dataclass(frozen=True)
class Target:
    """A Service's port."""

    namespace: str
    service: str
    port: int

    def __str__(self) -> str:
        """Return it as people know it."""
        return f"{self.namespace}/{self.service}:{self.port}"


def pod_behind(cluster: Cluster, target: Target) -> tuple[str, int]:
    """Return a ready pod of a Service, and the port that it listens on. Raises ``ForwardError``."""
    metadata = {"namespace": target.namespace, "name": target.service}
    service = cluster.read({"apiVersion": "v1", "kind": "Service", "metadata": metadata})
    if service is None:
        raise ForwardError(f"There is no Service {target.namespace}/{target.service}: provision makes it.")
    name = next((each.get("name", "") for each in service["spec"]["ports"] if each["port"] == target.port), None)
    if name is None:
        raise ForwardError(f"The Service {target.namespace}/{target.service} has no port {target.port}.")
    label = f"kubernetes.io/service-name={target.service}"
    slices = cluster.list("discovery.k8s.io/v1", "EndpointSlice", target.namespace, label_selector=label)
    for each in slices:
        found = _ready(each, name)
        if found:
            return found
    raise ForwardError(f"No pod of the Service {target.namespace}/{target.service} is ready: see what its pods say.")


def _ready(found: Object, name: str) -> tuple[str, int] | None:
    port = next((each["port"] for each in found.get("ports") or () if (each.get("name") or "") == name), None)
    for endpoint in found.get("endpoints") or ():
        reference = endpoint.get("targetRef") or {}
        if port and reference.get("kind") == "Pod" and (endpoint.get("conditions") or {}).get("ready", True):
            return str(reference["name"]), int(port)
    return None


class Forward:
    """A listening port, and what connects to it. Closing it ends every connection."""

    def __init__(self, access: Access, target: Target, port: int = 0) -> None:
        """Listen on a port of 127.0.0.1; any free one, unless told. Raises ``OSError``."""
        self.access, self.target = access, target
        self._clusters: dict[float, Cluster] = {}
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._listener = socket.create_server((HOST, port))
        self.port = int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        """Return the address to use."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Take connections from now on."""
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """End it."""
        # Closing alone would leave the thread in accept().
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._guard:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def check(self) -> None:
        """Raise what a connection would fail with."""
        pod_behind(self._cluster(), self.target)

    def _cluster(self) -> Cluster:
        """Return the cluster; another token in the kubeconfig is taken up."""
        changed = os.path.getmtime(self.access.kubeconfig) if os.path.exists(self.access.kubeconfig) else 0.0
        with self._guard:
            if changed not in self._clusters:
                self._clusters = {changed: Cluster(self.access, patience=5)}
            return self._clusters[changed]

    def _accept(self) -> None:
        while True:
            try:
                near, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with self._guard:
            self._open.add(near)
        try:
            far = self._connect()
        except (MatchaError, OSError):
            # A client sees a connection that ends; the next one tries again.
            self._forget(near)
            return
        threading.Thread(target=_pump, args=(far, near), daemon=True).start()
        _pump(near, far)
        far.close()
        self._forget(near)

    def _forget(self, near: socket.socket) -> None:
        with self._guard:
            self._open.discard(near)
        near.close()

    def _connect(self) -> Any:
        """Return what is like a socket, which leads to a pod."""
        from kubernetes import client as kubernetes
        from kubernetes.stream import portforward

        cluster = self._cluster()
        pod, port = pod_behind(cluster, self.target)
        # The stream's functions change the client that they are given: one for each connection.
        api = kubernetes.CoreV1Api(kubernetes.ApiClient(cluster.client.configuration))
        try:
            found = portforward(api.connect_get_namespaced_pod_portforward, pod, self.target.namespace, ports=str(port))
        except kubernetes.ApiException as error:
            raise ForwardError(f"{self.target} cannot be reached: {error.reason}") from error
        return found.socket(port)


def _pump(source: Any, sink: Any) -> None:
    """Move what comes from one to the other until either ends, and end the other."""
    with suppress(OSError):
        while True:
            data = source.recv(SIZE)
            if not data:
                break
            sink.sendall(data)
    for each in (source, sink):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@contextmanager
def forwarded(kubeconfig: str, context: str, namespace: str, service: str, port: int) -> Iterator[str]:
    """Yield the address on this machine of a Service in a cluster. Raises ``MatchaError`` where it is not ready."""
    forward = Forward(Access(kubeconfig, context), Target(namespace, service, port))
    try:
        forward.check()
        forward.start()
        yield forward.url
    finally:
        forward.close()
