# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a component works, to the eye of a client."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest
from servers import FakeZenml, Request, serving

from ansible_collections.matcha.mlops.plugins.module_utils.local import health, secrets
from ansible_collections.matcha.mlops.plugins.module_utils.local.health import complaint

if TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.matcha.mlops.plugins.module_utils.local.folder import Folder

NOBODY = "http://127.0.0.1:1"


def outputs(**properties: Any) -> dict[str, Any]:
    """Return what a role records of a component with these properties."""
    return {"tea": {"flavor": "x", "properties": {name.replace("_", "-"): value for name, value in properties.items()}}}


def test_zenml(folder: Folder) -> None:
    secrets.converge(folder, ["key"], [], apply=True)
    server = FakeZenml()
    with serving(server) as url:
        recorded = outputs(server_url=url, server_api_key={"secret": "key"})
        assert "answered POST /api/v1/login with 401" in complaint(folder, "zenml", recorded)
        server.keys[secrets.read(folder, "key")] = "matcha"
        assert complaint(folder, "zenml", recorded) == "ZenML has no stack 'matcha': provision registers it."
        server.add("stacks", name="matcha")
        assert complaint(folder, "zenml", recorded) == ""


def test_mlflow_with_the_recorded_password(folder: Folder) -> None:
    secrets.converge(folder, ["word"], [], apply=True)
    right = "Basic " + b64encode(f"admin:{secrets.read(folder, 'word')}".encode()).decode()

    def answer(request: Request) -> tuple[int, Any]:
        assert (request.method, request.path) == ("POST", "/api/2.0/mlflow/experiments/search")
        return (200, {}) if request.authorization == right else (401, f"{request.authorization} is wrong")

    with serving(answer) as url:
        recorded = outputs(tracking_url=url, username="admin", password={"secret": "word"})
        assert complaint(folder, "mlflow", recorded) == ""
        recorded = outputs(tracking_url=url, username="other", password={"secret": "word"})
        assert "with 401" in complaint(folder, "mlflow", recorded)
    assert "does not answer" in complaint(folder, "mlflow", recorded)


@pytest.mark.parametrize(
    ("component", "name", "path"),
    [
        ("chroma", "server_url", "/api/v2/tenants/default_tenant/databases/default_database/collections"),
        ("seldon", "base_url", "/v2/repository/index"),
    ],
)
def test_servers_without_a_password(folder: Folder, component: str, name: str, path: str) -> None:
    with serving(lambda request: (200, []) if request.path == path else (404, "")) as url:
        assert complaint(folder, component, outputs(**{name: url})) == ""
    assert "see that it runs" in complaint(folder, component, outputs(**{name: url}))


def test_dvc(folder: Folder, tmp_path: Path) -> None:
    assert complaint(folder, "dvc", outputs(remote_url=str(tmp_path))) == ""
    assert "is not a folder that can be written" in complaint(folder, "dvc", outputs(remote_url=str(tmp_path / "none")))


def test_a_secret_is_not_told(folder: Folder) -> None:
    secrets.converge(folder, ["key"], [], apply=True)
    value = secrets.read(folder, "key")
    with serving(lambda _request: (500, f"{value} broke it")) as url:
        told = complaint(folder, "zenml", outputs(server_url=url, server_api_key={"secret": "key"}))
    assert told.endswith("with 500: (hidden) broke it")


@pytest.mark.parametrize("component", sorted(health.CHECKS))
def test_what_was_not_recorded_is_named(folder: Folder, component: str) -> None:
    assert "The state does not hold its" in complaint(folder, component, {})


@pytest.mark.parametrize("component", ["zenml", "mlflow"])
def test_a_secret_that_is_gone_is_named(folder: Folder, component: str) -> None:
    recorded = outputs(
        server_url=NOBODY,
        tracking_url=NOBODY,
        username="admin",
        server_api_key={"secret": "gone"},
        password={"secret": "gone"},
    )
    assert "The file with the secret 'gone'" in complaint(folder, component, recorded)
