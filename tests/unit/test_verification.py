# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A component's verification: what its script is given, and what becomes of its answer."""

from __future__ import annotations

import importlib.util
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.matcha.mlops.plugins.module_utils.local import secrets
from ansible_collections.matcha.mlops.plugins.module_utils.local.verification import VerificationError, verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.matcha.mlops.plugins.module_utils.local.folder import Folder

# What it was given goes into a file: its answer is checked for secrets.
LOOK = """\
import json, os, pathlib, sys
settings = pathlib.Path(sys.argv[1])
place = pathlib.Path(__file__).with_name("seen.json")
place.write_text(json.dumps([settings.read_text(), settings.stat().st_mode & 0o777, dict(os.environ), sys.argv]))
print("a line before")
print(json.dumps({"component": "tea", "steps": [{"name": "sip", "seconds": 0.25}, {"name": "gulp", "seconds": 0.5}]}))
"""


@pytest.fixture
def run(folder: Folder) -> Callable[..., dict[str, Any]]:
    """Return what runs a script as a verification of the component `tea`."""
    secrets.converge(folder, ["tea-password"], [], apply=True)
    path = folder.path / "tea" / "files" / "verify.py"
    path.parent.mkdir(parents=True)

    def one(script: str, timeout: float = 60) -> dict[str, Any]:
        path.write_text(script, encoding="utf-8")
        return verify(
            folder,
            str(path),
            python=sys.executable,
            environment={"COLOUR": "green"},
            secret_names={"PASSWORD": "tea-password"},
            timeout=timeout,
        )

    return one


def test_it_is_given_its_settings_in_a_private_file(
    folder: Folder, run: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    secret = secrets.read(folder, "tea-password")
    assert run(LOOK)["seconds"] == 0.75
    text, mode, environment, arguments = json.loads((folder.path / "tea/files/seen.json").read_text(encoding="utf-8"))
    assert text.splitlines() == ["COLOUR=green", f"PASSWORD={secret}"]
    assert mode == 0o600
    assert secret not in str([environment, arguments])
    # Another Python's packages are not its own.
    assert "PYTHONPATH" not in environment
    assert not list((folder.path / "run").iterdir())


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        # Its own sentence.
        (
            "import json, sys; print(json.dumps({'error': 'no tea: ' + open(sys.argv[1]).read()}))",
            r"^no tea: COLOUR=green\nPASSWORD=\(hidden\)\n$",
        ),
        (
            "import sys; sys.exit('it broke: ' + open(sys.argv[1]).read())",
            r"verify.py gave no report \(exit status 1\): it broke: COLOUR=green\nPASSWORD=\(hidden\)$",
        ),
        ("print('no JSON')", r"gave no report \(exit status 0\)"),
    ],
)
def test_it_fails_without_its_secret(run: Callable[..., dict[str, Any]], script: str, sentence: str) -> None:
    with pytest.raises(VerificationError, match=sentence):
        run(script)


def test_it_is_not_waited_for_for_ever(folder: Folder, run: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(VerificationError, match=r"tea was not verified within 0 s"):
        run("import time; time.sleep(1000)", timeout=0.3)
    assert not list((folder.path / "run").iterdir())


@pytest.mark.parametrize(
    ("url", "port"), [("http://tea.test", 80), ("https://tea.test", 443), ("http://tea.test:8000/", 8000)]
)
def test_a_server_is_looked_for_where_its_address_says(monkeypatch: pytest.MonkeyPatch, url: str, port: int) -> None:
    path = Path(__file__).resolve().parents[2] / "roles" / "client" / "files" / "verification.py"
    spec = importlib.util.spec_from_file_location("verification", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    asked = []
    monkeypatch.setattr(module.socket, "create_connection", lambda where, **_: asked.append(where) or io.BytesIO())
    script = object.__new__(module.Verification)
    monkeypatch.setattr(script, "setting", lambda _name: url, raising=False)
    assert script.reach("TEA") == url.rstrip("/")
    assert asked == [("tea.test", port)]
