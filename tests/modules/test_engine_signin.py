# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way to sign in, with the real SDK over TLS: the simulator tells who it was."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from modules.cases import GROUP
from modules.harness import ModuleError, run_module
from modules.meddling import Meddler
from simulator.arm import Answer
from simulator.keys import KEY_ID, published_keys, signing_key

if TYPE_CHECKING:
    from pathlib import Path

    from modules.conftest import Azure

ISSUER, SUBJECT = "https://issuer.example", "system:serviceaccount:awx:runner"
AUDIENCE = "api://AzureADTokenExchange"
KEPT = ("AZURE_POD_IDENTITY_AUTHORITY_HOST",)


@pytest.fixture(autouse=True)
def _nobody(azure: Azure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # noqa: ARG001
    """Nothing in the environment says who signs in."""
    for name in list(os.environ):
        if name.startswith("AZURE_") and name not in KEPT:
            monkeypatch.delenv(name)
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path / "azure"))


@pytest.fixture
def reader(azure: Azure) -> Any:
    """Return a principal who may write in the subscription, and is not the usual one."""
    found = azure.simulator.principals.add_service_principal("brewer", "sesame-of-the-brewer")
    azure.simulator.access.grant(found, "Contributor", f"/subscriptions/{azure.simulator.subscription}")
    return found


def export(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def who(azure: Azure, **options: Any) -> str:
    """Return who it was that a module signed in as."""
    assert run_module("resource_group", **GROUP, **options)["changed"]
    (found,) = {each["principal"] for each in azure.log()}
    return str(found)


def test_a_secret_in_the_options(azure: Azure, reader: Any) -> None:
    simulator = azure.simulator
    options = {"tenant": simulator.tenant, "client_id": reader.app_id, "secret": reader.secret}
    assert who(azure, **options, subscription_id=simulator.subscription) == reader.object_id


@pytest.mark.parametrize(
    ("tenant", "secret"), [("AZURE_TENANT_ID", "AZURE_CLIENT_SECRET"), ("AZURE_TENANT", "AZURE_SECRET")]
)
def test_a_secret_in_the_environment(
    azure: Azure, reader: Any, monkeypatch: pytest.MonkeyPatch, tenant: str, secret: str
) -> None:
    export(monkeypatch, **{tenant: azure.simulator.tenant, secret: reader.secret, "AZURE_CLIENT_ID": reader.app_id})
    assert who(azure) == reader.object_id


def test_a_wrong_secret_is_a_sentence(azure: Azure, reader: Any) -> None:
    options = {"tenant": azure.simulator.tenant, "client_id": reader.app_id, "secret": "sesame-of-another"}
    with pytest.raises(ModuleError, match=r"signing in to Azure failed: .*AADSTS7000215.* belong together") as error:
        run_module("resource_group", **GROUP, **options, subscription_id=azure.simulator.subscription)
    assert error.value.result["failure"]["code"] == "SignInFailed"
    assert "sesame" not in json.dumps(error.value.result)


def test_a_long_pause_before_signing_in_is_told_at_once(azure: Azure, reader: Any) -> None:
    azure.simulator.faults.add(
        "throttled", host="login.microsoftonline.com", method="POST", options={"retry_after": 10**9}
    )
    options = {"tenant": azure.simulator.tenant, "client_id": reader.app_id, "secret": reader.secret}
    with pytest.raises(ModuleError, match="which is longer than what is left of this task's 3600 s"):
        run_module("resource_group", **GROUP, **options, subscription_id=azure.simulator.subscription)


def federated(path: Path, subject: str = SUBJECT) -> str:
    """Write a token as another issuer gives it, and return where it is."""
    now = int(time.time())
    claims = {"iss": ISSUER, "sub": subject, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 600}
    token = jwt.encode(claims, signing_key(), algorithm="RS256", headers={"kid": KEY_ID})
    path.write_text(token, encoding="utf-8")
    return str(path)


@pytest.fixture
def _workload(azure: Azure, reader: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reader.federated.append({"issuer": ISSUER, "subject": SUBJECT, "audiences": [AUDIENCE]})
    azure.simulator.tokens.oidc_keys[ISSUER] = published_keys()
    export(
        monkeypatch,
        AZURE_TENANT_ID=azure.simulator.tenant,
        AZURE_CLIENT_ID=reader.app_id,
        AZURE_FEDERATED_TOKEN_FILE=federated(tmp_path / "token"),
    )


@pytest.mark.usefixtures("_workload")
@pytest.mark.parametrize("source", ["auto", "workload_identity"])
def test_a_federated_token(azure: Azure, reader: Any, source: str) -> None:
    assert who(azure, auth_source=source) == reader.object_id


@pytest.mark.usefixtures("_workload")
def test_a_federated_token_of_somebody_else(tmp_path: Path) -> None:
    federated(tmp_path / "token", "system:serviceaccount:awx:another")
    with pytest.raises(ModuleError, match=r"signing in to Azure failed: .*AADSTS700213.* belong together"):
        run_module("resource_group", **GROUP)


def test_a_federated_token_that_is_not_there(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    export(
        monkeypatch,
        AZURE_TENANT_ID=azure.simulator.tenant,
        AZURE_CLIENT_ID="x",
        AZURE_FEDERATED_TOKEN_FILE="/nowhere/token",
    )
    with pytest.raises(ModuleError, match="/nowhere/token: No such file"):
        run_module("resource_group", **GROUP)


def test_a_managed_identity(azure: Azure, reader: Any) -> None:
    azure.simulator.machine.identities = [reader]
    assert who(azure) == reader.object_id


def test_one_of_several_managed_identities(azure: Azure, reader: Any) -> None:
    other = azure.simulator.principals.add_service_principal("other")
    azure.simulator.machine.identities = [other, reader]
    with pytest.raises(ModuleError, match="Multiple user assigned identities"):
        run_module("resource_group", **GROUP, auth_source="managed_identity")
    assert who(azure, auth_source="managed_identity", client_id=reader.app_id) == reader.object_id


AZ = """#!{python}
import json, sys
assert sys.argv[1:3] == ["account", "get-access-token"], sys.argv
print(json.dumps({{"accessToken": {token!r}, "expiresOn": "2099-01-01 00:00:00.000000", "expires_on": 4070908800}}))
"""


@pytest.fixture
def az(azure: Azure, reader: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Somebody signed in with `az login`; return the folder with its profile."""
    folder = tmp_path / "azure"
    folder.mkdir()
    profile = {"subscriptions": [{"id": "another"}, {"id": azure.simulator.subscription, "isDefault": True}]}
    (folder / "azureProfile.json").write_text(json.dumps(profile), encoding="utf-8-sig")
    program = tmp_path / "bin" / "az"
    program.parent.mkdir()
    token = azure.simulator.tokens.issue(reader, "https://management.azure.com")
    program.write_text(AZ.format(python=sys.executable, token=token), encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    return folder


@pytest.mark.usefixtures("az")
def test_who_did_az_login(azure: Azure, reader: Any) -> None:
    assert who(azure) == reader.object_id
    # The subscription is the one that `az account set` chose; nobody had to be asked.
    assert not [each for each in azure.log() if each["path"] == "/subscriptions"]


def test_az_without_its_program(az: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(az))
    with pytest.raises(ModuleError, match=r"signing in to Azure failed: .*Azure CLI not found"):
        run_module("resource_group", **GROUP)


@pytest.fixture
def signed_in(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = azure.simulator.owner
    variables = {"AZURE_TENANT_ID": azure.simulator.tenant, "AZURE_CLIENT_ID": owner.app_id}
    export(monkeypatch, **variables, AZURE_CLIENT_SECRET=owner.secret)


@pytest.mark.usefixtures("signed_in")
def test_the_only_subscription_is_taken(azure: Azure) -> None:
    made = run_module("resource_group", **GROUP)
    assert azure.simulator.subscription in made["resource"]["id"]


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (
            ["first", "second"],
            r"sees 2 subscriptions: set subscription_id or .* first-id \(first\), second-id \(second\)",
        ),
        ([], "sees 0 subscriptions: set subscription_id or .* There are: none"),
    ],
)
def test_of_several_subscriptions_none_is_taken(azure: Azure, names: list[str], sentence: str) -> None:
    value = [{"subscriptionId": f"{name}-id", "displayName": name} for name in names]
    Meddler(azure).always("GET", "^/subscriptions", lambda: Answer(200, {"value": value}))
    with pytest.raises(ModuleError, match=sentence):
        run_module("resource_group", **GROUP)
    assert azure.writes() == []


@pytest.mark.usefixtures("signed_in")
def test_a_subscription_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(ModuleError, match="Set subscription_id to a subscription that the credential can see"):
        run_module("resource_group", **GROUP, subscription_id="11111111-0000-4000-8000-000000000000")
