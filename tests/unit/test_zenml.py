# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Desired state on ZenML and MLflow, against small servers; tests/integration has the real ones."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest
from servers import FakeZenml, Request, serving

from ansible_collections.matcha.mlops.plugins.module_utils import mlflow
from ansible_collections.matcha.mlops.plugins.module_utils.rest import DeniedError, RestError
from ansible_collections.matcha.mlops.plugins.module_utils.zenml import (
    Zenml,
    change_password,
    converge_component,
    converge_secret,
    converge_service_account,
    converge_stack,
    key_works,
    new_api_key,
    password_works,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ansible_collections.matcha.mlops.plugins.module_utils.rest import Change


@pytest.fixture
def server() -> FakeZenml:
    return FakeZenml()


@pytest.fixture
def url(server: FakeZenml) -> Iterator[str]:
    with serving(server) as address:
        yield address


@pytest.fixture
def client(url: str) -> Zenml:
    return Zenml.login(url, "admin", "old")


@pytest.fixture
def plan_then_do(server: FakeZenml) -> Callable[..., Change]:
    """Return what converges: a plan that writes nothing, then the change that was planned, then no change."""

    def converge(function: Callable[..., Change], *arguments: Any) -> Change:
        before = len(server.writes)
        planned = function(*arguments, apply=False)
        assert len(server.writes) == before
        done = function(*arguments, apply=True)
        assert (done.before, done.after) == (planned.before, planned.after)
        assert (len(server.writes) > before) == done.changed
        again = len(server.writes)
        assert not function(*arguments, apply=True).changed
        assert len(server.writes) == again
        return done

    return converge


def test_login(url: str) -> None:
    with pytest.raises(DeniedError, match=f"ZenML at {url} does not accept the password of 'admin': put the right"):
        Zenml.login(url, "admin", "wrong")
    with serving(lambda _request: (200, {})) as other, pytest.raises(RestError, match="is not a ZenML server"):
        Zenml.login(other, "admin", "old")


def test_a_secret_keeps_its_other_values(server: FakeZenml, client: Zenml, plan_then_do: Callable[..., Change]) -> None:
    assert plan_then_do(converge_secret, client, "tea", {"user": "admin", "password": "green"}).changed
    change = plan_then_do(converge_secret, client, "tea", {"password": "black"})
    assert change.before == {"tea": {"user": "(hidden)", "password": "(hidden)"}}
    assert change.after == {"tea": {"user": "(hidden)", "password": "(hidden, another one)"}}
    (secret,) = server.resources["secrets"].values()
    assert secret["body"]["values"] == {"user": "admin", "password": "black"}


def test_a_component_keeps_its_other_settings(
    server: FakeZenml, client: Zenml, plan_then_do: Callable[..., Change]
) -> None:
    tracker = (client, "experiment_tracker", "matcha", "mlflow")
    change = plan_then_do(converge_component, *tracker, {"port": "8080", "url": "here"})
    assert change.before == {}
    (found,) = server.resources["components"].values()
    assert change.result == {"id": found["id"]}
    # ZenML parses what looks like a number.
    found["metadata"]["configuration"].update(port=8080, mine="stays")
    assert not plan_then_do(converge_component, *tracker, {"port": "8080", "url": "here"}).changed
    plan_then_do(converge_component, *tracker, {"port": "8080", "url": "there"})
    assert found["metadata"]["configuration"] == {"port": 8080, "url": "there", "mine": "stays"}


def test_a_setting_that_is_null_is_sent_and_not_kept(server: FakeZenml, client: Zenml) -> None:
    wanted = {"base_url": "http://router", "secret": None}
    made = converge_component(client, "model_deployer", "tea", "seldon", wanted, apply=True)
    stored = server.resources["components"][str(made.result["id"])]
    # As ZenML has it afterwards.
    del stored["metadata"]["configuration"]["secret"]
    again = converge_component(client, "model_deployer", "tea", "seldon", wanted, apply=True)
    assert not again.changed
    converge_component(client, "model_deployer", "tea", "seldon", {**wanted, "base_url": "http://x"}, apply=True)
    assert stored["metadata"]["configuration"] == {"base_url": "http://x", "secret": None}


def test_a_component_of_the_same_name_and_another_type_is_another_one(
    server: FakeZenml, client: Zenml, plan_then_do: Callable[..., Change]
) -> None:
    plan_then_do(converge_component, client, "orchestrator", "matcha", "local", {})
    plan_then_do(converge_component, client, "artifact_store", "matcha", "local", {})
    assert len(server.resources["components"]) == 2


@pytest.mark.parametrize("apply", [False, True])
def test_a_component_has_its_flavor_for_good(server: FakeZenml, client: Zenml, apply: bool) -> None:
    converge_component(client, "artifact_store", "matcha", "local", {}, apply=True)
    writes = list(server.writes)
    with pytest.raises(RestError, match=r"has the flavor 'local'.* to 's3': delete it \('zenml artifact-store delete"):
        converge_component(client, "artifact_store", "matcha", "s3", {}, apply=apply)
    assert server.writes == writes


def test_a_stack_keeps_its_other_components(
    server: FakeZenml, client: Zenml, plan_then_do: Callable[..., Change]
) -> None:
    ids = {
        (kind, name): converge_component(client, kind, name, "local", {}, apply=True).result["id"]
        for kind, name in (("orchestrator", "matcha"), ("orchestrator", "own"), ("model_registry", "own"))
    }

    def members(*pairs: tuple[str, str]) -> dict[str, dict[str, str]]:
        return {kind: {name: ids[kind, name]} for kind, name in pairs}

    change = plan_then_do(
        converge_stack, client, "matcha", members(("orchestrator", "own"), ("model_registry", "own")), ""
    )
    assert change.before == {}
    change = plan_then_do(converge_stack, client, "matcha", members(("orchestrator", "matcha")), "ours")
    assert change.after == {
        "matcha": {"description": "ours", "components": {"orchestrator": ["matcha"], "model_registry": ["own"]}}
    }
    (stack,) = server.resources["stacks"].values()
    assert change.result == {"id": stack["id"]}
    found = {kind: [item["id"] for item in items] for kind, items in stack["metadata"]["components"].items()}
    assert found == {"orchestrator": [ids["orchestrator", "matcha"]], "model_registry": [ids["model_registry", "own"]]}


def test_a_stack_is_planned_with_components_that_are_only_planned(client: Zenml) -> None:
    planned = converge_component(client, "orchestrator", "matcha", "local", {}, apply=False)
    assert planned.result == {"id": None}
    stack = converge_stack(client, "matcha", {"orchestrator": {"matcha": None}}, "", apply=False)
    assert stack.changed
    assert stack.result == {"id": None}


def test_a_service_account_and_its_key(
    server: FakeZenml, url: str, client: Zenml, plan_then_do: Callable[..., Change]
) -> None:
    account = plan_then_do(converge_service_account, client, "matcha", "ours").result["id"]
    (found,) = server.resources["service_accounts"].values()
    found["body"]["active"] = False
    change = plan_then_do(converge_service_account, client, "matcha", "ours")
    assert change.before == {"matcha": {"active": False, "description": "ours"}}
    assert found["body"]["active"] is True

    first = new_api_key(client, account, "default")
    assert key_works(url, first, "matcha")
    # Another account's key would do everything under another name.
    assert not key_works(url, first, "other")
    second = new_api_key(client, account, "default")
    assert second != first
    assert key_works(url, second, "matcha")
    assert not key_works(url, first, "matcha")
    assert len(server.resources[f"service_accounts/{account}/api_keys"]) == 1


def test_zenmls_password(url: str, client: Zenml) -> None:
    assert password_works(url, "admin", "old")
    change_password(client, "old", "new")
    assert password_works(url, "admin", "new")
    assert not password_works(url, "admin", "old")


def test_mlflows_password() -> None:
    passwords = {"admin": "öld"}

    def answer(request: Request) -> tuple[int, Any]:
        logins = {"Basic " + b64encode(f"{name}:{word}".encode()).decode() for name, word in passwords.items()}
        if request.authorization not in logins:
            return 401, "You are not authenticated."
        if (request.method, request.path) == ("GET", "/api/2.0/mlflow/users/current"):
            return 200, {}
        assert (request.method, request.path) == ("PATCH", "/api/2.0/mlflow/users/update-password")
        assert request.json["current_password"] == passwords[request.json["username"]]
        passwords[request.json["username"]] = request.json["password"]
        return 200, ""

    with serving(answer) as url:
        assert mlflow.password_works(url, "admin", "öld")
        assert not mlflow.password_works(url, "admin", "new")
        with pytest.raises(DeniedError):
            mlflow.change_password(url, "admin", "wrong", "new")
        mlflow.change_password(url, "admin", "öld", "new")
        assert mlflow.password_works(url, "admin", "new")
