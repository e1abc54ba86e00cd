# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways into a cluster: which pod they lead to, what a client sees when it goes, and who asks for them."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from clusters import MemoryCluster

from ansible_collections.matcha.mlops.plugins.action.stack_connect import environment_of, ways_into
from ansible_collections.matcha.mlops.plugins.module_utils import rest
from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes import about, forward
from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes.client import Access
from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes.forward import (
    Forward,
    ForwardError,
    Target,
    pod_behind,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TARGET = Target("tea", "tea", 80)


@pytest.fixture
def cluster() -> MemoryCluster:
    found = MemoryCluster()
    metadata = {"name": "tea", "namespace": "tea"}
    ports = [{"name": "grpc", "port": 9000}, {"name": "web", "port": 80, "targetPort": "http"}]
    found.put({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": ports}})
    return found


def endpoints(cluster: MemoryCluster, **pods: bool) -> None:
    metadata = {"name": "tea-1", "namespace": "tea", "labels": {"kubernetes.io/service-name": "tea"}}
    told = [
        {"conditions": {"ready": ready}, "targetRef": {"kind": "Pod", "name": name}} for name, ready in pods.items()
    ]
    ports = [{"name": "grpc", "port": 9001}, {"name": "web", "port": 8080}]
    item = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata}
    cluster.put({**item, "endpoints": told, "ports": ports})


def test_a_pod_that_is_ready(cluster: MemoryCluster) -> None:
    endpoints(cluster, old=False, new=True)
    assert pod_behind(cluster, TARGET) == ("new", 8080)
    assert pod_behind(cluster, Target("tea", "tea", 9000)) == ("new", 9001)


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        (Target("tea", "coffee", 80), "There is no Service tea/coffee"),
        (Target("tea", "tea", 81), "has no port 81"),
        (TARGET, "No pod of the Service tea/tea is ready"),
    ],
)
def test_a_way_that_leads_nowhere(cluster: MemoryCluster, target: Target, sentence: str) -> None:
    endpoints(cluster, old=False)
    with pytest.raises(ForwardError, match=sentence):
        pod_behind(cluster, target)


class Echo:
    """What stands for a pod: it says everything twice."""

    def __init__(self) -> None:
        self.connections = 0
        self.broken = False

    def connect(self) -> socket.socket:
        if self.broken:
            raise ForwardError("No pod is ready.")
        self.connections += 1
        near, far = socket.socketpair()
        threading.Thread(target=self._serve, args=(far,), daemon=True).start()
        return near

    @staticmethod
    def _serve(far: socket.socket) -> None:
        with far:
            while data := far.recv(1000):
                far.sendall(data * 2)


@pytest.fixture
def echo(monkeypatch: pytest.MonkeyPatch) -> Echo:
    found = Echo()
    monkeypatch.setattr(Forward, "_connect", lambda _self: found.connect())
    return found


@pytest.fixture
def opened() -> Iterator[Forward]:
    found = Forward(Access("/nonexistent"), TARGET)
    found.start()
    yield found
    found.close()


@contextmanager
def client(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as found:
        yield found


def test_what_is_sent_arrives_and_comes_back(echo: Echo, opened: Forward) -> None:
    with client(opened.port) as one, client(opened.port) as other:
        for connection, word in ((one, b"tea"), (other, b"pot"), (one, b"cup")):
            connection.sendall(word)
            assert connection.recv(1000) == word * 2
    assert echo.connections == 2


def test_a_connection_that_fails_ends_and_the_next_is_tried(echo: Echo, opened: Forward) -> None:
    echo.broken = True
    with client(opened.port) as connection:
        assert connection.recv(1000) == b""
    echo.broken = False
    with client(opened.port) as connection:
        connection.sendall(b"tea")
        assert connection.recv(1000) == b"teatea"


def test_closing_ends_what_is_open(echo: Echo, opened: Forward) -> None:
    with client(opened.port) as connection:
        connection.sendall(b"tea")
        assert connection.recv(1000) == b"teatea"
        opened.close()
        assert connection.recv(1000) == b""
    with pytest.raises(OSError, match="refused"), client(opened.port):
        pass
    assert echo.connections == 1


def test_it_listens_on_this_machine_alone(opened: Forward) -> None:
    assert opened._listener.getsockname()[0] == "127.0.0.1"


# Who asks for a way


@pytest.fixture
def forwarded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    calls: list[tuple[Any, ...]] = []

    @contextmanager
    def stand_in(*where: Any) -> Iterator[str]:
        if where[3] == "coffee":
            raise ForwardError("There is no Service tea/coffee.")
        calls.append(where)
        yield "http://127.0.0.1:1234"
        calls.append(("closed",))

    monkeypatch.setattr(forward, "forwarded", stand_in)
    return calls


def told(service: str = "tea") -> dict[str, Any]:
    return {"kubeconfig": "/k", "context": None, "namespace": "tea", "service": service, "port": 80}


def test_a_module_is_led_into_the_cluster(forwarded: list[tuple[Any, ...]]) -> None:
    with rest.connected({"server_url": None, "forward": told(), "username": "admin"}) as params:
        assert params == {"server_url": "http://127.0.0.1:1234", "forward": told(), "username": "admin"}
    assert forwarded == [("/k", "", "tea", "tea", 80), ("closed",)]


def test_an_address_is_taken_as_it_is(forwarded: list[tuple[Any, ...]]) -> None:
    params = {"server_url": "http://tea", "forward": None}
    with rest.connected(params) as found:
        assert found is params
    assert forwarded == []


def test_a_server_that_is_not_there_yet(forwarded: list[tuple[Any, ...]]) -> None:
    """In check mode its module then says what it would do."""
    with pytest.raises(rest.UnreachableError, match="no Service"), rest.connected({"forward": told("coffee")}):
        pass
    assert forwarded == []


@pytest.mark.parametrize("params", [{}, {"server_url": "http://tea", "forward": told()}])
def test_one_of_the_two(params: dict[str, Any]) -> None:
    with pytest.raises(rest.RestError, match="Set either server_url, or forward"), rest.connected(params):
        pass


# A user's clients

OUTPUTS: dict[str, Any] = {
    "cloud": {"flavor": "azure", "prefix": "tea", "resource-group-name": "tea-resources"},
    "pipeline": {
        "server-url": "http://zenml.zenml.svc.cluster.local",
        "server-api-key": {"secret": "zenml-api-key"},
    },
    "vector-database": {"server-url": "http://chroma.chroma.svc.cluster.local:8000"},
    "model-deployer": {"base-url": "http://seldon-router.seldon-system.svc.cluster.local"},
    "experiment-tracker": {"tracking-url": "https://mlflow.tea.example", "username": "admin"},
}


def test_only_addresses_inside_need_a_way() -> None:
    assert ways_into(OUTPUTS) == {
        "pipeline": {"namespace": "zenml", "service": "zenml", "port": 80},
        "vector-database": {"namespace": "chroma", "service": "chroma", "port": 8000},
        "model-deployer": {"namespace": "seldon-system", "service": "seldon-router", "port": 80},
    }
    assert ways_into({"pipeline": {"server-url": "http://127.0.0.1:8237"}}) == {}


def test_what_clients_read() -> None:
    urls = {"pipeline": "http://127.0.0.1:1", "vector-database": "http://127.0.0.1:2"}
    assert environment_of(OUTPUTS, urls) == {
        "ZENML_STORE_URL": "http://127.0.0.1:1",
        "ZENML_STORE_API_KEY": {"secret": "zenml-api-key"},
        "MLFLOW_TRACKING_URI": "https://mlflow.tea.example",
        "MLFLOW_TRACKING_USERNAME": "admin",
        "CHROMA_URL": "http://127.0.0.1:2",
        # In check mode nothing was opened.
        "SELDON_BASE_URL": "http://seldon-router.seldon-system.svc.cluster.local",
    }


# What enforces policies


@pytest.mark.parametrize(
    ("names", "by"),
    [
        (["kube-proxy", "cilium"], "cilium"),
        (["calico-node"], "calico"),
        (["azure-npm"], "azure"),
        (["ovnkube-node"], "ovn-kubernetes"),
        (["kube-proxy", "not-cilium"], None),
        ([], None),
    ],
)
def test_who_enforces_policies(names: list[str], by: str | None) -> None:
    sets: Callable[[str], dict[str, Any]] = lambda name: {"metadata": {"name": name}}  # noqa: E731
    assert about.enforcement(map(sets, names)) == {"enforced": by is not None, "by": by}
