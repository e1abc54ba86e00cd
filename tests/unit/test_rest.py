# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON client, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from servers import Request, saying, serving

from ansible_collections.matcha.mlops.plugins.module_utils import mlflow
from ansible_collections.matcha.mlops.plugins.module_utils.rest import (
    DeniedError,
    Rest,
    RestError,
    SecretFileError,
    UnreachableError,
    is_private,
    read_secret,
    write_secret,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ANSWERS = {
    "/good": (200, '{"tea": "matcha"}'),
    "/empty": (204, ""),
    "/text": (200, "<html>"),
    "/denied": (401, '{"detail": ["who", "are you"]}'),
    "/broken": (500, '{"message": "it broke"}'),
    "/moved": (302, ""),
}


def answer(request: Request) -> tuple[int, object]:
    if request.path == "/echo":
        return 200, {"query": request.query, "body": request.body, "who": request.authorization}
    return ANSWERS.get(request.path, (404, "nothing here"))


@pytest.fixture
def url() -> Iterator[str]:
    with serving(answer) as address:
        yield address


def test_answers(url: str) -> None:
    rest = Rest("Tea", url + "/", authorization="Bearer x")
    assert rest.request("GET", "/good") == {"tea": "matcha"}
    assert rest.request("GET", "/empty") is None
    assert rest.request("POST", "/echo", query={"a": "b c"}, body={"n": 1}) == {
        "query": {"a": "b c"},
        "body": '{"n": 1}',
        "who": "Bearer x",
    }
    assert rest.request("POST", "/echo", form={"a": "b"})["body"] == "a=b"


@pytest.mark.parametrize(
    ("path", "kind", "sentence"),
    [
        ("/text", RestError, "is not Tea: GET /text gave no JSON"),
        ("/denied", DeniedError, "with 401: who; are you"),
        ("/broken", RestError, "with 500: it broke"),
        ("/none", RestError, "with 404: nothing here"),
        # It would carry the credentials to another place.
        ("/moved", RestError, "with 302"),
    ],
)
def test_errors(url: str, path: str, kind: type[RestError], sentence: str) -> None:
    with pytest.raises(kind, match=sentence):
        Rest("Tea", url).request("GET", path)


def test_nobody_there(url: str) -> None:
    with pytest.raises(UnreachableError, match=r"Tea does not answer at http://127.0.0.1:1 .*see that it runs"):
        Rest("Tea", "http://127.0.0.1:1").request("GET", "/")
    for address in (url.removeprefix("http://"), "http:///tea", "file:///tea", ""):
        with pytest.raises(RestError, match="is not the address of a server"):
            Rest("Tea", address)


@pytest.mark.parametrize("said", ["", "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"])
def test_something_else_listens(said: str) -> None:
    with saying(said) as url, pytest.raises(UnreachableError, match=f"Tea does not answer at {url} "):
        Rest("Tea", url).request("GET", "/")


def test_one_that_says_nothing_is_not_waited_for(stranger: int) -> None:
    with pytest.raises(UnreachableError, match="timed out"):
        Rest("Tea", f"http://127.0.0.1:{stranger}", timeout=0.1).request("GET", "/")


def test_a_proxy_is_not_asked_for_this_machine(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert Rest("Tea", url).request("GET", "/good")


def test_mlflow_asks_with_the_users_name(url: str) -> None:
    answer = mlflow.session(url, "admin", "secret").request("GET", "/echo")
    assert answer["who"] == "Basic YWRtaW46c2VjcmV0"


def test_secret_files(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_secret(str(path), "tea")
    assert read_secret(str(path), "it") == "tea"
    assert is_private(str(path))
    path.chmod(0o640)
    assert not is_private(str(path))
    assert not is_private(str(tmp_path / "none"))
    path.write_text("\n", encoding="utf-8")
    with pytest.raises(SecretFileError, match="is empty"):
        read_secret(str(path), "it")
    with pytest.raises(SecretFileError, match=r"The file with it, .* cannot be read"):
        read_secret(str(tmp_path / "none"), "it")
    with pytest.raises(SecretFileError, match="make its folder writable"):
        write_secret(str(tmp_path / "none" / "secret"), "tea")
