# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When an object is what it is to be: one function for each kind, told by what the API server says of it.

Each returns why it is not ready, or an empty text. ``FailedError`` says that it never will be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import MatchaError


class FailedError(MatchaError):
    """It will not become ready, however long one waits."""


def condition(item: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """Return a condition of an object; an empty one if it has none of that type."""
    found = (item.get("status") or {}).get("conditions") or ()
    return next((each for each in found if each.get("type") == kind), {})


def seen(item: Mapping[str, Any]) -> bool:
    """Return whether the status tells of this very generation."""
    return bool((item.get("status") or {}).get("observedGeneration", 0) >= item["metadata"].get("generation", 0))


def _deployment(item: Mapping[str, Any]) -> str:
    status, wanted = item.get("status") or {}, item["spec"].get("replicas", 1)
    if not seen(item):
        return "not seen by its controller yet"
    progress = condition(item, "Progressing")
    # One that makes no progress may still get there; its pods say why it does not.
    late = " (no progress within its deadline)" if progress.get("reason") == "ProgressDeadlineExceeded" else ""
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if updated < wanted:
        return f"{updated} of {wanted} pods are of the new kind{late}"
    if status.get("replicas", 0) > updated:
        return f"{status['replicas'] - updated} old pods have not ended{late}"
    return "" if available >= wanted else f"{available} of {wanted} pods are available{late}"


def _stateful_set(item: Mapping[str, Any]) -> str:
    status, wanted = item.get("status") or {}, item["spec"].get("replicas", 1)
    if not seen(item):
        return "not seen by its controller yet"
    ready = status.get("readyReplicas", 0)
    if ready < wanted:
        return f"{ready} of {wanted} pods are ready"
    if (item["spec"].get("updateStrategy") or {}).get("type") == "OnDelete":
        return ""
    partition = ((item["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}).get("partition") or 0
    updated = status.get("updatedReplicas", 0)
    if status.get("currentRevision") != status.get("updateRevision") and updated < wanted - partition:
        return f"{updated} of {wanted} pods are of the new kind"
    return ""


def _daemon_set(item: Mapping[str, Any]) -> str:
    status = item.get("status") or {}
    wanted, available = status.get("desiredNumberScheduled", 0), status.get("numberAvailable", 0)
    if not seen(item):
        return "not seen by its controller yet"
    if status.get("updatedNumberScheduled", 0) < wanted:
        return f"{status.get('updatedNumberScheduled', 0)} of {wanted} pods are of the new kind"
    return "" if available >= wanted else f"{available} of {wanted} pods are available"


def _job(item: Mapping[str, Any]) -> str:
    failed = condition(item, "Failed")
    if failed.get("status") == "True":
        raise FailedError(f"it failed: {failed.get('message') or failed.get('reason') or 'its pod failed'}")
    if condition(item, "Complete").get("status") == "True":
        return ""
    status = item.get("status") or {}
    tries = f", {status['failed']} tries failed" if status.get("failed") else ""
    return f"{'it runs' if status.get('active') else 'it has not begun'}{tries}"


def _pod(item: Mapping[str, Any]) -> str:
    phase = (item.get("status") or {}).get("phase", "Pending")
    if phase == "Failed":
        raise FailedError(f"it failed: {item['status'].get('message') or item['status'].get('reason') or 'it ended'}")
    ready = phase == "Succeeded" or condition(item, "Ready").get("status") == "True"
    return "" if ready else f"it is {phase}"


def _claim(item: Mapping[str, Any]) -> str:
    phase = (item.get("status") or {}).get("phase", "Pending")
    if phase == "Lost":
        raise FailedError("its volume is gone: delete the claim, or bring the volume back")
    return "" if phase == "Bound" else f"it is {phase}"


def _established(item: Mapping[str, Any]) -> str:
    names = condition(item, "NamesAccepted")
    if names.get("status") == "False":
        raise FailedError(f"its names are not accepted: {names.get('message')}")
    return "" if condition(item, "Established").get("status") == "True" else "not established yet"


def _namespace(item: Mapping[str, Any]) -> str:
    phase = (item.get("status") or {}).get("phase", "")
    return "" if phase == "Active" else f"it is {phase or 'new'}"


def _service(item: Mapping[str, Any]) -> str:
    if item["spec"].get("type") != "LoadBalancer":
        return ""
    ingress = ((item.get("status") or {}).get("loadBalancer") or {}).get("ingress")
    return "" if ingress else "it has no address yet"


def _seldon_deployment(item: Mapping[str, Any]) -> str:
    status = item.get("status") or {}
    if status.get("state") == "Failed":
        raise FailedError(f"it failed: {status.get('description') or 'the operator does not say why'}")
    return "" if status.get("state") == "Available" else f"it is {status.get('state') or 'new to its operator'}"


def _has(kind: str) -> Callable[[Mapping[str, Any]], str]:
    """Return what asks for a condition that must be true."""

    def ready(item: Mapping[str, Any]) -> str:
        found = condition(item, kind)
        if found.get("status") == "True":
            return ""
        return f"not {kind} yet{': ' + str(found['message']) if found.get('message') else ''}"

    return ready


READY: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Job": _job,
    "Pod": _pod,
    "PersistentVolumeClaim": _claim,
    "CustomResourceDefinition": _established,
    "Namespace": _namespace,
    "Service": _service,
    "SeldonDeployment": _seldon_deployment,
    "APIService": _has("Available"),
    "Gateway": _has("Programmed"),
    "Certificate": _has("Ready"),
}


def unready(item: Mapping[str, Any]) -> str:
    """Return why an object is not ready; empty where it is, or where its kind knows no such thing.

    Raises ``FailedError``.
    """
    ask = READY.get(item["kind"])
    return ask(item) if ask else ""
