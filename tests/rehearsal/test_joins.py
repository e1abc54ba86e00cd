# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is simulated and what is real hold together, as a pod and an administrator see it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
import requests
from kubernetes import client

from ansible_collections.matcha.mlops.plugins.module_utils.azure import arm
from modules.harness import run_module
from tests.kubernetes.images import client_name
from tests.kubernetes.processes import wait_for
from tests.rehearsal.clusters import client_of
from tests.rehearsal.pods import run_pod

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.rehearsal.world import World

GROUP = "tea"
HERE = {"resource_group": GROUP, "location": "westeurope"}
PASSWORD = "Sesame-1-open"
AUDIENCE = "api://AzureADTokenExchange"
LOGIN = "https://login.microsoftonline.com"


class Built:
    """A cluster, a database, a storage account and an identity, made by the modules."""

    def __init__(self, world: World, kubeconfig: Path) -> None:
        self.world, self.kubeconfig = world, kubeconfig
        run_module("resource_group", name=GROUP, location="westeurope")
        static = {"sku": {"name": "Standard"}, "public_ip_allocation_method": "Static"}
        address = run_module("public_ip_address", **HERE, name="outbound", **static)["resource"]
        self.address = address["properties"]["ipAddress"]
        self.cluster = self.make_cluster(address["id"])
        self.database()
        self.account = run_module("storage_account", **HERE, name="teaaccount", containers=[{"name": "leaves"}])
        self.identity = self.make_identity()
        self.rights(self.cluster)

    def make_cluster(self, address: str) -> dict[str, Any]:
        profile = {"load_balancer_profile": {"outbound_ips": [address]}}
        pool = {"name": "system", "mode": "System", "vm_size": "Standard_DS3_v2", "count": 1}
        return run_module(
            "aks_cluster",
            **HERE,
            name="pot",
            agent_pool_profiles=[pool],
            network_profile=profile,
            aad_profile={"managed": True, "enable_azure_rbac": True},
            disable_local_accounts=True,
            oidc_issuer_profile={"enabled": True},
            security_profile={"workload_identity": {"enabled": True}},
        )["resource"]

    def database(self) -> None:
        run_module(
            "mysql_flexible_server",
            **HERE,
            name="teazenmlserver",
            sku={"name": "Standard_B1ms", "tier": "Burstable"},
            version="8.4",
            administrator_login="matcha",
            administrator_login_password=PASSWORD,
            databases=[{"name": "zenml"}],
            firewall_rules=[{"name": "outbound", "start_ip_address": self.address, "end_ip_address": self.address}],
        )

    @property
    def issuer(self) -> str:
        return self.cluster["properties"]["oidcIssuerProfile"]["issuerURL"]

    def make_identity(self) -> dict[str, Any]:
        subject = "system:serviceaccount:default:default"
        credential = {"name": "default", "issuer": self.issuer, "subject": subject, "audiences": [AUDIENCE]}
        made = run_module("user_assigned_identity", **HERE, name="leaf", federated_credentials=[credential])
        scope = self.account["resource"]["id"]
        role = {"role_definition": "Storage Blob Data Contributor", "principal_type": "ServicePrincipal"}
        run_module("role_assignment", scope=scope, principal_id=made["resource"]["properties"]["principalId"], **role)
        return made["resource"]["properties"]

    def rights(self, cluster: dict[str, Any]) -> None:
        role = {"role_definition": "Azure Kubernetes Service RBAC Cluster Admin", "principal_type": "ServicePrincipal"}
        owner = self.world.simulator.owner.object_id
        run_module("role_assignment", scope=cluster["id"], principal_id=owner, **role)
        path = {"path": str(self.kubeconfig), "set_current_context": True}
        run_module("aks_credentials", resource_group=GROUP, cluster_name="pot", token=True, **path)
        # A grant takes its time, here as there.
        review = {"spec": {"resourceAttributes": {"verb": "*", "group": "*", "resource": "*"}}}
        may = client.AuthorizationV1Api(client_of(self.kubeconfig)).create_self_subject_access_review
        wait_for(lambda: may(review).status.allowed, "the administrator's rights", 60)

    def token(self, account: str = "default") -> str:
        """Return what the cluster gives a pod of this service account."""
        asked = {"spec": {"audiences": [AUDIENCE]}}
        core = client.CoreV1Api(client_of(self.kubeconfig))
        return core.create_namespaced_service_account_token(account, "default", asked).status.token

    def exchange(self, token: str) -> requests.Response:
        """Ask for a token of the identity, as a pod does."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.identity["clientId"],
            "scope": "https://storage.azure.com/.default",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": token,
        }
        return requests.post(f"{LOGIN}/{self.world.simulator.tenant}/oauth2/v2.0/token", data=form, timeout=60)


@pytest.fixture(scope="module")
def built(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AZURE_")]:
            patch.delenv(name)
        for name, value in world.environment.items():
            patch.setenv(name, value)
        patch.setattr(arm, "FIRST_LOOK", 0.05)
        yield Built(world, tmp_path_factory.mktemp("built") / "kubeconfig")


def test_an_administrator_comes_in_with_a_token_of_entra_id(built: Built) -> None:
    assert "token" in built.kubeconfig.read_text("utf-8")
    core = client.CoreV1Api(client_of(built.kubeconfig))
    (node,) = core.list_node().items
    assert node.status.conditions
    assert client.VersionApi(client_of(built.kubeconfig)).get_code().major == "1"


def test_nobody_else_comes_in(built: Built) -> None:
    api = client_of(built.kubeconfig)
    api.configuration.refresh_api_key_hook = None
    stranger = built.world.simulator.principals.add_service_principal("stranger", "Sesame-credential-1")
    for token, status in (
        # Known, but with no role here.
        (built.world.simulator.tokens.issue(stranger, "6dae42f8-4368-4678-94ff-3960e28e3630"), 403),
        # An owner's, but meant for something else.
        (built.world.simulator.tokens.issue(built.world.simulator.owner, "https://management.azure.com"), 401),
        ("no-token", 401),
    ):
        api.configuration.api_key = {"BearerToken": f"Bearer {token}"}
        with pytest.raises(client.ApiException) as refused:
            client.CoreV1Api(api).list_node()
        assert refused.value.status == status


def test_a_token_of_the_cluster_becomes_one_of_the_identity(built: Built) -> None:
    answer = built.exchange(built.token())
    assert answer.status_code == 200, answer.text
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}", "x-ms-version": "2023-11-03"}
    blob = "https://teaaccount.blob.core.windows.net/leaves/green"
    sent = requests.put(blob, data=b"sencha", headers={**headers, "x-ms-blob-type": "BlockBlob"}, timeout=60)
    assert sent.status_code == 201, sent.text
    assert requests.get(blob, headers=headers, timeout=60).content == b"sencha"


def test_another_subject_issuer_or_audience_does_not(built: Built) -> None:
    core = client.CoreV1Api(client_of(built.kubeconfig))
    core.create_namespaced_service_account("default", {"metadata": {"name": "other"}})
    assert "AADSTS700213" in built.exchange(built.token("other")).json()["error_description"]
    asked = {"spec": {"audiences": ["something-else"]}}
    wrong = core.create_namespaced_service_account_token("default", "default", asked).status.token
    assert "AADSTS700212" in built.exchange(wrong).json()["error_description"]
    # As the simulator signs for clusters that are not real: the key is another one.
    tokens = built.world.simulator.tokens
    assert "AADSTS700027" in built.exchange(tokens.service_account(built.issuer, "default", "default")).text
    elsewhere = tokens.service_account("https://example.org/", "default", "default")
    assert "AADSTS700211" in built.exchange(elsewhere).json()["error_description"]


POD = """
import json, os, ssl, urllib.request
from azure.identity import WorkloadIdentityCredential
from azure.storage.blob import BlobClient
import pymysql
who = WorkloadIdentityCredential()
blob = BlobClient("https://teaaccount.blob.core.windows.net", "leaves", "black", credential=who)
blob.upload_blob(b"assam", overwrite=True)
connection = pymysql.connect(
    host="teazenmlserver.mysql.database.azure.com", user="matcha", password=os.environ["PASSWORD"], database="zenml",
    ssl_ca="/etc/ssl/certs/ca-certificates.crt", ssl_verify_cert=True, ssl_verify_identity=True,
)
with connection.cursor() as cursor:
    cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
    cipher = cursor.fetchone()[1]
print(json.dumps({"blob": blob.download_blob().readall().decode(), "cipher": cipher}))
"""


def test_a_pod_reaches_storage_and_database_by_their_names(built: Built) -> None:
    values = {
        "PASSWORD": PASSWORD,
        "AZURE_CLIENT_ID": built.identity["clientId"],
        "AZURE_TENANT_ID": built.world.simulator.tenant,
        "AZURE_FEDERATED_TOKEN_FILE": "/var/run/secrets/azure/tokens/azure-identity-token",
        "AZURE_AUTHORITY_HOST": f"{LOGIN}/",
    }
    said = run_pod(client_of(built.kubeconfig), client_name(), ["python", "-c", POD], values, audience=AUDIENCE)
    found = json.loads(said.strip().splitlines()[-1])
    assert found["blob"] == "assam"
    assert found["cipher"].startswith("TLS_")


def test_the_cluster_stops_and_starts_with_azure_and_keeps_what_is_in_it(built: Built) -> None:
    core = client.CoreV1Api(client_of(built.kubeconfig))
    core.create_namespaced_config_map("default", {"metadata": {"name": "kept"}, "data": {"tea": "sencha"}})
    run_module("aks_cluster", resource_group=GROUP, name="pot", state="stopped")
    assert built.world.clusters.caught_up()
    assert built.world.cluster.status() == {}
    run_module("aks_cluster", resource_group=GROUP, name="pot", state="started")
    assert core.read_namespaced_config_map("kept", "default").data == {"tea": "sencha"}


def test_a_new_cluster_of_the_same_name_is_empty_and_has_another_issuer(built: Built) -> None:
    before = built.issuer
    run_module("aks_cluster", resource_group=GROUP, name="pot", state="absent")
    address = f"/subscriptions/{built.world.simulator.subscription}/resourceGroups/{GROUP}/providers"
    built.cluster = built.make_cluster(f"{address}/Microsoft.Network/publicIPAddresses/outbound")
    built.rights(built.cluster)
    assert built.issuer != before
    core = client.CoreV1Api(client_of(built.kubeconfig))
    assert "kept" not in {one.metadata.name for one in core.list_namespaced_config_map("default").items}
    # Nothing federates the new issuer yet.
    assert "AADSTS700211" in built.exchange(built.token()).json()["error_description"]
