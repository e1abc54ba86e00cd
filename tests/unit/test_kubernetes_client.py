# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a cluster is reached: kubeconfig, a server that is busy or gone, what it warns of, and the fence."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from clusters import Clock

from ansible_collections.matcha.mlops.plugins.module_utils.errors import MatchaError
from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes import client
from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes.client import Access, Cluster
from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes.errors import KubernetesError, UnreachableError
from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes.module import cluster_of, sayer
from ansible_collections.matcha.mlops.plugins.module_utils.stack.lock import LockError

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "t0ken-of-tea"
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "tea", "namespace": "tea"}}
DISCOVERY: dict[str, Any] = {
    "/version": {"gitVersion": "v1.36.3"},
    "/apis": {"kind": "APIGroupList", "groups": []},
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [
            {"name": "configmaps", "singularName": "configmap", "namespaced": True, "kind": "ConfigMap", "verbs": []}
        ],
    },
}


class Api(BaseHTTPRequestHandler):
    """An API server of few words."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        server: Any = self.server
        path, _, query = self.path.partition("?")
        server.seen.append((self.command, path, query, self.headers.get("Authorization"), body))
        if path in DISCOVERY:
            return self.send(200, DISCOVERY[path])
        status, content, headers = server.answers.pop(0) if server.answers else (200, CONFIG, {})
        return self.send(status, content, headers)

    do_GET = do_PATCH = do_DELETE = answer  # noqa: N815

    def send(self, status: int, content: Any, headers: dict[str, str] | None = None) -> None:
        data = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def api() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.seen, server.answers = [], []
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def kubeconfig(folder: Path, port: int) -> str:
    path = folder / "kubeconfig"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "tea", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "tea", "user": {"token": TOKEN}}],
        "contexts": [{"name": "tea", "context": {"cluster": "tea", "user": "tea"}}],
        "current-context": "tea",
    }
    path.write_text(yaml.safe_dump(content))
    return str(path)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(client, "time", found)
    return found


@pytest.fixture
def cluster(api: Any, tmp_path: Path, clock: Clock) -> Cluster:
    del clock
    return Cluster(Access(kubeconfig(tmp_path, api.server_address[1])))


def status(code: int, message: str, reason: str) -> dict[str, Any]:
    return {"kind": "Status", "code": code, "message": message, "reason": reason}


@pytest.mark.parametrize("openshift", [False, True])
def test_an_object_is_applied_on_the_server(api: Any, tmp_path: Path, openshift: bool) -> None:
    cluster = Cluster(Access(kubeconfig(tmp_path, api.server_address[1]), "tea", openshift))
    assert cluster.apply(CONFIG) == CONFIG
    method, path, query, authorization, body = api.seen[-1]
    assert (method, path) == ("PATCH", "/api/v1/namespaces/tea/configmaps/tea")
    assert query == "fieldManager=matcha.mlops&force=true"
    assert authorization == f"Bearer {TOKEN}"
    assert json.loads(body) == CONFIG
    cluster.apply(CONFIG, force=False, dry_run=True)
    assert sorted(api.seen[-1][2].split("&")) == ["dryRun=All", "fieldManager=matcha.mlops", "force=false"]
    # What the API offers is asked for once.
    assert [each[1] for each in api.seen].count("/api/v1") == 1


def test_what_it_learns_is_in_no_file_of_others(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    cluster.read(CONFIG)
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    "busy",
    [
        status(503, "the server is currently unable to handle the request", "ServiceUnavailable"),
        status(429, "too many requests", "TooManyRequests"),
        status(500, "etcdserver: leader changed", "InternalError"),
        status(504, "request timed out", "Timeout"),
    ],
)
def test_a_busy_server_is_asked_again(api: Any, cluster: Cluster, clock: Clock, busy: dict[str, Any]) -> None:
    api.answers += [(busy["code"], busy, {})] * 3
    assert cluster.read(CONFIG) == CONFIG
    assert clock.naps == [client.PAUSE] * 3


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (status(409, 'conflict with "kubectl": .data', "Conflict"), "Set force_conflicts=true"),
        (status(403, "User joe cannot patch", "Forbidden"), "Give who signs in the right"),
        (status(500, "failed to create typed patch object: .data: expected map", ""), "expected map"),
    ],
)
def test_a_refusal_is_not_tried_again(
    api: Any, cluster: Cluster, clock: Clock, answer: dict[str, Any], sentence: str
) -> None:
    api.answers += [(answer["code"], answer, {})]
    with pytest.raises(KubernetesError, match=sentence) as caught:
        cluster.apply(CONFIG)
    assert str(caught.value).startswith("Applying ConfigMap tea/tea: ")
    assert clock.naps == []


def test_a_server_that_stays_busy_is_given_up(api: Any, cluster: Cluster, clock: Clock) -> None:
    api.answers += [(503, "upstream is gone", {})] * 100
    begin = clock.now
    with pytest.raises(KubernetesError, match="upstream is gone"):
        cluster.read(CONFIG)
    assert clock.now - begin == pytest.approx(client.PATIENCE, abs=2)


def test_nobody_answers(tmp_path: Path, clock: Clock) -> None:
    cluster = Cluster(Access(kubeconfig(tmp_path, 1)))
    with pytest.raises(UnreachableError) as caught:
        cluster.read(CONFIG)
    assert "the API server does not answer (" in str(caught.value)
    assert "refused" in str(caught.value)
    assert "object at" not in str(caught.value)
    assert len(clock.naps) == pytest.approx(client.PATIENCE, abs=2)


def test_a_plan_does_not_wait(tmp_path: Path, clock: Clock) -> None:
    told = {"kubeconfig": kubeconfig(tmp_path, 1), "context": None, "openshift": False}
    with pytest.raises(UnreachableError):
        cluster_of(told, check_mode=True).read(CONFIG)
    assert clock.naps == []


def test_what_answers_is_no_api_server(api: Any, cluster: Cluster) -> None:
    api.answers += [(200, "<html>", {})]
    with pytest.raises(KubernetesError, match="what answers is no API server"):
        cluster.read(CONFIG)


@pytest.mark.parametrize("content", ["{", f"token: {TOKEN}: x", "users: 3", f"users: [{{name: {TOKEN}}}]"])
def test_a_malformed_kubeconfig_is_not_quoted(tmp_path: Path, content: str) -> None:
    (tmp_path / "kubeconfig").write_text(content)
    with pytest.raises(UnreachableError, match="cannot be used") as caught:
        Cluster(Access(str(tmp_path / "kubeconfig"))).read(CONFIG)
    assert TOKEN not in str(caught.value)


def test_a_kubeconfig_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match="there is no such file"):
        Cluster(Access(str(tmp_path / "none"))).read(CONFIG)


def test_a_context_that_is_not_there(api: Any, tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match="coffee"):
        Cluster(Access(kubeconfig(tmp_path, api.server_address[1]), "coffee")).read(CONFIG)


def test_what_the_server_warns_of_is_kept_once(api: Any, cluster: Cluster) -> None:
    warning = {"Warning": '299 - "would violate PodSecurity \\"restricted:latest\\""'}
    api.answers += [(200, CONFIG, warning), (200, CONFIG, warning)]
    cluster.apply(CONFIG)
    cluster.apply(CONFIG)
    assert cluster.warnings == ['would violate PodSecurity "restricted:latest"']


def test_all_pages_of_a_list(api: Any, cluster: Cluster) -> None:
    first = {"metadata": {"continue": "more"}, "items": [{"metadata": {"name": "a"}}]}
    api.answers += [(200, first, {}), (200, {"metadata": {}, "items": [{"metadata": {"name": "b"}}]}, {})]
    found = cluster.list("v1", "ConfigMap", "tea", label_selector="a=b")
    assert [each["metadata"]["name"] for each in found] == ["a", "b"]
    assert found[0]["kind"] == "ConfigMap"
    assert "continue=more" in api.seen[-1][2]
    assert "labelSelector=a%3Db" in api.seen[-1][2]


def test_a_missing_namespace_is_a_sentence(cluster: Cluster) -> None:
    with pytest.raises(MatchaError, match=r"ConfigMap tea needs metadata\.namespace"):
        cluster.read({**CONFIG, "metadata": {"name": "tea"}})


def test_each_write_is_behind_the_fence(api: Any, tmp_path: Path) -> None:
    def fence() -> None:
        raise LockError("This run does not hold the lock any more.")

    cluster = Cluster(Access(kubeconfig(tmp_path, api.server_address[1])), fence)
    cluster.read(CONFIG)
    cluster.apply(CONFIG, dry_run=True)
    for write in (cluster.apply, cluster.delete):
        with pytest.raises(LockError):
            write(CONFIG)
    assert [each[0] for each in api.seen if each[0] != "GET"] == ["PATCH"]


def test_a_deletion_is_of_what_was_read(api: Any, cluster: Cluster) -> None:
    api.answers += [(409, status(409, "the UID in the precondition does not match", "Conflict"), {})]
    # Another one of the same name is none of ours.
    cluster.delete({**CONFIG, "metadata": {**CONFIG["metadata"], "uid": "1"}})
    assert json.loads(api.seen[-1][4])["preconditions"] == {"uid": "1"}


def test_progress_is_written_down(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    say = sayer({"progress_file": str(path)})
    say("waiting for tea")
    assert path.read_text() == "waiting for tea"
    say("waiting for more tea")
    assert path.read_text() == "waiting for more tea"
    sayer({"progress_file": None})("nobody listens")
