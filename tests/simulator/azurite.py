# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Azurite for one storage account: the process, and requests to it that are signed with the account's key.

Azurite takes the account's name from the Host header, so a request of a client that signed it itself (shared key or
SAS) can be handed on as it came, and Azurite checks its signature.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import os
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from .guarded import Guarded

EXECUTABLE = Path(__file__).parents[2] / "tools" / "azurite"
API_VERSION = "2025-11-05"
START_TIMEOUT = 60
# As it was before a test exported a simulator's own proxy, through which no package can be fetched.
ENVIRONMENT = dict(os.environ)
_SIGNED = (
    *("content-encoding", "content-language", "content-length", "content-md5", "content-type", "date"),
    *("if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range"),
)
# These belong to one connection, not to the message.
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect"}


def signature(account: str, key: str, method: str, target: str, headers: dict[str, str]) -> str:
    """Make the Authorization header of a shared-key request. `headers` have lower-case names."""
    parts = urlsplit(target)
    fields = {**headers, "content-length": headers.get("content-length", "").lstrip("0")}
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        query.setdefault(name.lower(), []).append(value)
    lines = [
        method,
        *(fields.get(name, "") for name in _SIGNED),
        *(f"{name}:{value.strip()}" for name, value in sorted(headers.items()) if name.startswith("x-ms-")),
        f"/{account}{parts.path}",
        *(f"{name}:{','.join(sorted(values))}" for name, values in sorted(query.items())),
    ]
    digest = hmac.new(base64.b64decode(key), "\n".join(lines).encode(), hashlib.sha256).digest()
    return f"SharedKey {account}:{base64.b64encode(digest).decode()}"


@cache
def install() -> None:
    """Install Azurite where it is missing, which takes a new machine longer than a client waits for an answer.

    What goes wrong is said where it is started.
    """
    subprocess.run([EXECUTABLE, "--version"], env=ENVIRONMENT, stdout=subprocess.DEVNULL, check=False)


@dataclass
class Reply:
    """An answer as bytes."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def replace(self, code: str, other: str) -> None:
        """Give an error another code."""
        self.headers = [(key, other if value == code else value) for key, value in self.headers]
        self.body = self.body.replace(code.encode(), other.encode())


@cache
def trouble() -> str:
    """Install Azurite where it is missing, however long that takes. Say what is in the way, once for all."""
    made = subprocess.run([str(EXECUTABLE), "--version"], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    return made.stderr.strip()[-2000:] if made.returncode else ""


class Azurite:
    """The process that serves one account. Its data is gone when it is closed."""

    def __init__(self, account: str, keys: tuple[str, ...]) -> None:
        self.account = account
        self.keys = keys
        self.folder = Path(tempfile.mkdtemp(prefix=f"azurite-{account}-"))
        self.process: Guarded | None = None
        self.port = 0
        self.start()

    def start(self) -> None:
        if said := trouble():
            raise RuntimeError(said)
        install()
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        command = [str(EXECUTABLE), "--disableTelemetry", "--skipApiVersionCheck", "--silent"]
        command += ["--blobHost", "127.0.0.1", "--blobPort", str(self.port), "--location", str(self.folder / "data")]
        accounts = f"{self.account}:{':'.join(self.keys)}"
        with (self.folder / "log").open("ab") as log:
            environment = {**ENVIRONMENT, "AZURITE_ACCOUNTS": accounts}
            self.process = Guarded(command, log, env=environment, cwd=self.folder)
        end = time.monotonic() + START_TIMEOUT
        while not self._listens():
            if not self.process.runs or time.monotonic() > end:
                self.stop()
                said = (self.folder / "log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"Azurite does not start for the account {self.account}: {said}")
            time.sleep(0.05)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def use(self, keys: tuple[str, ...]) -> None:
        """Serve on with other keys. Azurite reads them when it starts, and keeps its data."""
        if keys != self.keys:
            self.stop()
            self.keys = keys
            self.start()

    def stop(self) -> None:
        if self.process:
            self.process.stop(10)
            self.process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def send(self, method: str, target: str, headers: dict[str, str], body: bytes = b"", *, sign: bool) -> Reply:
        """`sign`: in the account's name, whatever authorization the request had."""
        sent = {name.lower(): value for name, value in headers.items() if name.lower() not in HOP_BY_HOP}
        sent["host"] = f"{self.account}.blob.core.windows.net"
        if body or method in {"PUT", "POST", "PATCH"}:
            sent["content-length"] = str(len(body))
        if sign:
            sent.pop("authorization", None)
            sent.setdefault("x-ms-date", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()))
            sent.setdefault("x-ms-version", API_VERSION)
            sent["authorization"] = signature(self.account, self.keys[0], method, target, sent)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        try:
            connection.request(method, target, body=body or None, headers=sent)
            answer = connection.getresponse()
            return Reply(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()
