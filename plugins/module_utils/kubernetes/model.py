# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects as data: their names, their order, what of them is compared, and what is hidden."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import MatchaError
from ..rest import HIDDEN, HIDDEN_NEW

Object = dict[str, Any]

# What the server manages; the rest is what somebody wants.
SERVERS = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink")
WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod"})
# In this order objects are applied, and in reverse removed; what stands together goes together.
STAGES: tuple[frozenset[str], ...] = (
    frozenset({"Namespace"}),
    frozenset({"CustomResourceDefinition"}),
    frozenset({"StorageClass", "PriorityClass", "ResourceQuota", "LimitRange", "NetworkPolicy", "ServiceAccount"}),
    frozenset({"Role", "ClusterRole", "PersistentVolume", "ConfigMap", "Secret"}),
    frozenset({"RoleBinding", "ClusterRoleBinding", "PersistentVolumeClaim", "Service"}),
    WORKLOADS | {"PodDisruptionBudget"},
)
# A webhook would be asked about what is applied after it, and its own pods may be among that.
LAST = frozenset({"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "APIService"})
# The annotation of a pod template with the hash of the Secrets and ConfigMaps that it uses.
CHECKSUM = "matcha.mlops/checksum"


@dataclass
class Wanted:
    """An object that is wanted; ``unknown`` is one whose content is not there yet, in check mode."""

    object: Object
    unknown: bool = False

    @property
    def label(self) -> str:
        """Return how the object is named to people."""
        return label(self.object)

    @property
    def stage(self) -> int:
        """Return its place in the order."""
        return stage(self.object)


def label(item: Mapping[str, Any]) -> str:
    """Return an object's kind, namespace and name."""
    metadata = item["metadata"]
    return f"{item['kind']} {'/'.join(filter(None, (metadata.get('namespace'), metadata['name'])))}"


def stage(item: Mapping[str, Any]) -> int:
    """Return an object's place in the order; kinds of other people's come after ours."""
    kind = item["kind"]
    if kind in LAST:
        return len(STAGES) + 1
    return next((number for number, kinds in enumerate(STAGES) if kind in kinds), len(STAGES))


def check(item: Any) -> Object:
    """Return the object, if it can be one. Raises ``MatchaError``."""
    metadata = item.get("metadata") if isinstance(item, Mapping) else None
    if not isinstance(metadata, Mapping) or not (item.get("apiVersion") and item.get("kind") and metadata.get("name")):
        raise MatchaError(f"An object needs apiVersion, kind and metadata.name; this has not: {str(item)[:200]}")
    if item["kind"] == "Secret" and (item.get("data") or item.get("stringData")):
        raise MatchaError(
            f"{label(item)} holds values, which would be seen in logs: name files that hold them in secrets."
        )
    return copy.deepcopy(dict(item))


def with_labels(item: Object, labels: Mapping[str, str]) -> Object:
    """Return the object with these labels, beside its own."""
    if labels:
        item["metadata"]["labels"] = {**labels, **(item["metadata"].get("labels") or {})}
    return item


def clean(item: Mapping[str, Any] | None) -> Object:
    """Return what of an object is somebody's wish: neither its status nor what the server keeps for itself."""
    if item is None:
        return {}
    metadata = {key: value for key, value in item["metadata"].items() if key not in SERVERS}
    return {**{key: value for key, value in item.items() if key != "status"}, "metadata": metadata}


def shown(item: Mapping[str, Any]) -> Object:
    """Return an object for a result: without what is secret, and what nobody reads."""
    found = copy.deepcopy(dict(item))
    found["metadata"].pop("managedFields", None)
    if item.get("kind") == "Secret":
        for section in ("data", "stringData"):
            if section in found:
                found[section] = dict.fromkeys(found[section], HIDDEN)
    return found


def shown_both(before: Object, after: Object) -> tuple[Object, Object]:
    """Return an object before and after a change, for a difference that shows no value of a Secret."""
    one, other = (shown(each) if each else {} for each in (before, after))
    for key, value in (after.get("data") or {}).items() if after.get("kind") == "Secret" else ():
        if before and before.get("data", {}).get(key, value) != value:
            other["data"][key] = HIDDEN_NEW
    return one, other


def pod_template(item: Mapping[str, Any]) -> Object | None:
    """Return the template of a workload's pods, if it has one."""
    found = (item.get("spec") or {}).get("template")
    return found if isinstance(found, dict) and "containers" in (found.get("spec") or {}) else None


def uses(template: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return kind and name of the Secrets and ConfigMaps that pods take values or files from."""
    found: set[tuple[str, str]] = set()

    def walk(node: Any) -> None:
        if isinstance(node, Mapping):
            for key, value in node.items():
                _reference(key, value, found)
                walk(value)
        elif isinstance(node, list):
            for each in node:
                walk(each)

    walk(template["spec"])
    return found


def _reference(key: str, value: Any, found: set[tuple[str, str]]) -> None:
    if not isinstance(value, Mapping):
        return
    kind = {"secretRef": "Secret", "secretKeyRef": "Secret", "secret": "Secret"}.get(key)
    kind = kind or {"configMapRef": "ConfigMap", "configMapKeyRef": "ConfigMap", "configMap": "ConfigMap"}.get(key)
    name = value.get("name") or value.get("secretName")
    if kind and name:
        found.add((kind, str(name)))


def checksum(*parts: Any) -> str:
    """Return a short hash that changes with any of the parts."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def mark_templates(wanted: Iterable[Wanted]) -> None:
    """Put a hash of the Secrets and ConfigMaps of this call into the templates of the pods that use them."""
    everything = list(wanted)
    contents = {
        (each.object["kind"], each.object["metadata"].get("namespace"), each.object["metadata"]["name"]): each
        for each in everything
        if each.object["kind"] in ("Secret", "ConfigMap")
    }
    for each in everything:
        template = pod_template(each.object)
        if template is None or each.object["kind"] == "Job":
            continue
        namespace = each.object["metadata"].get("namespace")
        keys = sorted((kind, namespace, name) for kind, name in uses(template) if (kind, namespace, name) in contents)
        if not keys:
            continue
        annotations = template.setdefault("metadata", {}).setdefault("annotations", {})
        if any(contents[key].unknown for key in keys):
            # It is compared with nothing: see objects.planned.
            annotations[CHECKSUM] = HIDDEN
        else:
            parts = [(contents[key].object.get("data"), contents[key].object.get("binaryData")) for key in keys]
            annotations[CHECKSUM] = checksum(namespace, keys, parts)


def encoded(value: str) -> str:
    """Return a value as a Secret holds it."""
    return base64.b64encode(value.encode()).decode()
