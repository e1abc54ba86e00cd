# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster in memory, for unit tests: it knows objects, namespaces, kinds, labels and dry runs, and no controllers."""

from __future__ import annotations

import copy
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes.client import Access, Cluster
from ansible_collections.matcha.mlops.plugins.module_utils.kubernetes.errors import KubernetesError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = {
    "v1": {"Namespace": False, "Pod": True, "Service": True, "Secret": True, "ConfigMap": True, "Event": True}
    | {"ServiceAccount": True, "PersistentVolumeClaim": True},
    "apps/v1": {"Deployment": True, "StatefulSet": True, "ReplicaSet": True, "DaemonSet": True},
    "batch/v1": {"Job": True},
    "storage.k8s.io/v1": {"StorageClass": False},
    "discovery.k8s.io/v1": {"EndpointSlice": True},
    "apiextensions.k8s.io/v1": {"CustomResourceDefinition": False},
}


@dataclass(frozen=True)
class Kind:
    """What the API says of a kind."""

    api_version: str
    kind: str
    namespaced: bool

    def path(self, name: str | None = None, namespace: str | None = None) -> str:
        return "/".join(filter(None, (self.api_version, self.kind, f"in-{namespace}" if namespace else "", name)))


class MemoryCluster(Cluster):
    """Requests are answered from memory. ``writes`` are those that changed something, in their order."""

    def __init__(self, fence: Callable[[], None] = lambda: None) -> None:
        super().__init__(Access(""), fence, patience=0)
        self.kinds = copy.deepcopy(KINDS)
        self.store: dict[str, dict[str, Any]] = {}
        self.writes: list[str] = []
        self.requests: list[str] = []
        self.logs: dict[str, str] = {}
        # Called with each object that was applied, to do what a controller would.
        self.controller: Callable[[dict[str, Any]], None] = lambda _item: None
        self.reachable = True
        self._versions = itertools.count(1)

    def resource(self, api_version: str, kind: str, fresh: bool = False) -> Any:
        del fresh
        if not self.reachable:
            raise UnreachableError("Asking the cluster what it offers", "nothing answers")
        namespaced = self.kinds.get(api_version, {}).get(kind)
        return None if namespaced is None else Kind(api_version, kind, namespaced)

    def put(self, item: dict[str, Any], **status: Any) -> dict[str, Any]:
        """Store an object as if it had always been there."""
        path = str(self.path(item))
        found = self._merged(path, item)
        found["status"] = {**(item.get("status") or {}), **status}
        self.store[path] = found
        return found

    def find(self, kind: str, name: str, namespace: str = "", api_version: str = "v1") -> dict[str, Any] | None:
        """Return what is stored."""
        metadata = {"name": name, "namespace": namespace}
        return self.store.get(str(self.path({"apiVersion": api_version, "kind": kind, "metadata": metadata})))

    def text(self, path: str, what: str, **query: Any) -> str:
        key = f"{path}?{query.get('previous', 'false')}"
        if key not in self.logs:
            raise KubernetesError(what, "there is no log", 404, "NotFound")
        return self.logs[key]

    def request(self, method: str, path: str, what: str, kind: str = "", **options: Any) -> dict[str, Any]:
        dry = bool(options.get("dry_run"))
        self.requests.append(f"{method}{' (dry)' if dry else ''} {path}")
        if method != "GET" and not dry:
            self.fence()
            self.writes.append(f"{method} {path}")
        return {"GET": self._get, "PATCH": self._patch, "DELETE": self._delete}[method](path, what, kind, options)

    def _get(self, path: str, what: str, kind: str, options: dict[str, Any]) -> dict[str, Any]:
        if "limit" in options:
            return self._page(path, options)
        if path not in self.store:
            raise KubernetesError(what, f'{kind} "{path}" not found', 404, "NotFound")
        return copy.deepcopy(self.store[path])

    def _page(self, path: str, options: dict[str, Any]) -> dict[str, Any]:
        wanted = dict(each.split("=", 1) for each in (options.get("label_selector") or "").split(",") if each)
        fields = dict(each.split("=", 1) for each in (options.get("field_selector") or "").split(",") if each)
        items = [copy.deepcopy(each) for key, each in sorted(self.store.items()) if key.startswith(f"{path}/")]
        items = [each for each in items if wanted.items() <= (each["metadata"].get("labels") or {}).items()]
        if "involvedObject.name" in fields:
            items = [each for each in items if each["involvedObject"]["name"] == fields["involvedObject.name"]]
        return {"metadata": {}, "items": items}

    def _patch(self, path: str, what: str, _kind: str, options: dict[str, Any]) -> dict[str, Any]:
        body = options["body"]
        namespace = body["metadata"].get("namespace")
        if namespace and f"v1/Namespace/{namespace}" not in self.store:
            raise KubernetesError(what, f'namespaces "{namespace}" not found', 404, "NotFound")
        found = self._merged(path, body)
        if not options.get("dry_run"):
            self.store[path] = found
            self._define(found)
            self.controller(found)
        return copy.deepcopy(found)

    def _merged(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        old = self.store.get(path)
        found = _merge(copy.deepcopy(old or {}), copy.deepcopy(body))
        number = next(self._versions)
        found["metadata"].setdefault("uid", f"uid-{number}")
        found["metadata"].update(resourceVersion=str(number), generation=number, managedFields=[{"manager": "x"}])
        return found

    def _define(self, item: dict[str, Any]) -> None:
        if item["kind"] == "CustomResourceDefinition":
            for version in item["spec"]["versions"]:
                names = self.kinds.setdefault(f"{item['spec']['group']}/{version['name']}", {})
                names[item["spec"]["names"]["kind"]] = item["spec"]["scope"] == "Namespaced"

    def _delete(self, path: str, what: str, _kind: str, _options: dict[str, Any]) -> dict[str, Any]:
        if path not in self.store:
            raise KubernetesError(what, "not found", 404, "NotFound")
        found = self.store[path]
        if found["metadata"].get("finalizers"):
            found["metadata"]["deletionTimestamp"] = "now"
        else:
            del self.store[path]
        return {}


def _merge(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    for key, value in new.items():
        old[key] = _merge(old[key], value) if isinstance(value, dict) and isinstance(old.get(key), dict) else value
    return old


@dataclass
class Clock:
    """A clock that moves only where somebody sleeps."""

    now: float = 1000.0
    naps: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds
