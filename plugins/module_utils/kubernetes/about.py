# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster is: its version, who signs its tokens, whether it is OpenShift, and what enforces its policies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from .client import Cluster
from .errors import KubernetesError
from .model import Object

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
# What of a DaemonSet's name tells who enforces NetworkPolicies.
ENFORCERS = {
    "cilium": "cilium",
    "calico-node": "calico",
    "azure-npm": "azure",
    "antrea-agent": "antrea",
    "kube-router": "kube-router",
    "ovnkube-node": "ovn-kubernetes",
    "ovs-node": "ovn-kubernetes",
    "weave-net": "weave",
}


def about(cluster: Cluster) -> dict[str, Any]:
    """Return what is known of a cluster. What who signs in may not see is None."""
    version = cluster.request("GET", "/version", "Asking for the version")
    groups = {each["name"] for each in cluster.request("GET", "/apis", "Asking for the API's groups")["groups"]}
    classes = cluster.list("storage.k8s.io/v1", "StorageClass")
    return {
        "server": str(cluster.client.configuration.host),
        "version": version["gitVersion"].removeprefix("v"),
        "issuer_url": _issuer(cluster),
        "openshift": "config.openshift.io" in groups or "security.openshift.io" in groups,
        "network_policy": _network_policy(cluster),
        "storage_classes": [_storage_class(each) for each in classes],
        "gateway_api": "gateway.networking.k8s.io" in groups,
        "istio": "networking.istio.io" in groups,
    }


def _issuer(cluster: Cluster) -> str | None:
    try:
        text = cluster.text("/.well-known/openid-configuration", "Asking who signs tokens")
        return str(json.loads(text)["issuer"])
    except (KubernetesError, ValueError, KeyError):
        return None


def _network_policy(cluster: Cluster) -> dict[str, Any]:
    """Return whether NetworkPolicies are enforced, as far as the agents that run on every node tell."""
    try:
        sets = cluster.list("apps/v1", "DaemonSet")
    except KubernetesError:
        return {"enforced": None, "by": None}
    return enforcement(sets)


def enforcement(sets: Iterable[Object]) -> dict[str, Any]:
    """Return whether one of these DaemonSets enforces NetworkPolicies, and which."""
    for each in sets:
        name = each["metadata"]["name"]
        found = next((by for part, by in ENFORCERS.items() if name == part or name.startswith(f"{part}-")), None)
        if found:
            return {"enforced": True, "by": found}
    return {"enforced": False, "by": None}


def _storage_class(item: Mapping[str, Any]) -> dict[str, Any]:
    annotations = item["metadata"].get("annotations") or {}
    return {
        "name": item["metadata"]["name"],
        "provisioner": item["provisioner"],
        "reclaim_policy": item.get("reclaimPolicy", "Delete"),
        "default": annotations.get(DEFAULT_CLASS) == "true",
    }
