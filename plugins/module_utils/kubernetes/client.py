# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster, over the dynamic client of Kubernetes or OpenShift: objects are plain dictionaries.

A network that is gone for a moment, and a server that is busy, are asked again for a while: everything that is sent
here may be sent twice.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import MatchaError
from .errors import KubernetesError, UnreachableError, translate
from .model import WORKLOADS, Object, label

FIELD_MANAGER = "matcha.mlops"
# Seconds: to connect and for an answer, how long a failing request is tried again, and between two tries.
TIMEOUT, PATIENCE, PAUSE = (10, 60), 30.0, 1.0


@dataclass(frozen=True)
class Access:
    """How a cluster is reached."""

    kubeconfig: str
    context: str = ""
    openshift: bool = False

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Access:
        """Take what a module's options say."""
        return cls(str(params.get("kubeconfig") or ""), params.get("context") or "", bool(params.get("openshift")))

    def api_client(self) -> Any:
        """Return the client that the kubeconfig means. Raises ``MatchaError``; nothing of the file is quoted."""
        config, yaml = _imported("kubernetes.config"), _imported("yaml")
        client = _imported("kubernetes.client")
        path = Path(self.kubeconfig or "~/.kube/config").expanduser()
        if not path.is_file():
            raise UnreachableError(f"The kubeconfig {path} cannot be used", "there is no such file")
        try:
            found = config.new_client_from_config(str(path), self.context or None, persist_config=False)
        except client.ApiException as error:
            raise translate("Signing in to the cluster", error) from error
        except (
            config.ConfigException,
            yaml.YAMLError,
            OSError,
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
        ) as error:
            # A parser's message may quote a credential.
            reason = str(error) if isinstance(error, config.ConfigException) else "it is malformed"
            raise UnreachableError(f"The kubeconfig {path} cannot be used", reason) from None
        # Tried again here, with an eye on the fence.
        found.configuration.retries = False
        found.rest_client = client.rest.RESTClientObject(found.configuration)
        return found


def _imported(name: str) -> Any:
    """Return a module of a package that may be missing. Raises ``MatchaError``."""
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise MatchaError(f"This needs the Python package {package}: install requirements.txt ({error}).") from error


def _dynamic(access: Access) -> Any:
    """Return the dynamic client, which keeps what it learns of the API to itself: others can write to /tmp."""
    base = _imported("openshift.dynamic" if access.openshift else "kubernetes.dynamic")
    discoverer = type("Discoverer", (base.LazyDiscoverer,), {"_write_cache": lambda _self: None})
    return base.DynamicClient(access.api_client(), cache_file="/nonexistent/cache", discoverer=discoverer)


@dataclass
class Cluster:
    """A cluster. ``fence`` is called before each write, and raises where it must not be.

    All methods raise ``KubernetesError``, and ``UnreachableError`` where nothing answers.
    """

    access: Access
    fence: Callable[[], None] = lambda: None
    # Seconds for which a failing request is tried again.
    patience: float = PATIENCE
    warnings: list[str] = field(default_factory=list)
    _client: Any = None
    _kinds: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def client(self) -> Any:
        """Return the dynamic client, which is made when it is first needed."""
        if self._client is None:
            self._client = self._tried("Asking the cluster what it offers", "", lambda: _dynamic(self.access))
        return self._client

    def resource(self, api_version: str, kind: str, fresh: bool = False) -> Any:
        """Return what the API calls a kind, or None where there is none (yet)."""
        key = (api_version, kind)
        if fresh:
            self._kinds.pop(key, None)
        if key not in self._kinds:
            group, _slash, version = api_version.rpartition("/")
            exceptions = _imported("kubernetes.dynamic.exceptions")
            # Without the prefix every group with a version of that name would be asked for.
            told = {"prefix": "apis" if group else "api", "group": group, "api_version": version, "kind": kind}
            client = self.client

            def find() -> Any:
                try:
                    return client.resources.get(**told)
                except (exceptions.ResourceNotFoundError, exceptions.NotFoundError):
                    return None

            self._kinds[key] = self._tried(f"Asking for {kind} of {api_version}", kind, find)
        return self._kinds[key]

    def path(self, item: Mapping[str, Any]) -> str | None:
        """Return where an object is, or None where its kind does not exist."""
        found = self.resource(item["apiVersion"], item["kind"])
        if found is None:
            return None
        if found.namespaced and not item["metadata"].get("namespace"):
            raise MatchaError(f"{label(item)} needs metadata.namespace.")
        namespace = item["metadata"].get("namespace") if found.namespaced else None
        return str(found.path(name=item["metadata"]["name"], namespace=namespace))

    def read(self, item: Mapping[str, Any]) -> Object | None:
        """Return an object as it is, or None where it, its namespace or its kind is not there."""
        path = self.path(item)
        if path is None:
            return None
        try:
            return self.request("GET", path, f"Reading {label(item)}", item["kind"])
        except KubernetesError as error:
            if error.status == 404:
                return None
            raise

    def apply(self, item: Object, force: bool = True, dry_run: bool = False) -> Object:
        """Apply an object on the server, and return what it is then, or would be."""
        what = f"{'Trying' if dry_run else 'Applying'} {label(item)}"
        path = self.path(item)
        if path is None:
            raise KubernetesError(what, f"there is no kind {item['kind']} of {item['apiVersion']}", 404, "NotFound")
        return self.request(
            "PATCH",
            path,
            what,
            item["kind"],
            body=item,
            content_type="application/apply-patch+yaml",
            field_manager=FIELD_MANAGER,
            force_conflicts=force,
            **({"dry_run": "All"} if dry_run else {}),
        )

    def delete(self, item: Mapping[str, Any]) -> None:
        """Begin to delete an object with all that it owns; one that is gone is fine."""
        path = self.path(item)
        if path is None:
            return
        # What was read, and not another one of the same name that came after it.
        uid = item["metadata"].get("uid")
        # A workload is gone when its pods are. What owns nothing need not wait for the garbage collector.
        policy = "Foreground" if item["kind"] in WORKLOADS else "Background"
        body: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": policy}
        body.update({"preconditions": {"uid": uid}} if uid else {})
        try:
            self.request("DELETE", path, f"Deleting {label(item)}", item["kind"], body=body)
        except KubernetesError as error:
            if error.status != 404 and not (uid and error.status == 409):
                raise

    def list(self, api_version: str, kind: str, namespace: str = "", **selectors: Any) -> list[Object]:
        """Return all objects of a kind; none where there is no such kind. See ``selector`` for labels."""
        found = self.resource(api_version, kind)
        if found is None:
            return []
        path = found.path(namespace=namespace or None)
        items: list[Object] = []
        token: str | None = None
        while True:
            what = f"Listing {kind} of {namespace or 'all namespaces'}"
            page = self.request("GET", path, what, kind, limit=500, _continue=token, **selectors)
            items += [{"apiVersion": api_version, "kind": kind, **each} for each in page.get("items") or ()]
            token = page["metadata"].get("continue")
            if not token:
                return items

    def text(self, path: str, what: str, **query: Any) -> str:
        """Return an answer that is text, such as a log."""
        client = self.client
        pairs = list(query.items())
        answer = self._tried(
            what, "", lambda: client.request("GET", path, query_params=pairs, serialize=False, _request_timeout=TIMEOUT)
        )
        return str(answer.data.decode("utf-8", "replace"))

    def request(self, method: str, path: str, what: str, kind: str = "", **options: Any) -> Object:
        """Send one request, and return what is answered."""
        client = self.client

        def send() -> Any:
            if method != "GET" and not options.get("dry_run"):
                self.fence()
            answer = client.request(method, path, serialize=False, _request_timeout=TIMEOUT, **options)
            self._note(answer.headers)
            return json.loads(answer.data)

        return dict(self._tried(what, kind, send))

    def _note(self, headers: Any) -> None:
        """Keep what the server warns of: an API that ends, a pod that a policy would refuse."""
        for text in headers.getlist("Warning") if hasattr(headers, "getlist") else ():
            found = re.match(r'299 \S+ "(.*)"', text)
            said = (found.group(1) if found else text).replace('\\"', '"')
            if said not in self.warnings:
                self.warnings.append(said)

    def _tried(self, what: str, kind: str, send: Callable[[], Any]) -> Any:
        """Return what is answered; ask again while the network or the server has a moment's trouble."""
        deadline = time.monotonic() + self.patience
        while True:
            try:
                return send()
            except MatchaError:
                raise
            except Exception as error:  # noqa: BLE001
                found = _as_ours(what, error, kind)
                if not found.busy or time.monotonic() >= deadline:
                    raise found from None
            time.sleep(PAUSE)


def _as_ours(what: str, error: Exception, kind: str) -> KubernetesError:
    """Return an error of the client's, or of the network's, as one of ours; other ones go on as they are."""
    from urllib3.exceptions import HTTPError

    exceptions = _imported("kubernetes.client.exceptions")
    if isinstance(error, exceptions.ApiException):
        if error.status:
            return translate(what, error, kind)
        return UnreachableError(what, f"the API server does not answer ({_first_line(error)})")
    if isinstance(error, (HTTPError, OSError)):
        return UnreachableError(what, f"the API server does not answer ({_first_line(error)})")
    if isinstance(error, ValueError):
        return KubernetesError(what, "what answers is no API server", 1)
    raise error


def _first_line(error: Exception) -> str:
    """Return what is wrong with the network in a few words."""
    text = str(getattr(error, "reason", None) or error).strip().partition("\n")[0]
    # Python's own names of its connection objects say nothing to anybody.
    return re.sub(r"<[^>]*>:?\s*|^\(|\)$|HTTPS?ConnectionPool\([^)]*\):?\s*", "", text).strip(" '\",") or "no reason"


def selector(labels: Mapping[str, str] | Iterable[str]) -> str:
    """Return labels, or conditions on them, as a list request takes them."""
    if isinstance(labels, Mapping):
        return ",".join(f"{key}={value}" for key, value in labels.items())
    return ",".join(labels)
