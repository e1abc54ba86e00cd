# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server says when it refuses, as a sentence that names the object and says what to do."""

from __future__ import annotations

import json
from typing import Any

from ..errors import MatchaError

# What a user can do about a refusal: the first line whose status and words fit. Status 0 is any.
ADVICE: tuple[tuple[int, str, str], ...] = (
    (401, "", "See that the credential in the kubeconfig is still good; a token of aks_credentials lasts an hour."),
    (403, "exceeded quota", "Raise the namespace's ResourceQuota, or ask for less."),
    (403, "violates podsecurity", "Give the pod the security context that the namespace's Pod Security level asks."),
    (403, "being terminated", "Wait until the namespace is gone, and run this again."),
    (403, "", "Give who signs in the right that the message names (a new grant takes minutes to work)."),
    (404, "namespaces", "Make the namespace first, or in the same task."),
    (404, "", "See that the kind's CustomResourceDefinition, or its operator, is installed."),
    (409, "conflict with", "Set force_conflicts=true to take those fields over, or leave them out."),
    (413, "", "An object holds 1.5 MB at most: keep large files elsewhere."),
)
# What of a kind cannot be changed, and the way out.
FIXED = {
    "Job": "A Job's pods cannot be changed: give it another name, delete it first, or use kubernetes_job, which does.",
    "StatefulSet": "Of a StatefulSet's selector, service name and volume claims nothing can be changed: delete it with "
    "'kubectl delete statefulset --cascade=orphan', which keeps pods and volumes, and run this again.",
    "PersistentVolumeClaim": "A bound claim can only grow, and only where its StorageClass allows expansion: leave the "
    "rest as it was, or move the data to a new claim.",
    "PersistentVolume": "A volume's source cannot be changed: delete the volume object first (its data stays where it "
    "retains), or give the new one another name.",
    "StorageClass": "A StorageClass cannot be changed: delete it first (its volumes stay), or use another name.",
    "RoleBinding": "The role of a binding cannot be changed: delete the binding first, or use another name.",
    "ClusterRoleBinding": "The role of a binding cannot be changed: delete the binding first, or use another name.",
    "Secret": "The Secret is immutable, or of another type: delete it first, or use another name.",
    "ConfigMap": "The ConfigMap is immutable: delete it first, or use another name.",
}
FIXED_WORDS = ("immutable", "forbidden: updates to", "cannot change roleref", "may not be changed")
# The same request may succeed in a moment.
BUSY = frozenset({0, 429, 500, 502, 503, 504})


class KubernetesError(MatchaError):
    """A refusal. ``status`` is HTTP's, 0 where nothing was answered; ``reason`` is Kubernetes' own word."""

    def __init__(self, what: str, message: str, status: int = 0, reason: str = "", kind: str = "") -> None:
        """Say what was being done, and what was said to it; ``kind`` is the object's, for the advice."""
        self.message, self.status, self.reason = message, status, reason
        advice = advice_for(message, status, kind)
        about = reason or (f"HTTP {status}" if status else "")
        super().__init__(f"{what}: {message.rstrip('. ')}{f' ({about})' if about else ''}. {advice}".rstrip())

    @property
    def busy(self) -> bool:
        """Return whether the same request may succeed in a moment."""
        # A field of the wrong type is no trouble of the server's.
        return self.status in BUSY and "typed patch object" not in self.message

    @property
    def details(self) -> dict[str, Any]:
        """Return the parts of it, for a module's result."""
        return {"failure": {"code": self.reason, "message": self.message, "status": self.status}}


class UnreachableError(KubernetesError):
    """There is no cluster to ask: no kubeconfig, no such context, or nothing answers."""


class UnreadyError(MatchaError):
    """What was waited for failed, or took too long. The result tells what was done before."""

    def __init__(self, message: str, result: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.result = result or {}

    @property
    def details(self) -> dict[str, Any]:
        """Return what was changed before it failed."""
        return self.result


def advice_for(message: str, status: int, kind: str) -> str:
    """Return what to do about a refusal; empty where the message says it all."""
    words = message.casefold()
    if status == 422 and any(each in words for each in FIXED_WORDS):
        return FIXED.get(kind, "What is immutable can only be made anew: delete the object first.")
    return next((advice for code, part, advice in ADVICE if code == status and part in words), "")


def translate(what: str, error: Any, kind: str = "") -> KubernetesError:
    """Return an ``ApiException`` of the client's as one of ours."""
    status = int(error.status or 0)
    body = error.body.decode("utf-8", "replace") if isinstance(error.body, bytes) else str(error.body or "")
    try:
        told = json.loads(body)
    except ValueError:
        told = {}
    if not isinstance(told, dict) or told.get("kind") != "Status":
        return KubernetesError(what, body.strip()[:500] or str(error.reason or "it was refused"), status, "", kind)
    message, reason = str(told.get("message") or error.reason), str(told.get("reason") or "")
    return KubernetesError(what, " ".join(message.split()), status, reason, kind)
