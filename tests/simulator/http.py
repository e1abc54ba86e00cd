# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The listener, on 127.0.0.1: one port for everything.

- `CONNECT host:443` of a simulated host: TLS ends here. Every other host is refused with 403.
- Through it as a proxy for plain HTTP: the metadata service at 169.254.169.254, and nothing else.
- `DirectServer` has a port of its own for pods, which know no proxy: TLS from the first byte, and the hosts by name.
- A plain path: the control API (/_simulator/…), the machine's metadata service (/metadata/…), and Resource Manager
  without authentication, for a quick look and for replays.
"""

from __future__ import annotations

import json
import socket
import sys
import tempfile
import threading
import traceback
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from .arm import Answer, DropConnectionError, Request
from .control import Control
from .keys import authority, server_context, simulated
from .simulator import ARM_HOST

if TYPE_CHECKING:
    from .simulator import Simulator

METADATA_ADDRESS = "169.254.169.254"
_NO_BODY = (204, 304)


class Handler(BaseHTTPRequestHandler):
    """One connection. `tunnel` is the host that it was opened to by CONNECT."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Microsoft-HTTPAPI/2.0", ""
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server
    tunnel = ""

    def log_message(self, *args: Any) -> None:
        pass

    def setup(self) -> None:
        if self.server.direct:
            self.request = server_context().wrap_socket(self.request, server_side=True)
        super().setup()
        self.server.connections.add(self.connection)

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            # The other side, or stop(), has closed the connection.
            self.close_connection = True

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        try:
            super().finish()
        except OSError:
            pass
        finally:
            self.connection.close()

    def do_CONNECT(self) -> None:
        host = self.path.rpartition(":")[0]
        if not (self.path.endswith(":443") and simulated(host)):
            self.server.refused.append(self.path)
            self._send(Answer(403, {"error": f"The simulator does not know the host {self.path}."}))
            self.close_connection = True
            return
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.wfile.flush()
        self.server.connections.discard(self.connection)
        self.connection = server_context().wrap_socket(self.connection, server_side=True)
        self.server.connections.add(self.connection)
        self.rfile = self.connection.makefile("rb", self.rbufsize)
        self.wfile = self.connection.makefile("wb")
        self.tunnel = host.lower()
        self.close_connection = False

    def do_any(self) -> None:
        parts = urlsplit(self.path)
        if parts.netloc not in {"", METADATA_ADDRESS}:
            self.server.refused.append(parts.netloc)
            self._send(Answer(403, {"error": "The simulator is no proxy for plain HTTP."}))
            return
        query = {name.lower(): value for name, value in parse_qsl(parts.query, keep_blank_values=True)}
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(
            self.server.simulator, self.command, parts.path, query, headers, self._read(), target=self.path
        )
        host = self.headers.get("Host", "").partition(":")[0].lower() if self.server.direct else self.tunnel
        if self.server.direct and not simulated(host):
            self.server.refused.append(host)
            self._send(Answer(404, {"error": f"The simulator does not know the host {host}."}))
            return
        request.host, request.plain = host or ARM_HOST, not host
        try:
            answer = self._handler(request)(request)
        except DropConnectionError:
            # Cut off within the first line: without a single byte, urllib3 takes the proxy for the culprit, and the
            # SDK then takes the request for one that was never sent.
            self.wfile.write(b"HTTP/1.1 ")
            self.close_connection = True
        except Exception:  # noqa: BLE001 (a bug of a provider is to be seen, and fails the test)
            text = traceback.format_exc()
            print(text, file=sys.stderr)
            self._send(Answer(500, {"error": {"code": "SimulatorBug", "message": text}}))
        else:
            self._send(answer)

    do_GET = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_POST = do_OPTIONS = do_any  # noqa: N815

    def _handler(self, request: Request) -> Any:
        if request.plain and request.path.startswith("/_simulator/"):
            return self.server.control.handle
        if request.plain and request.path.startswith("/metadata/"):
            return self.server.simulator.machine.handle
        return self.server.simulator.handle

    def _read(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def _send(self, answer: Answer) -> None:
        body = answer.body
        payload = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        names = {name.lower() for name in answer.headers}
        self.send_response(answer.status)
        if body is not None and "content-type" not in names:
            self.send_header("Content-Type", "application/json; charset=utf-8")
        if "x-ms-request-id" not in names:
            self.send_header("x-ms-request-id", str(uuid.uuid4()))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status not in _NO_BODY and "content-length" not in names:
            self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        if self.command != "HEAD" and answer.status not in _NO_BODY:
            self.wfile.write(payload)


class Server(ThreadingHTTPServer):
    # Whether connections begin with TLS.
    direct = False
    # Joined when the server is closed, once their connections are.
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, simulator: Simulator, port: int = 0) -> None:
        self.simulator = simulator
        self.control = Control(simulator)
        self.connections: set[socket.socket] = set()
        # Hosts that were asked for and refused.
        self.refused: list[str] = []
        super().__init__(("127.0.0.1", port), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def server_close(self) -> None:
        for one in list(self.connections):
            try:
                # Past TLS, whose state belongs to the connection's own thread.
                socket.socket.shutdown(one, socket.SHUT_RDWR)
            except OSError:
                continue
        super().server_close()


class DirectServer(Server):
    direct = True


class Running:
    """A simulator that listens: what a test works with."""

    def __init__(self, simulator: Simulator, port: int = 0) -> None:
        self.simulator = simulator
        self.server = Server(simulator, port)
        self._folder = tempfile.TemporaryDirectory(prefix="simulator-")
        self.ca = Path(self._folder.name) / "ca.pem"
        authority().cert_pem.write_to_path(str(self.ca))
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), name="simulator")
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    # The same port: Resource Manager without authentication.
    arm_url = url

    @property
    def refused(self) -> list[str]:
        """The hosts that were asked for and refused."""
        return list(self.server.refused)

    @property
    def environment(self) -> dict[str, str]:
        """What to export, so that the Azure SDKs end here and nowhere else."""
        owner = self.simulator.owner
        mine = {"HTTPS_PROXY": self.url, "HTTP_PROXY": self.url, "NO_PROXY": "127.0.0.1,localhost"}
        return {
            **mine,
            **{name.lower(): value for name, value in mine.items()},
            "REQUESTS_CA_BUNDLE": str(self.ca),
            "SSL_CERT_FILE": str(self.ca),
            "AZURE_TENANT_ID": self.simulator.tenant,
            "AZURE_CLIENT_ID": owner.app_id,
            "AZURE_CLIENT_SECRET": owner.secret,
            "AZURE_SUBSCRIPTION_ID": self.simulator.subscription,
            "AZURE_POD_IDENTITY_AUTHORITY_HOST": self.url,
        }

    def log(self) -> list[dict[str, Any]]:
        with self.simulator.lock:
            return list(self.simulator.log)

    def stop(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()
        self.simulator.close()
        self._folder.cleanup()
