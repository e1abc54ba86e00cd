# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small HTTP servers for tests: real ones on 127.0.0.1, one of which is as much of ZenML as its client needs."""

from __future__ import annotations

import json
import socket
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class Request:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    body: str
    authorization: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@contextmanager
def serving(answer: Callable[[Request], tuple[int, Any]]) -> Iterator[str]:
    """Yield the address of a server that gives these answers: a status, and text or what becomes JSON."""

    class Handler(BaseHTTPRequestHandler):
        def handle_one(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            authorization = self.headers.get("Authorization") or ""
            status, content = answer(
                Request(self.command, parts.path, dict(parse_qsl(parts.query)), body, authorization)
            )
            data = (content if isinstance(content, str) else json.dumps(content)).encode()
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", "/")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one  # noqa: N815

        def log_message(self, *_arguments: object) -> None:
            """Be silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def saying(text: str) -> Iterator[str]:
    """Yield the address of a server that says this to one client, which need not be HTTP, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _client = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(text.encode())

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


Resource = dict[str, Any]


@dataclass
class FakeZenml:
    """What the client needs of a ZenML server, in memory."""

    password: str = "old"
    # A key, with the name of its account.
    keys: dict[str, str] = field(default_factory=dict)
    resources: dict[str, dict[str, Resource]] = field(default_factory=dict)
    # The requests that changed something, as "METHOD path".
    writes: list[str] = field(default_factory=list)

    def add(self, collection: str, **resource: Any) -> Resource:
        made = {"id": str(uuid.uuid4()), **resource}
        self.resources.setdefault(collection, {})[made["id"]] = made
        return made

    def __call__(self, request: Request) -> tuple[int, Any]:
        """Answer one request."""
        path = request.path.removeprefix("/api/v1/")
        if path == "login":
            return self._login(dict(parse_qsl(request.body)))
        user = request.authorization.removeprefix("Bearer ")
        if user not in {"admin", *self.keys.values()}:
            return 401, {"detail": "not logged in"}
        if request.method == "GET":
            return self._read(path, request.query, user)
        self.writes.append(f"{request.method} {path.partition('/')[0]}")
        return 200, self._write(path, request)

    def _login(self, form: dict[str, str]) -> tuple[int, Any]:
        if form == {"username": "admin", "password": self.password}:
            return 200, {"access_token": "admin"}
        account = self.keys.get(form["password"]) if "username" not in form else None
        return (200, {"access_token": account}) if account else (401, {"detail": "wrong"})

    def _read(self, path: str, query: dict[str, str], user: str) -> tuple[int, Any]:
        if path == "current-user":
            return 200, {"name": user}
        collection, _slash, last = path.rpartition("/")
        if last in self.resources.get(collection, {}):
            return 200, self.resources[collection][last]
        items = self.resources.get(path, {}).values()
        wanted = query["name"].removeprefix("equals:")
        found = [item for item in items if item["name"] == wanted and item.get("type") == query.get("type")]
        if path == "secrets":
            found = [{**item, "body": {}} for item in found]
        return 200, {"items": found}

    def _write(self, path: str, request: Request) -> Any:
        body = request.json if request.body else {}
        if path == "current-user":
            assert body["old_password"] == self.password
            self.password = body["password"]
            return {}
        if path.endswith("/rotate"):
            return self._key(path.split("/")[1])
        if path.endswith("/api_keys"):
            self.add(path, name=body["name"])
            return self._key(path.split("/")[1])
        collection = path.partition("/")[0]
        if request.method == "POST":
            found = self.add(collection, name=body["name"], type=body.get("type"), body={}, metadata={})
        else:
            found = self.resources[collection][path.rpartition("/")[2]]
        self._change(found, body, request.query)
        return found

    def _change(self, found: Resource, body: Resource, query: dict[str, str]) -> None:
        if "values" in body:
            kept = found["body"].get("values", {}) if query.get("patch_values") == "true" else {}
            found["body"]["values"] = {**kept, **body["values"]}
        if "flavor" in body:
            found["body"]["flavor_name"] = body["flavor"]
        if "configuration" in body:
            found["metadata"]["configuration"] = body["configuration"]
        if "description" in body:
            found["metadata"]["description"] = body["description"]
        if "active" in body:
            found["body"]["active"] = body["active"]
        if "components" in body:
            there = self.resources["components"]
            members = {kind: [there[each] for each in ids] for kind, ids in body["components"].items()}
            found["metadata"]["components"] = members

    def _key(self, account: str) -> Resource:
        """Make a key; another one of the same account ends."""
        name = self.resources["service_accounts"][account]["name"]
        self.keys = {key: owner for key, owner in self.keys.items() if owner != name}
        key = f"ZENKEY_{uuid.uuid4().hex}"
        self.keys[key] = name
        return {"body": {"key": key}}
