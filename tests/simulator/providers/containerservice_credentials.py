# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubeconfigs of clusters. Certificates are real, of an authority that each simulator makes when it is first asked."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Any

import trustme
import yaml

from ..arm import Answer, AzureError

if TYPE_CHECKING:
    from ..arm import Request, ResourceId

# The two applications of Entra ID that stand for every AKS cluster, and for kubectl.
SERVER_APPLICATION = "6dae42f8-4368-4678-94ff-3960e28e3630"
CLIENT_APPLICATION = "80faf920-1908-4b52-b5ef-a8e7bedfc67a"
KINDS = {
    "listclusteradmincredential": "clusterAdmin",
    "listclusterusercredential": "clusterUser",
    "listclustermonitoringusercredential": "clusterMonitoringUser",
}
LOCAL_ACCOUNTS_OFF = "Getting static credential is not allowed because this cluster is set to disable local accounts."


class Authority:
    """A cluster's certificate authority, and the certificates that it gave to the local accounts."""

    def __init__(self) -> None:
        self.ca = trustme.CA(organization_name="kubernetes")
        # AKS gives every local account the rights of a cluster's master.
        leaf = self.ca.issue_cert(common_name="masterclient", organization_name="system:masters")
        self.user = {
            "client-certificate-data": encoded(leaf.cert_chain_pems[0].bytes()),
            "client-key-data": encoded(leaf.private_key_pem.bytes()),
            "token": secrets.token_hex(64),
        }

    @property
    def data(self) -> str:
        return encoded(self.ca.cert_pem.bytes())


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def authority(request: Request, rid: ResourceId) -> Authority:
    """One to a cluster; rotated certificates are a new one."""
    made: dict[str, Authority] = vars(request.simulator.store).setdefault("cluster_authorities", {})
    key = str(rid).lower()
    if key not in made:
        made[key] = Authority()
    return made[key]


def rotate(request: Request, rid: ResourceId) -> None:
    vars(request.simulator.store).setdefault("cluster_authorities", {}).pop(str(rid).lower(), None)


def list_credentials(request: Request, rid: ResourceId, cluster: dict[str, Any], action: str) -> Answer:
    kind = KINDS[action.lower()]
    value = encoded(kubeconfig(request, rid, cluster, kind).encode())
    return Answer(200, {"kubeconfigs": [{"name": kind, "value": value}]})


def access_profile(request: Request, rid: ResourceId, cluster: dict[str, Any], kind: str) -> Answer:
    """POST accessProfiles/clusterUser/listCredential, the older form of the same."""
    value = encoded(kubeconfig(request, rid, cluster, kind).encode())
    body = {
        "id": f"{cluster['id']}/accessprofiles/{kind}",
        "name": kind,
        "type": "Microsoft.ContainerService/ManagedClusters/AccessProfiles",
        "location": cluster["location"],
        "properties": {"kubeConfig": value},
    }
    return Answer(200, body)


def kubeconfig(request: Request, rid: ResourceId, cluster: dict[str, Any], kind: str) -> str:
    properties = cluster["properties"]
    entra = properties.get("aadProfile")
    by_entra = bool(entra) and kind == "clusterUser"
    if properties.get("disableLocalAccounts") and not by_entra:
        raise AzureError(400, "BadRequest", LOCAL_ACCOUNTS_OFF, wrapped=False)
    server, local = endpoint(request, rid, cluster)
    user = login(entra) if by_entra else local
    name = rid.names[-1]
    context = f"{name}-admin" if kind == "clusterAdmin" else name
    login_name = f"{kind}_{rid.group}_{name}"
    document = {
        "apiVersion": "v1",
        "clusters": [{"cluster": server, "name": name}],
        "contexts": [{"context": {"cluster": name, "user": login_name}, "name": context}],
        "current-context": context,
        "kind": "Config",
        "preferences": {},
        "users": [{"name": login_name, "user": user}],
    }
    return yaml.safe_dump(document, sort_keys=True)


def endpoint(request: Request, rid: ResourceId, cluster: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the API server and a local account of it: simulated, or a real one that a test put in its place."""
    substitute = getattr(request.simulator, "kubeconfig_for", None)
    real = substitute(cluster) if substitute else None
    if real:
        document = yaml.safe_load(real) if isinstance(real, str) else real
        return document["clusters"][0]["cluster"], document["users"][0]["user"]
    properties = cluster["properties"]
    public = request.query.get("server-fqdn") == "public"
    host = properties.get("fqdn") if public else properties.get("privateFQDN") or properties.get("fqdn")
    made = authority(request, rid)
    return {"certificate-authority-data": made.data, "server": f"https://{host}:443"}, made.user


def login(entra: dict[str, Any]) -> dict[str, Any]:
    """Return how a user of Entra ID logs in: no secret is in the file, but a program that fetches a token."""
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "args": [
                "get-token", "--environment", "AzurePublicCloud", "--server-id", SERVER_APPLICATION,
                "--client-id", CLIENT_APPLICATION, "--tenant-id", entra["tenantID"], "--login", "devicecode",
            ],
            "command": "kubelogin",
            "env": None,
            "installHint": "kubelogin is not installed which is required to connect to AAD enabled cluster.",
            "provideClusterInfo": False,
        }
    }  # fmt: skip
