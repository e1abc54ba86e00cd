# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may come into the cluster with a token of Entra ID: as on AKS, by roles that Azure gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from tests.simulator.keys import authority
from tests.simulator.providers.containerservice_credentials import SERVER_APPLICATION

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulator.simulator import Simulator

BINDING = "aks-azure-rbac-cluster-admins"
# What nobody but an administrator of the whole cluster may do.
TELLING = "Microsoft.ContainerService/managedClusters/rbac.authorization.k8s.io/clusterrolebindings/write"


def authentication(simulator: Simulator, path: Path) -> Path:
    """Write what the API server must know: whose tokens it takes, and where the keys are that these are signed with."""
    issuer = {
        "url": f"https://sts.windows.net/{simulator.tenant}/",
        "discoveryURL": f"https://login.microsoftonline.com/{simulator.tenant}/.well-known/openid-configuration",
        "audiences": [SERVER_APPLICATION],
        "certificateAuthority": authority().cert_pem.bytes().decode(),
    }
    mappings = {"username": {"claim": "oid", "prefix": ""}}
    document = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "jwt": [{"issuer": issuer, "claimMappings": mappings}],
    }
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def administrators(simulator: Simulator, cluster: dict[str, Any]) -> set[str]:
    """List who may do all in a cluster now. To be called with the simulator locked."""
    entra = cluster["properties"].get("aadProfile") or {}
    found = {
        member
        for group in entra.get("adminGroupObjectIDs") or []
        if (known := simulator.principals.get(group))
        for member in known.members
    }
    if entra.get("enableAzureRBAC"):
        everyone = simulator.principals.everyone()
        may = simulator.access.allowed
        found |= {one.object_id for one in everyone if may(one, TELLING, cluster["id"], data=True)}
    return found


def bind(api: Any, people: set[str]) -> None:
    """Give these, and no others, all rights in the cluster."""
    from kubernetes import client

    rights = client.RbacAuthorizationV1Api(api)
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": one} for one in sorted(people)]
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    body = {"metadata": {"name": BINDING}, "roleRef": role, "subjects": subjects}
    try:
        rights.replace_cluster_role_binding(BINDING, body)
    except client.ApiException as error:
        if error.status != 404:
            raise
        rights.create_cluster_role_binding(body)


def knows(api: Any, token: str) -> bool:
    """Tell whether the API server takes a token already: it fetches the issuer's keys beside its other work."""
    from kubernetes import client

    return bool(client.AuthenticationV1Api(api).create_token_review({"spec": {"token": token}}).status.authenticated)
