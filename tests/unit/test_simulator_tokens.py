# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's sign-in: every kind of credential of azure-identity, and what Microsoft Entra refuses."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.identity import (
    ClientSecretCredential,
    CredentialUnavailableError,
    EnvironmentCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from azure.mgmt.resource.resources import ResourceManagementClient
from cryptography.hazmat.primitives.asymmetric import rsa

from simulator.simulator import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator.http import Running
    from simulator.principals import Principal

ISSUER, SUBJECT = "https://westeurope.oic.example/cluster/", "system:serviceaccount:zenml:zenml"
SCOPE = "https://management.azure.com/.default"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with running() as found:
        for name, value in found.environment.items():
            monkeypatch.setenv(name, value)
        yield found


@pytest.fixture
def app(run: Running) -> Principal:
    """Return an app that trusts a cluster's service account."""
    found = run.simulator.principals.add_service_principal("app")
    found.federated.append({"issuer": ISSUER, "subject": SUBJECT, "audiences": ["api://AzureADTokenExchange"]})
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
    run.simulator.tokens.oidc_keys[ISSUER] = {"keys": [{**public, "kid": "cluster", "use": "sig"}]}
    return found


def works(run: Running, credential: Any) -> None:
    """Ask Resource Manager for something with it."""
    client = ResourceManagementClient(credential, run.simulator.subscription)
    assert list(client.resource_groups.list()) == []
    assert run.log()[-1]["principal"]


def claims(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def federated(run: Running, app: Principal, folder: Path, **changes: Any) -> WorkloadIdentityCredential:
    content = {
        "iss": ISSUER,
        "sub": SUBJECT,
        "aud": ["api://AzureADTokenExchange"],
        "exp": time.time() + 600,
        **changes,
    }
    key = content.pop("key", KEY)
    file = folder / "token"
    file.write_text(jwt.encode(content, key, algorithm="RS256", headers={"kid": "cluster"}), "utf-8")
    return WorkloadIdentityCredential(tenant_id=run.simulator.tenant, client_id=app.app_id, token_file_path=str(file))


def test_a_secret(run: Running) -> None:
    owner = run.simulator.owner
    credential = ClientSecretCredential(run.simulator.tenant, owner.app_id, owner.secret)
    works(run, credential)
    found = claims(credential.get_token(SCOPE).token)
    assert (found["oid"], found["appid"], found["tid"]) == (owner.object_id, owner.app_id, run.simulator.tenant)
    assert found["aud"] == "https://management.azure.com"
    assert found["exp"] > time.time() + 3000


def test_the_environment(run: Running) -> None:
    works(run, EnvironmentCredential())


def test_the_token_is_signed_with_the_published_key(run: Running) -> None:
    token = EnvironmentCredential().get_token(SCOPE).token
    base = f"https://login.microsoftonline.com/{run.simulator.tenant}/v2.0/.well-known/openid-configuration"
    where = requests.get(base, timeout=60).json()["jwks_uri"]
    keys = jwt.PyJWKSet.from_dict(requests.get(where, timeout=60).json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    assert jwt.decode(token, key, algorithms=["RS256"], audience="https://management.azure.com")


def test_another_secret(run: Running) -> None:
    owner = run.simulator.owner
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        ClientSecretCredential(run.simulator.tenant, owner.app_id, "wrong").get_token(SCOPE)


def test_another_app_tenant_and_resource(run: Running) -> None:
    owner = run.simulator.owner
    with pytest.raises(ClientAuthenticationError, match="AADSTS700016"):
        ClientSecretCredential(run.simulator.tenant, owner.object_id, owner.secret).get_token(SCOPE)
    other = "11111111-2222-3333-4444-555555555555"
    with pytest.raises(ClientAuthenticationError, match=r"AADSTS90002|Unable to get authority configuration"):
        ClientSecretCredential(other, owner.app_id, owner.secret).get_token(SCOPE)
    with pytest.raises(ClientAuthenticationError, match="AADSTS500011"):
        EnvironmentCredential().get_token("https://unknown.example/.default")


def test_a_token_for_something_else_is_refused_by_resource_manager(run: Running) -> None:
    class Storage:
        def get_token(self, *_: Any, **__: Any) -> Any:
            return EnvironmentCredential().get_token("https://storage.azure.com/.default")

    with pytest.raises(ClientAuthenticationError) as caught:
        works(run, Storage())
    assert caught.value.error.code == "InvalidAuthenticationTokenAudience"


def test_an_expired_token(run: Running) -> None:
    credential = EnvironmentCredential()
    works(run, credential)
    run.simulator.tokens.expire()
    with pytest.raises(ClientAuthenticationError) as caught:
        works(run, credential)
    assert caught.value.error.code == "ExpiredAuthenticationToken"


def test_a_workload_identity(run: Running, app: Principal, tmp_path: Path) -> None:
    run.simulator.access.grant(app, "Owner", f"/subscriptions/{run.simulator.subscription}")
    works(run, federated(run, app, tmp_path))


def test_a_managed_identity_has_its_federated_credentials_in_the_store(run: Running, tmp_path: Path) -> None:
    simulator = run.simulator
    resource = f"/subscriptions/{simulator.subscription}/resourceGroups/g/providers/Microsoft.ManagedIdentity"
    resource += "/userAssignedIdentities/i"
    simulator.store.put(resource, {"id": resource})
    identity = simulator.principals.add_managed_identity("i", resource=resource)
    with pytest.raises(ClientAuthenticationError, match="AADSTS70021:"):
        federated(run, identity, tmp_path).get_token(SCOPE)
    trust = {"issuer": ISSUER, "subject": SUBJECT, "audiences": ["api://AzureADTokenExchange"]}
    simulator.store.put(f"{resource}/federatedIdentityCredentials/f", {"id": "f", "properties": trust})
    token = federated(run, identity, tmp_path).get_token(SCOPE).token
    assert claims(token)["xms_mirid"] == resource


def test_a_clusters_issuer_publishes_its_keys(run: Running, app: Principal, tmp_path: Path) -> None:
    issuer = f"https://westeurope.oic.prod-aks.azure.com/{run.simulator.tenant}/cluster/"
    token = run.simulator.tokens.service_account(issuer, "zenml", "zenml")
    configuration = requests.get(f"{issuer}.well-known/openid-configuration", timeout=60).json()
    assert configuration["issuer"] == issuer
    keys = jwt.PyJWKSet.from_dict(requests.get(configuration["jwks_uri"], timeout=60).json())
    assert jwt.decode(token, keys.keys[0], algorithms=["RS256"], audience="api://AzureADTokenExchange")
    assert requests.get(f"{issuer}other", timeout=60).status_code == 404
    app.federated[0]["issuer"] = issuer
    (tmp_path / "token").write_text(token, "utf-8")
    settings = {"tenant_id": run.simulator.tenant, "client_id": app.app_id}
    credential = WorkloadIdentityCredential(**settings, token_file_path=str(tmp_path / "token"))
    assert claims(credential.get_token(SCOPE).token)["oid"] == app.object_id


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": ISSUER.rstrip("/")}, "AADSTS700211"),
        ({"sub": SUBJECT + "x"}, "AADSTS700213"),
        ({"aud": "https://kubernetes.default.svc"}, "AADSTS700212"),
        ({"exp": 1}, "AADSTS700024"),
        ({"key": rsa.generate_private_key(public_exponent=65537, key_size=2048)}, "AADSTS700027"),
    ],
)
def test_refused_assertions(run: Running, app: Principal, tmp_path: Path, changes: Any, code: str) -> None:
    with pytest.raises(ClientAuthenticationError, match=f"{code}:"):
        federated(run, app, tmp_path, **changes).get_token(SCOPE)


def test_the_machines_identity(run: Running) -> None:
    machine = run.simulator.machine
    with pytest.raises((ClientAuthenticationError, CredentialUnavailableError)):
        ManagedIdentityCredential().get_token(SCOPE)
    first, second = (run.simulator.principals.add_managed_identity(name) for name in ("first", "second"))
    machine.identities.append(first)
    run.simulator.access.grant(first, "Owner", f"/subscriptions/{run.simulator.subscription}")
    works(run, ManagedIdentityCredential())
    machine.identities.append(second)
    token = ManagedIdentityCredential(client_id=second.app_id).get_token(SCOPE).token
    assert claims(token)["oid"] == second.object_id


def test_the_metadata_service_wants_its_header(run: Running) -> None:
    url = f"{run.arm_url}/metadata/instance?api-version=2021-02-01"
    assert requests.get(url, timeout=60).status_code == 400
    for base in (run.arm_url, "http://169.254.169.254"):
        answer = requests.get(url.replace(run.arm_url, base), headers={"Metadata": "true"}, timeout=60)
        assert answer.json()["compute"]["subscriptionId"] == run.simulator.subscription


def test_nobody_gets_in_without_a_token(run: Running) -> None:
    url = (
        f"https://management.azure.com/subscriptions/{run.simulator.subscription}/resourcegroups?api-version=2021-04-01"
    )
    for headers in ({}, {"Authorization": "Bearer x"}):
        answer = requests.get(url, headers=headers, timeout=60)
        assert answer.status_code == 401
        assert "WWW-Authenticate" in answer.headers


@pytest.mark.usefixtures("run")
def test_a_subscription_that_is_not_ours() -> None:
    client = ResourceManagementClient(EnvironmentCredential(), "11111111-2222-3333-4444-555555555555")
    with pytest.raises(HttpResponseError) as caught:
        list(client.resource_groups.list())
    assert caught.value.error.code == "SubscriptionNotFound"
