# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small JSON client for a component's REST interface, and the files its secrets live in."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from .errors import MatchaError
from .files import write_atomically

# What a difference shows in place of a secret.
HIDDEN = "(hidden)"
HIDDEN_NEW = "(hidden, another one)"

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class RestError(MatchaError):
    """A request that failed, as a sentence for the user.

    ``status`` is the HTTP status, or 0 where there was no answer.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class UnreachableError(RestError):
    """Nothing answers at the address."""


class DeniedError(RestError):
    """The server does not accept the credentials."""


class SecretFileError(RestError):
    """A secret's file cannot be read or written."""


class _NoRedirect(HTTPRedirectHandler):
    """A redirect would carry the credentials to another server."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Return None, which makes the redirect an error."""


@dataclass(frozen=True)
class Change:
    """What one convergence found and what it made of it.

    ``before`` and ``after`` are the same model, without secrets: they differ exactly where
    something is to be changed. ``result`` is the resource for the caller.
    """

    before: dict[str, Any]
    after: dict[str, Any]
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether anything differs."""
        return self.before != self.after


class Rest:
    """A JSON client for one server.

    Raises ``UnreachableError`` where nothing answers, ``DeniedError`` for a refused login, and
    ``RestError`` for every other answer that is not a success.
    """

    def __init__(self, name: str, url: str, timeout: float = 30.0, authorization: str = "") -> None:
        """Prepare a client; nothing is sent yet. ``name`` is the server's name in messages."""
        self.name = name
        self.url = url.rstrip("/")
        self.timeout = timeout
        self.authorization = authorization
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise RestError(f"'{url}' is not the address of a server: it must begin with http:// or https://.")
        # A proxy cannot reach this machine's own loopback address.
        handlers = [ProxyHandler({})] if parts.hostname in LOOPBACK else []
        self._opener: OpenerDirector = build_opener(_NoRedirect(), *handlers)

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Any:
        """Send one request and return the decoded answer, or None where it has no content."""
        url = self.url + path + ("?" + urlencode(query) if query else "")
        headers = {"Accept": "application/json"}
        data: bytes | None = None
        if form is not None:
            data = urlencode(form).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        elif body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        if self.authorization:
            headers["Authorization"] = self.authorization
        request = Request(url, data=data, headers=headers, method=method)  # noqa: S310
        try:
            with self._opener.open(request, timeout=self.timeout) as response:
                content = response.read()
        except HTTPError as error:
            raise self._refused(method, path, error) from error
        # What listens there may speak no HTTP, or hang up.
        except (URLError, OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise UnreachableError(
                f"{self.name} does not answer at {self.url} ({reason}): see that it runs."
            ) from error
        try:
            return json.loads(content) if content else None
        except ValueError as error:
            raise RestError(f"What answers at {self.url} is not {self.name}: {method} {path} gave no JSON.") from error

    def _refused(self, method: str, path: str, error: HTTPError) -> RestError:
        """Return the error for an answer that is not a success, with the server's own words."""
        with error:
            text = error.read(4096).decode("utf-8", "replace").strip()
        try:
            answer = json.loads(text)
            detail = (answer.get("detail") or answer.get("message") or answer) if isinstance(answer, dict) else answer
            text = "; ".join(str(part) for part in detail) if isinstance(detail, list) else str(detail)
        except ValueError:
            pass
        kind = DeniedError if error.code == 401 else RestError
        return kind(f"{self.name} at {self.url} answered {method} {path} with {error.code}: {text[:500]}", error.code)


def read_secret(path: str, what: str) -> str:
    """Return the secret in a file, without the line's end.

    Raises ``SecretFileError``, which says what the file is for.
    """
    try:
        value = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SecretFileError(
            f"The file with {what}, {path}, cannot be read ({reason}): provision makes it."
        ) from error
    if not value:
        raise SecretFileError(f"The file with {what}, {path}, is empty: put it there.")
    return value


def is_private(path: str) -> bool:
    """Return whether a file is there and its owner alone can read it."""
    try:
        return not stat.S_IMODE(os.stat(path).st_mode) & 0o077
    except OSError:
        return False


def write_secret(path: str, value: str) -> None:
    """Put a secret into a file that its owner alone can read, all of it or nothing.

    Raises ``SecretFileError``.
    """
    try:
        write_atomically(Path(path), value + "\n")
    except OSError as error:
        raise SecretFileError(f"Cannot write {path} ({error.strerror}): make its folder writable.") from error


def connection_spec() -> dict[str, Any]:
    """Return the options of every module that talks to a component's server."""
    return {
        "server_url": {"type": "str"},
        "forward": {
            "type": "dict",
            "options": {
                "kubeconfig": {"type": "path", "required": True},
                "context": {"type": "str"},
                "namespace": {"type": "str", "required": True},
                "service": {"type": "str", "required": True},
                "port": {"type": "int", "required": True},
            },
        },
        "username": {"type": "str", "required": True},
        # A path, not a secret: the password itself never travels as an argument.
        "password_file": {"type": "path", "required": True, "no_log": False},
        "timeout": {"type": "int", "default": 30},
    }


@contextmanager
def connected(params: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the options of such a module with the address to use, which leads into a cluster if that is asked for.

    Raises ``RestError``, and ``UnreachableError`` where the cluster or what is in it is not there.
    """
    told = params.get("forward")
    if bool(told) == bool(params.get("server_url")):
        raise RestError("Where is the server? Set either server_url, or forward for one in a cluster.")
    if not told:
        yield params
        return
    from .kubernetes.forward import forwarded

    where = (told["kubeconfig"], told.get("context") or "", told["namespace"], told["service"], told["port"])
    with ExitStack() as stack:
        try:
            url = stack.enter_context(forwarded(*where))
        except MatchaError as error:
            raise UnreachableError(str(error)) from error
        yield {**params, "server_url": url}
