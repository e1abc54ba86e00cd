# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user's clients are led to a deployment: what is printed, what is written, and what is secret."""

from __future__ import annotations

import json
import subprocess
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.matcha.mlops.plugins.action import stack_connect
from ansible_collections.matcha.mlops.plugins.plugin_utils import cluster_access

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECRET = "it's a s3cret"
COMPONENTS: dict[str, Any] = {
    "zenml": {
        "outputs": {
            "pipeline": {
                "flavor": "zenml",
                "properties": {
                    "server-url": "http://zenml.zenml.svc.cluster.local",
                    "server-api-key": {"secret": "zenml-api-key"},
                },
            }
        }
    }
}


class Place:
    """A deployment on Azure."""

    prefix = "tea"

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, Any]:
        return {
            "target": "azure",
            "prefix": "tea",
            "matcha_uuid": "1",
            "location": "westeurope",
            "resource_group": "tea-resources",
            "subscription_id": "sub",
            "components": COMPONENTS,
        }

    def reveal(self, reference: dict[str, str]) -> str:
        assert reference == {"secret": "zenml-api-key"}
        return SECRET


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, list[Any]]:
    """Return what was asked of Azure, opened, and printed."""
    found: dict[str, list[Any]] = {"credentials": [], "opened": [], "printed": []}

    def opened(folder: Path, access: Any, ways: Any, check_mode: bool) -> dict[str, Any]:
        found["opened"].append((folder, access, ways))
        forwards = {} if check_mode else {name: {"url": "http://127.0.0.1:1234", "port": 1234} for name in ways}
        return {"changed": len(found["opened"]) == 1, "forwards": forwards, "warnings": []}

    monkeypatch.setattr(stack_connect, "place_of", lambda _options: Place(tmp_path / "tea"))
    monkeypatch.setattr(stack_connect, "opened", opened)
    monkeypatch.setattr(cluster_access.credentials, "apply", lambda told, _check: found["credentials"].append(told))
    monkeypatch.setattr(stack_connect.display, "display", found["printed"].append)
    return found


@pytest.fixture
def act() -> Callable[..., dict[str, Any]]:
    def one(check_mode: bool = False, **options: Any) -> dict[str, Any]:
        task = SimpleNamespace(
            action="matcha.mlops.stack_connect", args=options, async_val=0, check_mode=check_mode, get_name=lambda: ""
        )
        connection = SimpleNamespace(transport="local", _shell=SimpleNamespace(tmpdir="none"))
        result = stack_connect.ActionModule(task, connection, None, None, None).run(task_vars={})
        assert SECRET not in json.dumps(result)
        return result

    return one


def test_a_port_in_place_of_an_address_inside(
    calls: dict[str, list[Any]], act: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    first = act()
    assert first["changed"], first
    assert first["environment"] == {"ZENML_STORE_URL": "http://127.0.0.1:1234", "ZENML_STORE_API_KEY": "********"}
    folder = tmp_path / "tea" / "connections"
    (asked,) = calls["credentials"]
    assert {key: asked[key] for key in ("subscription_id", "resource_group", "cluster_name", "path", "token")} == {
        "subscription_id": "sub",
        "resource_group": "tea-resources",
        "cluster_name": "tea-k8s",
        "path": str(folder / "kubeconfig"),
        "token": True,
    }
    assert calls["printed"][:2] == [
        "export ZENML_STORE_URL=http://127.0.0.1:1234",
        "export ZENML_STORE_API_KEY='********'",
    ]
    assert SECRET not in " ".join(calls["printed"])
    assert not act()["changed"]


def test_the_script_holds_the_secrets_for_its_owner(
    calls: dict[str, list[Any]], act: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    act()
    script = tmp_path / "tea" / "connections" / "environment.sh"
    assert script.stat().st_mode & 0o777 == 0o600
    assert str(script) in calls["printed"][-1]
    printed = subprocess.run(
        ["sh", "-c", f'. {script}; printf %s "$ZENML_STORE_API_KEY"'], capture_output=True, text=True, check=True
    )
    assert printed.stdout == SECRET


def test_secrets_are_printed_if_asked_for(calls: dict[str, list[Any]], act: Callable[..., dict[str, Any]]) -> None:
    act(show_sensitive="true")
    assert "s3cret" in calls["printed"][1]


def test_check_mode_writes_nothing(
    calls: dict[str, list[Any]], act: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    assert act(check_mode=True)["changed"]
    assert not (tmp_path / "tea").exists()
    assert calls["opened"]


def test_a_cluster_of_ones_own(calls: dict[str, list[Any]], act: Callable[..., dict[str, Any]]) -> None:
    act(kubeconfig="/k", context="tea")
    assert calls["credentials"] == []
    assert calls["opened"][0][1] == cluster_access.Access("/k", "tea", False)


def test_closing_asks_for_nothing(calls: dict[str, list[Any]], act: Callable[..., dict[str, Any]]) -> None:
    assert not act(connect="false")["changed"]
    assert calls["printed"] == ["No connection was open."]
    assert calls["opened"] == calls["credentials"] == []
