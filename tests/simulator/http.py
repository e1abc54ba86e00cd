# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The listeners."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from .arm import Answer, DropConnectionError, Request

if TYPE_CHECKING:
    from .simulator import Simulator


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    simulator: Simulator
    plain = True

    def log_message(self, *args: Any) -> None:
        pass

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length) if length else b""
        parts = urlsplit(self.path)
        if parts.path == "/_simulator/reset":
            self.simulator.reset()
            return self._send(Answer(200, {}))
        query = {name.lower(): value for name, value in parse_qsl(parts.query, keep_blank_values=True)}
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.simulator, self.command, parts.path, query, headers, raw, target=self.path)
        try:
            answer = self.simulator.handle(request)
        except DropConnectionError:
            self.close_connection = True
            return None
        return self._send(answer)

    do_GET = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_POST = do_OPTIONS = handle_any  # noqa: N815

    def _send(self, answer: Answer) -> None:
        body = answer.body
        payload = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(answer.status)
        if payload and not any(name.lower() == "content-type" for name in answer.headers):
            self.send_header("Content-Type", "application/json; charset=utf-8")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        if self.command != "HEAD" and answer.status != 204:
            self.wfile.write(payload)


class Server(ThreadingHTTPServer):
    daemon_threads = True


def plain_server(simulator: Simulator, port: int = 0) -> Server:
    handler = type("Plain", (Handler,), {"simulator": simulator})
    return Server(("127.0.0.1", port), handler)
