# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One pod, run to its end."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TIMEOUT = 300


def run_pod(
    api: Any,
    image: str,
    command: Sequence[str],
    values: Mapping[str, str],
    *,
    audience: str,
    namespace: str = "default",
    account: str = "default",
) -> str:
    """Run a command in a pod that has a projected token for this audience; return what it printed."""
    from kubernetes import client

    core, name = client.CoreV1Api(api), f"try-{uuid.uuid4().hex[:8]}"
    token = {"serviceAccountToken": {"audience": audience, "path": "azure-identity-token", "expirationSeconds": 3600}}
    container = {
        "name": "try",
        "image": image,
        "imagePullPolicy": "Never",
        "command": list(command),
        "env": [{"name": key, "value": value} for key, value in values.items()],
        "volumeMounts": [{"name": "token", "mountPath": "/var/run/secrets/azure/tokens"}],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    volumes = [{"name": "token", "projected": {"sources": [token]}}]
    spec = {"restartPolicy": "Never", "containers": [container], "volumes": volumes, "serviceAccountName": account}
    spec["securityContext"] = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
    core.create_namespaced_pod(namespace, {"metadata": {"name": name}, "spec": spec})
    end = time.monotonic() + TIMEOUT
    while (phase := core.read_namespaced_pod(name, namespace).status.phase) not in {"Succeeded", "Failed"}:
        assert time.monotonic() < end, core.read_namespaced_pod(name, namespace).status
        time.sleep(0.2)
    said = core.read_namespaced_pod_log(name, namespace)
    core.delete_namespaced_pod(name, namespace)
    assert phase == "Succeeded", said
    return said
