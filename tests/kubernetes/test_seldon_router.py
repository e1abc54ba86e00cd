# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The router before Seldon's models: Debian's nginx, with an API server, a DNS server and models of the test's own."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import jinja2
import pytest
import trustme

from tests.kubernetes.packages import PackagesUnavailableError, packages

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLE = Path(__file__).resolve().parents[2] / "roles" / "seldon"
NAMESPACE = "matcha-seldon-workloads"
VARIABLES = {
    "seldon_workloads": NAMESPACE,
    "matcha_seldon_router_body_size": "1m",
    "matcha_seldon_router_timeout": 30,
}
LONG = "a-model-whose-name-is-so-long-that-together-with-a-predictor"


def deployment(name: str, *predictors: dict[str, Any], **services: int) -> dict[str, Any]:
    """Make a SeldonDeployment as its operator leaves it: `services` are the ports by name."""
    known = {
        service: {"svcName": service, "httpEndpoint": f"{service}.{NAMESPACE}:{port}"}
        for service, port in services.items()
    }
    return {"metadata": {"name": name}, "spec": {"predictors": list(predictors)}, "status": {"serviceStatus": known}}


class Handler(BaseHTTPRequestHandler):
    """Answers with what the server's `answer` makes of a request."""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, content = self.server.answer(self, body)  # type: ignore[attr-defined]
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-cache, private")
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_GET  # noqa: N815 (the base class names it)

    def log_message(self, *_words: Any) -> None:
        """Print nothing."""


class Names(socketserver.BaseRequestHandler):
    """A DNS server that knows one address, for each name that is asked of it, and notes the names."""

    def handle(self) -> None:
        question, server = self.request
        labels, place = [], 12
        while question[place]:
            labels.append(question[place + 1 : place + 1 + question[place]].decode())
            place += 1 + question[place]
        asked = question[12 : place + 5]
        found = asked[-4:-2] == b"\x00\x01"
        self.server.asked.append(".".join(labels))  # type: ignore[attr-defined]
        record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04" + socket.inet_aton("127.0.0.1")
        head = question[:2] + b"\x81\x80\x00\x01" + (b"\x00\x01" if found else b"\x00\x00") + b"\x00\x00\x00\x00"
        server.sendto(head + asked + (record if found else b""), self.client_address)


@contextlib.contextmanager
def serving(server: Any) -> Iterator[int]:
    """Run a server meanwhile, and say its port."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


class World:
    """A router, and what it asks and leads to."""

    def __init__(self) -> None:
        self.url = ""
        self.token = "first"
        self.deployments: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str, str, bytes]] = []
        self.asked: list[str] = []
        self.model_port = 0

    def tell(self, handler: BaseHTTPRequestHandler, _body: bytes) -> tuple[int, Any]:
        """Answer as the API server."""
        self.asked.append(handler.path)
        if handler.headers["Authorization"] != f"Bearer {self.token}":
            return 401, {}
        found = self.deployments.get(handler.path.rpartition("/")[2])
        return (200, found) if found else (404, {})

    def infer(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, Any]:
        """Answer as any model."""
        self.requests.append((handler.command, handler.path, handler.headers["Host"], body))
        return 200, {"served": handler.path}

    def ask(self, path: str, body: bytes | None = None) -> tuple[int, Any]:
        try:
            with urlopen(Request(self.url + path, data=body), timeout=30) as answer:  # noqa: S310 (127.0.0.1)
                return answer.status, json.load(answer)
        except HTTPError as error:
            return error.code, json.load(error)


def free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


def lay(folder: Path, program: Path, servers: dict[str, int]) -> None:
    """Lay the router's own files into a folder, as its pod has them at other paths."""
    template = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False).from_string(  # noqa: S701
        (ROLE / "templates" / "nginx.conf.j2").read_text("utf-8")
    )
    paths = {
        "modules/": f"{program / 'usr/lib/nginx/modules'}/",
        "/etc/seldon-router": str(folder),
        "/var/run/secrets/kubernetes.io/serviceaccount": str(folder),
        "/tmp/": f"{folder}/",  # noqa: S108 (the pod's own)
        "listen 8080": f"listen 127.0.0.1:{servers['router']}",
        "/dev/stdout": str(folder / "access.log"),
        "/dev/stderr": str(folder / "error.log"),
    }
    script = (ROLE / "files" / "router.js").read_text("utf-8")
    for name, content in (("nginx.conf", template.render(VARIABLES)), ("router.js", script)):
        # All at once: what is put there may hold another of them.
        pattern = "|".join(re.escape(path) for path in paths)
        (folder / name).write_text(re.sub(pattern, lambda found: paths[found[0]], content), "utf-8")
    (folder / "cluster.conf").write_text(
        f"resolver 127.0.0.1:{servers['names']} valid=5s;\n"
        f"upstream kubernetes {{ server 127.0.0.1:{servers['api']}; }}\n",
        "utf-8",
    )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    try:
        program = packages(["nginx", "libnginx-mod-http-js"], depends=True)
    except PackagesUnavailableError as error:
        pytest.skip(str(error))
    made, authority = World(), trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    (tmp_path / "token").write_text("first\n", "utf-8")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("kubernetes.default.svc").configure_cert(context)
    api, models = ThreadingHTTPServer(("127.0.0.1", 0), Handler), ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.answer, models.answer = made.tell, made.infer  # type: ignore[attr-defined]
    api.socket = context.wrap_socket(api.socket, server_side=True)
    names = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Names)
    names.asked = []  # type: ignore[attr-defined]
    with serving(api) as api_port, serving(models) as made.model_port, serving(names) as names_port:
        port = free_port()
        lay(tmp_path, program, {"router": port, "api": api_port, "names": names_port})
        made.url = f"http://127.0.0.1:{port}"
        command = [program / "usr/sbin/nginx", "-p", tmp_path, "-e", tmp_path / "error.log"]
        command += ["-c", tmp_path / "nginx.conf", "-g", "daemon off;"]
        if shutil.which("id") and Path("/proc/self").owner() == "root":
            # Its workers could not read a folder of root's.
            command[-1] += " user root;"
        process = subprocess.Popen(command, stderr=(tmp_path / "stderr").open("wb"))
        try:
            wait_for(made, process, tmp_path)
            yield made
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_for(world: World, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urlopen(f"{world.url}/healthz", timeout=5) as answer:  # noqa: S310
            assert answer.status == 200
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    pytest.fail("nginx did not start: " + "".join(path.read_text() for path in folder.glob("*err*")))


def test_a_model_is_reached_by_the_path_that_zenml_calls(world: World) -> None:
    world.deployments["tea"] = deployment("tea", {"name": "default"}, **{"tea-default": world.model_port})
    status, answer = world.ask(f"/seldon/{NAMESPACE}/tea/api/v0.1/predictions", b'{"data": {"ndarray": [[1]]}}')
    assert (status, answer) == (200, {"served": "/api/v0.1/predictions"})
    ((method, path, _host, body),) = world.requests
    assert (method, path, body) == ("POST", "/api/v0.1/predictions", b'{"data": {"ndarray": [[1]]}}')


def test_what_is_escaped_stays_escaped(world: World) -> None:
    world.deployments["tea"] = deployment("tea", {"name": "default"}, **{"tea-default": world.model_port})
    assert world.ask(f"/seldon/{NAMESPACE}/tea/v2/models/a%2Fb/ready?x=%20y")[0] == 200
    assert world.requests[0][1] == "/v2/models/a%2Fb/ready?x=%20y"


def test_it_knows_the_services_of_seldons_operator(world: World) -> None:
    port = world.model_port
    hashed = "seldon-" + hashlib.md5(f"{LONG}-the-predictor".encode()).hexdigest()  # noqa: S324 (as Seldon names it)
    world.deployments[LONG] = deployment(LONG, {"name": "the-predictor"}, **{hashed: port})
    own = {"name": "default", "annotations": {"seldon.io/svc-name": "mine"}}
    world.deployments["own"] = deployment("own", own, mine=port)
    for name in (LONG, "own"):
        assert world.ask(f"/seldon/{NAMESPACE}/{name}/v2")[0] == 200


def test_predictors_share_the_traffic_and_shadows_have_none(world: World) -> None:
    predictors = [
        {"name": "old", "traffic": 0},
        {"name": "new", "traffic": 100},
        {"name": "shadow", "shadow": True, "traffic": 100},
    ]
    world.deployments["tea"] = deployment("tea", *predictors, **{"tea-new": world.model_port})
    assert {world.ask(f"/seldon/{NAMESPACE}/tea/v2")[0] for _index in range(20)} == {200}


def test_kubernetes_is_asked_once_for_many_requests_and_with_the_token_of_the_day(world: World) -> None:
    world.deployments["tea"] = deployment("tea", {"name": "default"}, **{"tea-default": world.model_port})
    assert {world.ask(f"/seldon/{NAMESPACE}/tea/v2")[0] for _index in range(5)} == {200}
    assert len(world.asked) <= 2
    assert world.asked[0] == f"/apis/machinelearning.seldon.io/v1/namespaces/{NAMESPACE}/seldondeployments/tea"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        (f"/seldon/{NAMESPACE}/coffee/v2", 404, "There is no SeldonDeployment 'coffee'"),
        (f"/seldon/{NAMESPACE}/new/v2", 503, "not served yet"),
        ("/seldon/kube-system/tea/v2", 404, "Models are at"),
        ("/_seldondeployments/tea", 404, ""),
        (f"/seldon/{NAMESPACE}/../../_seldondeployments/tea", 404, ""),
        ("/", 404, "Models are at"),
    ],
)
def test_what_is_not_served_is_told(world: World, path: str, status: int, words: str) -> None:
    world.deployments["new"] = {"metadata": {"name": "new"}, "spec": {"predictors": [{"name": "default"}]}}
    world.deployments["tea"] = deployment("tea", {"name": "default"}, **{"tea-default": world.model_port})
    request = Request(world.url + path)  # noqa: S310 (127.0.0.1)
    with pytest.raises(HTTPError) as error:
        urlopen(request, timeout=30)  # noqa: S310 (127.0.0.1)
    assert error.value.code == status
    assert words in error.value.read().decode()
    assert world.requests == []


def test_a_failure_to_ask_kubernetes_is_told_and_not_kept(world: World) -> None:
    world.deployments["tea"] = deployment("tea", {"name": "default"}, **{"tea-default": world.model_port})
    world.token = "second"
    assert world.ask(f"/seldon/{NAMESPACE}/tea/v2")[0] == 503
    world.token = "first"
    assert world.ask(f"/seldon/{NAMESPACE}/tea/v2")[0] == 200
