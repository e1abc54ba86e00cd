# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data plane of storage accounts: Azurite, with Azure's checks of who may do what in front of it.

ACCOUNT.blob.core.windows.net ends here. A bearer token is checked by us (the access that roles give, with the delay of
their replication) and its request handed on in the account's name; what a client signed itself is checked by Azurite.
Containers are kept in the simulator's store, so that Azure Resource Manager and the data plane have the same ones;
Azurite is told of those it does not know yet before it gets a request. One process for an account, started by
the first request to its data.

Codes and texts of refusals are second-hand, from public documentation; leases, ETags and conditional writes are
Azurite's. It has neither soft delete nor versions.
"""

from __future__ import annotations

import atexit
import json
import threading
from collections import deque
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from .arm import Answer, Request, ResourceId
from .azurite import API_VERSION, HOP_BY_HOP, Azurite
from .blobs_access import needed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .simulator import Simulator

ACCOUNT_TYPE = "Microsoft.Storage/storageAccounts"
CONTAINER_TYPE = "Microsoft.Storage/storageAccounts/blobServices/containers"
SUFFIX = ".blob.core.windows.net"
AUDIENCES = ("https://storage.azure.com",)
_PUBLIC = ("blob", "container")
ARM_VERSION = "2023-01-01"
# What Azurite calls a signature that is wrong, and what Azure calls it.
WRONG_KEY = ("AuthorizationFailure", "AuthenticationFailed")
_TEXTS = {
    "AuthorizationPermissionMismatch": "This request is not authorized to perform this operation using this "
    "permission.",
    "AuthorizationFailure": "This request is not authorized to perform this operation.",
    "KeyBasedAuthenticationNotPermitted": "Key based authentication is not permitted on this storage account.",
    "PublicAccessNotPermitted": "Public access is not permitted on this storage account.",
    "NoAuthenticationInformation": "Server failed to authenticate the request. Please refer to the information in the "
    "www-authenticate header.",
    "InvalidAuthenticationInfo": "Server failed to authenticate the request. Please refer to the information in the "
    "www-authenticate header.",
    "AccountIsDisabled": "The specified account is disabled.",
}


class RefusedError(Exception):
    """Azure's refusal."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


class Blobs:
    """The data planes of all storage accounts of a simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self._lock = threading.RLock()
        self._served: dict[str, Served] = {}
        self._gone: deque[tuple[str, str]] = deque()
        atexit.register(self.close)

    def account(self, host: str) -> dict[str, Any] | None:
        """Find the account that this host name belongs to. Without one, Azure's DNS does not know the name."""
        name = host.lower().partition(":")[0].removesuffix(SUFFIX)
        accounts = self.simulator.store.all(ACCOUNT_TYPE)
        return next((a for a in accounts if a["name"].lower() == name and "_keys" in a), None)

    def serve(self, request: Request) -> Answer:
        """Answer one request to an account's host name. The simulator isn't locked while bytes are moved."""
        with self.simulator.lock:
            self.simulator.operations.settle()
            account = self.account(request.host)
            try:
                if account is None:
                    raise RefusedError(404, "ResourceNotFound")
                signs = self._check(account, request)
            except RefusedError as refusal:
                return _refusal(refusal, request)
        served = self._serve(account)
        reply = served.azurite.send(request.method, request.target, dict(request.headers), request.raw, sign=signs)
        if reply.status < 300:
            served.learn(request)
        elif reply.header("x-ms-error-code") == WRONG_KEY[0] and not signs:
            reply.replace(*WRONG_KEY)
        dropped = HOP_BY_HOP if request.method == "HEAD" else HOP_BY_HOP | {"content-length"}
        headers = {name: value for name, value in reply.headers if name.lower() not in dropped}
        return Answer(reply.status, reply.body, headers)

    def _check(self, account: dict[str, Any], request: Request) -> bool:
        """Refuse, or say whether we sign the request: it came with a token that may do this."""
        properties = account["properties"]
        if not _reachable(properties, self.simulator):
            raise RefusedError(403, "AuthorizationFailure")
        signs = self._check_authorization(account, request)
        if request.headers.get("x-ms-blob-public-access") and not properties.get("allowBlobPublicAccess"):
            raise RefusedError(409, "PublicAccessNotPermitted")
        return signs

    def _check_authorization(self, account: dict[str, Any], request: Request) -> bool:
        authorization = request.headers.get("authorization", "")
        if authorization.startswith("Bearer "):
            self._check_token(account, request, authorization.removeprefix("Bearer "))
            return True
        if authorization.startswith("SharedKey") or "sig" in request.query:
            if account["properties"].get("allowSharedKeyAccess") is False:
                raise RefusedError(403, "KeyBasedAuthenticationNotPermitted")
            return False
        if not account["properties"].get("allowBlobPublicAccess"):
            # A token may follow when the client is told where to get one.
            if request.headers.get("x-ms-version", "") >= "2019-12-12":
                raise RefusedError(401, "NoAuthenticationInformation")
            raise RefusedError(409, "PublicAccessNotPermitted")
        return False

    def _check_token(self, account: dict[str, Any], request: Request, token: str) -> None:
        principal = self.simulator.tokens.verify(token, AUDIENCES)
        if principal is None:
            raise RefusedError(401, "InvalidAuthenticationInfo")
        request.principal = principal  # for the log
        kind, action, container = needed(request.method, request.path, request.query)
        scope = f"{account['id']}/blobServices/default/containers/{container}" if container else account["id"]
        if not self.simulator.access.allowed(principal, action, scope, data=kind == "data"):
            raise RefusedError(403, "AuthorizationPermissionMismatch")

    def _serve(self, account: dict[str, Any]) -> Served:
        key, keys = account["id"].lower(), tuple(k["value"] for k in account["_keys"] if k["keyName"].startswith("key"))
        with self._lock:
            self._forget()
            served = self._served.get(key)
            if served and served.created != account["properties"]["creationTime"]:
                served.azurite.close()  # the name's earlier account
                served = None
            if served is None:
                served = self._served[key] = Served(self.simulator, account, Azurite(account["name"], keys))
            served.azurite.use(keys)
            served.tell()
            return served

    def container_deleted(self, account_id: str, name: str) -> None:
        """Delete a container's blobs with it, since another one may get the name.

        Resource Manager calls this with the simulator locked, so it only notes what the next request is to begin with.
        """
        self._gone.append((account_id.lower(), name))

    def account_deleted(self, account_id: str) -> None:
        self._gone.append((account_id.lower(), ""))

    def _forget(self) -> None:
        while self._gone:
            account_id, name = self._gone.popleft()
            served = self._served.get(account_id) if name else self._served.pop(account_id, None)
            if served and name:
                served.drop(name)
            elif served:
                served.azurite.close()

    def close(self) -> None:
        """End every process. The data is gone."""
        with self._lock:
            for served in self._served.values():
                served.azurite.close()
            self._served.clear()
            self._gone.clear()
        atexit.unregister(self.close)


def serve(request: Request) -> Answer:
    """Handle a data plane's request; see DATA_PLANES."""
    return request.simulator.blobs.serve(request)


class Served:
    """An account with its Azurite, and what that was told of the containers in the store."""

    def __init__(self, simulator: Simulator, account: dict[str, Any], azurite: Azurite) -> None:
        self.simulator = simulator
        self.id = account["id"]
        self.created = account["properties"]["creationTime"]
        self.azurite = azurite
        self.told: dict[str, dict[str, Any]] = {}

    def _rid(self, name: str) -> ResourceId:
        return ResourceId(f"{self.id}/blobServices/default/containers/{name}")

    def _stored(self) -> dict[str, dict[str, Any]]:
        service = ResourceId(f"{self.id}/blobServices/default")
        with self.simulator.lock:
            return {c["name"]: _wanted(c) for c in self.simulator.store.children(service, CONTAINER_TYPE)}

    def tell(self) -> None:
        """Make Azurite's containers those of the store."""
        stored = self._stored()
        for name in [n for n in list(self.told) if n not in stored]:
            self.drop(name)
        for name, wanted in stored.items():
            if name not in self.told:
                self._ask("PUT", f"/{quote(name)}?restype=container", wanted)
            elif wanted != self.told[name]:
                self._ask("PUT", f"/{quote(name)}?restype=container&comp=acl", {"publicAccess": wanted["publicAccess"]})
                self._ask("PUT", f"/{quote(name)}?restype=container&comp=metadata", {"metadata": wanted["metadata"]})
            self.told[name] = wanted

    def drop(self, name: str) -> None:
        self._ask("DELETE", f"/{quote(name)}?restype=container", {})
        self.told.pop(name, None)

    def _ask(self, method: str, target: str, wanted: dict[str, Any]) -> None:
        headers = {f"x-ms-meta-{key}": value for key, value in (wanted.get("metadata") or {}).items()}
        if wanted.get("publicAccess", "").lower() in _PUBLIC:
            headers["x-ms-blob-public-access"] = wanted["publicAccess"].lower()
        reply = self.azurite.send(method, target, headers, sign=True)
        if reply.status >= 300 and reply.status not in {404, 409}:
            raise RuntimeError(f"Azurite refuses {method} {target}: {reply.status} {reply.body[:500]!r}")

    def learn(self, request: Request) -> None:
        """Tell the store of a container that was made, changed or deleted on the data plane."""
        name, what = request.path.strip("/"), request.query.get("comp", "")
        if request.query.get("restype") != "container" or not name or what not in {"", "acl", "metadata"}:
            return
        if request.method == "DELETE":
            self._arm("DELETE", name)
            self.told.pop(name, None)
        elif request.method == "PUT":
            asked = _asked(request.headers)
            parts = {"": ("publicAccess", "metadata"), "acl": ("publicAccess",), "metadata": ("metadata",)}[what]
            body = {"properties": {part: asked[part] for part in parts}}
            self._arm("PATCH" if what else "PUT", name, body)
            self.told[name] = {**self.told.get(name, asked), **body["properties"]}

    def _arm(self, method: str, name: str, body: Any = None) -> None:
        """Do to the container's resource what was done to the container, as Resource Manager would."""
        request = Request(self.simulator, method, str(self._rid(name)), {"api-version": ARM_VERSION})
        request.raw = json.dumps(body).encode() if body else b""
        with self.simulator.lock:
            self.simulator.router.route(request)


def _wanted(container: dict[str, Any]) -> dict[str, Any]:
    own = container["properties"]
    return {"publicAccess": own.get("publicAccess") or "None", "metadata": dict(own.get("metadata") or {})}


def _asked(headers: Mapping[str, str]) -> dict[str, Any]:
    prefix = "x-ms-meta-"
    public = headers.get("x-ms-blob-public-access", "").lower()
    return {
        "publicAccess": public.capitalize() if public in _PUBLIC else "None",
        "metadata": {k.removeprefix(prefix): v for k, v in headers.items() if k.startswith(prefix)},
    }


def _reachable(properties: dict[str, Any], simulator: Simulator) -> bool:
    """Whether the caller is let in: the public endpoint may be off, or open only to some addresses."""
    if properties.get("publicNetworkAccess", "Enabled") != "Enabled":
        return False
    acls = properties.get("networkAcls") or {}
    if acls.get("defaultAction", "Allow") == "Allow":
        return True
    return address_in(simulator.client_address, [rule["value"] for rule in acls.get("ipRules", [])])


def address_in(address: str, rules: list[str]) -> bool:
    return any(ip_address(address) in ip_network(rule, strict=False) for rule in rules)


def _refusal(refusal: RefusedError, request: Request) -> Answer:
    text = escape(_TEXTS.get(refusal.code, "The specified resource does not exist."))
    document = f"<Error><Code>{refusal.code}</Code><Message>{text}</Message></Error>"
    headers = {
        "Content-Type": "application/xml",
        "Server": "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0",
        "x-ms-error-code": refusal.code,
        "x-ms-version": request.headers.get("x-ms-version", API_VERSION),
    }
    if refusal.status == 401:
        where = f"https://login.microsoftonline.com/{request.simulator.tenant}/oauth2/authorize"
        headers["WWW-Authenticate"] = f"Bearer authorization_uri={where} resource_id={AUDIENCES[0]}"
    body = b"" if request.method == "HEAD" else b'<?xml version="1.0" encoding="utf-8"?>' + document.encode()
    return Answer(refusal.status, body, headers)


DATA_PLANES = {SUFFIX: serve}
