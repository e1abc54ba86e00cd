# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who signs in to Azure: options first, then the environment, and one credential's parts only."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import azure.identity as sdk
import pytest

from ansible_collections.matcha.mlops.plugins.module_utils.azure.auth import AUTH_SPEC, CLOUDS, ENVIRONMENT, Auth
from ansible_collections.matcha.mlops.plugins.module_utils.errors import MatchaError

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "sesame-8f2c"
TENANT, CLIENT, OTHER = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "123")
PRINCIPAL = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT, "AZURE_CLIENT_SECRET": SECRET}


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody has signed in on this machine, and it is none of Azure's."""
    for name in list(os.environ):
        if name.startswith(("AZURE_", "IDENTITY_", "MSI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path / "azure"))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[Any, ...], dict[str, Any]]]:
    """Return what the SDK is asked for: its class, and the arguments."""
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
    for name in ("AzureCli", "ManagedIdentity", "WorkloadIdentity", "Certificate", "ClientSecret"):

        def make(*arguments: Any, kind: str = name, **options: Any) -> None:
            calls.append((kind, arguments, options))

        monkeypatch.setattr(sdk, f"{name}Credential", make)
    return calls


def environment(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def profile(tmp_path: Path, text: str = "") -> None:
    """Somebody did `az login`."""
    subscriptions = [{"id": "first"}, {"id": "second", "isDefault": True}]
    folder = tmp_path / "azure"
    folder.mkdir()
    # As `az` writes it: with a mark of its encoding.
    path = folder / "azureProfile.json"
    path.write_text(text or json.dumps({"subscriptions": subscriptions}), encoding="utf-8-sig")


@pytest.mark.parametrize(
    "names",
    [
        ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_SUBSCRIPTION_ID"),
        # AWX's.
        ("AZURE_TENANT", "AZURE_CLIENT_ID", "AZURE_SECRET", "AZURE_SUBSCRIPTION_ID"),
    ],
)
def test_names_of_the_environment(
    made: list[Any], monkeypatch: pytest.MonkeyPatch, names: tuple[str, str, str, str]
) -> None:
    environment(monkeypatch, **dict(zip(names, (TENANT, CLIENT, SECRET, "subscription"), strict=True)))
    auth = Auth.of({})
    auth.credential()
    assert made == [("ClientSecret", (TENANT, CLIENT, SECRET), {"authority": "login.microsoftonline.com"})]
    assert auth.subscription_id == "subscription"


def test_the_sdks_names_come_before_awxs(made: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch, AZURE_TENANT="tenant of AWX", AZURE_SECRET="secret of AWX", **PRINCIPAL)
    Auth.of({}).credential()
    assert made[0][1] == (TENANT, CLIENT, SECRET)


def test_options_come_before_the_environment(made: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {name: "environment's" for names in ENVIRONMENT.values() for name in names}
    environment(monkeypatch, **{**variables, "AZURE_CLOUD_ENVIRONMENT": "AzureChinaCloud"})
    options = {"tenant": TENANT, "client_id": CLIENT, "secret": SECRET, "subscription_id": "own"}
    auth = Auth.of({**options, "cloud_environment": "AzureUSGovernment"})
    auth.credential()
    assert made == [("ClientSecret", (TENANT, CLIENT, SECRET), {"authority": "login.microsoftonline.us"})]
    assert auth.subscription_id == "own"
    assert auth.federated_token_file == auth.client_certificate_path == ""


def test_an_empty_text_is_unset(made: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch, AZURE_TENANT="later", AZURE_SECRET="later", **{**PRINCIPAL, "AZURE_TENANT_ID": ""})
    Auth.of({**dict.fromkeys(AUTH_SPEC, ""), "client_id": None}).credential()
    assert made[0][:2] == ("ClientSecret", ("later", CLIENT, SECRET))


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        # The option's secret, though the environment has a certificate.
        ({"secret": SECRET}, "ClientSecret"),
        ({"client_certificate_path": "/own.pem"}, "Certificate"),
        ({"client_id": OTHER, "secret": SECRET}, "ClientSecret"),
        ({"client_id": OTHER, "client_certificate_path": "/own.pem"}, "Certificate"),
    ],
)
def test_the_proof_in_the_options_is_the_only_one(
    made: list[Any], monkeypatch: pytest.MonkeyPatch, options: dict[str, str], kind: str
) -> None:
    environment(
        monkeypatch,
        **{**PRINCIPAL, "AZURE_CLIENT_SECRET": "theirs"},
        AZURE_CLIENT_CERTIFICATE_PATH="/theirs.pem",
        AZURE_FEDERATED_TOKEN_FILE="/theirs.token",
    )
    auth = Auth.of(options)
    auth.credential()
    proof = options.get("secret") or options["client_certificate_path"]
    assert made == [(kind, (TENANT, options.get("client_id", CLIENT), proof), {"authority": auth.cloud.authority})]
    assert "theirs" not in repr(auth)


def test_the_environments_secret_is_not_sent_for_another_client(
    made: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment(monkeypatch, **PRINCIPAL)
    Auth.of({"client_id": OTHER}).credential()
    assert made == [("ManagedIdentity", (), {"client_id": OTHER})]
    with pytest.raises(MatchaError, match="secret must be known"):
        Auth.of({"client_id": OTHER, "auth_source": "env"}).credential()
    # The same client, or a secret of nobody's.
    Auth.of({"client_id": CLIENT}).credential()
    monkeypatch.delenv("AZURE_CLIENT_ID")
    Auth.of({"client_id": OTHER}).credential()
    assert [arguments for _kind, arguments, _options in made[1:]] == [(TENANT, CLIENT, SECRET), (TENANT, OTHER, SECRET)]


def test_the_secret_comes_before_the_certificate_as_in_the_sdk(
    made: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment(monkeypatch, AZURE_CLIENT_CERTIFICATE_PATH="/tea.pem", **PRINCIPAL)
    Auth.of({}).credential()
    monkeypatch.delenv("AZURE_CLIENT_SECRET")
    Auth.of({}).credential()
    assert [(kind, arguments[2]) for kind, arguments, _options in made] == [
        ("ClientSecret", SECRET),
        ("Certificate", "/tea.pem"),
    ]


@pytest.mark.parametrize("source", ["auto", "workload_identity"])
def test_workload_identity(made: list[Any], monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    environment(
        monkeypatch, AZURE_TENANT_ID=TENANT, AZURE_CLIENT_ID=CLIENT, AZURE_FEDERATED_TOKEN_FILE="/var/run/token"
    )
    # One token serves several identities.
    Auth.of({"auth_source": source, "client_id": OTHER}).credential()
    assert made == [
        (
            "WorkloadIdentity",
            (),
            {
                "tenant_id": TENANT,
                "client_id": OTHER,
                "token_file_path": "/var/run/token",
                "authority": "login.microsoftonline.com",
            },
        )
    ]


def test_a_source_that_is_asked_for_is_taken(made: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    profile(tmp_path)
    environment(monkeypatch, AZURE_FEDERATED_TOKEN_FILE="/var/run/token", **PRINCIPAL)
    for source in ("env", "workload_identity", "managed_identity", "cli"):
        Auth.of({"auth_source": source}).credential()
    assert [kind for kind, _arguments, _options in made] == [
        "ClientSecret",
        "WorkloadIdentity",
        "ManagedIdentity",
        "AzureCli",
    ]


def test_who_did_az_login_signs_in(made: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert Auth.of({}).subscription_of_cli() == ""
    profile(tmp_path)
    auth = Auth.of({"tenant": TENANT})
    auth.credential()
    assert made == [("AzureCli", (), {"tenant_id": TENANT})]
    assert auth.subscription_of_cli() == "second"
    # A machine of Azure's that has an identity takes that.
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1")
    Auth.of({}).credential()
    assert made[1] == ("ManagedIdentity", (), {"client_id": None})


def test_az_logins_subscription_is_not_a_service_principals(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    profile(tmp_path)
    environment(monkeypatch, **PRINCIPAL)
    assert Auth.of({}).subscription_of_cli() == ""
    assert Auth.of({"auth_source": "cli"}).subscription_of_cli() == "second"


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"subscriptions": [{"id": "one"}]}', '{"subscriptions": null}'])
def test_a_profile_that_says_nothing(tmp_path: Path, text: str) -> None:
    profile(tmp_path, text)
    assert Auth.of({}).subscription_of_cli() == ""


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"secret": SECRET}, "tenant and client_id must be known: .*AZURE_TENANT_ID, AZURE_CLIENT_ID"),
        ({"secret": SECRET, "client_id": CLIENT}, "tenant must be known: .*option of that name, or AZURE_TENANT_ID"),
        (
            {"auth_source": "env", "tenant": TENANT, "client_id": CLIENT},
            "secret must be known: .*AZURE_CLIENT_SECRET",
        ),
        (
            {"auth_source": "workload_identity", "tenant": TENANT, "client_id": CLIENT},
            "federated_token_file must be known: set AZURE_FEDERATED_TOKEN_FILE",
        ),
        ({"client_certificate_path": "/tea.pem", "tenant": TENANT}, "client_id must be known"),
    ],
)
def test_what_is_missing_is_named(options: dict[str, str], sentence: str) -> None:
    with pytest.raises(MatchaError, match=sentence) as error:
        Auth.of(options).credential()
    assert SECRET not in str(error.value)


def test_what_the_sdk_does_not_take_is_a_sentence(tmp_path: Path) -> None:
    certificate = tmp_path / "tea.pem"
    certificate.write_text("no certificate", encoding="utf-8")
    options = {"tenant": TENANT, "client_id": CLIENT, "client_certificate_path": str(certificate)}
    with pytest.raises(MatchaError, match="Signing in to Azure is not possible with these options"):
        Auth.of(options).credential()
    with pytest.raises(MatchaError, match="Invalid tenant"):
        Auth.of({"tenant": "no tenant", "client_id": CLIENT, "secret": SECRET}).credential()


@pytest.mark.parametrize("name", CLOUDS)
def test_clouds(made: list[Any], monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("AZURE_CLOUD_ENVIRONMENT", name)
    auth = Auth.of({"tenant": TENANT, "client_id": CLIENT, "secret": SECRET})
    auth.credential()
    assert made[0][2] == {"authority": CLOUDS[name].authority}
    assert auth.cloud.scope == f"{CLOUDS[name].manager}/.default"
    assert len({cloud.manager for cloud in CLOUDS.values()}) == len(CLOUDS)


def test_an_unknown_cloud_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLOUD_ENVIRONMENT", "AzureGermanCloud")
    with pytest.raises(MatchaError, match="'AzureGermanCloud' is unknown: set cloud_environment to one of AzureCloud"):
        Auth.of({})


def test_secrets_are_kept_out_of_logs() -> None:
    assert AUTH_SPEC["secret"]["no_log"] is True
    assert SECRET not in repr(Auth.of({"secret": SECRET}))
