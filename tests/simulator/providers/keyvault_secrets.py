# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data plane of key vaults, https://NAME.vault.azure.net: secrets with versions and soft delete.

Second-hand throughout: from public documentation, bug reports and what the SDK expects. A request without a token gets
the challenge that says where to find one; a secret that is deleted answers for itself among the deleted ones only after
a moment, and a name is taken until its secret has been purged.
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

from ..arm import Answer, AzureError
from .keyvault_vaults import DAY, VAULTS

if TYPE_CHECKING:
    from ..arm import Request
    from ..principals import Principal
    from ..simulator import Simulator

SUFFIX = ".vault.azure.net"
RESOURCE = "https://vault.azure.net"
# How long a deletion, and then a purge, takes to be seen.
DELETE_SECONDS, PURGE_SECONDS = 5, 5
NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
LONGEST = 25_600
# What each operation is called among a role's data actions, and in an access policy.
PERMISSIONS = {
    "get": ("getSecret/action", "get"),
    "set": ("setSecret/action", "set"),
    "list": ("readMetadata/action", "list"),
    "update": ("update/action", "set"),
    "delete": ("delete", "delete"),
    "recover": ("recover/action", "recover"),
    "purge": ("purge/action", "purge"),
}


def vault_of(simulator: Simulator, host: str) -> dict[str, Any] | None:
    """Return the vault that a host name belongs to. Without one, Azure's DNS does not know the name."""
    name = host.lower().partition(":")[0].removesuffix(SUFFIX)
    return next((one for one in simulator.store.all(VAULTS) if one["name"].lower() == name), None)


def known(simulator: Simulator, host: str) -> bool:
    return vault_of(simulator, host) is not None


def error(status: int, code: str, message: str, inner: str = "") -> AzureError:
    return AzureError(status, code, message, innererror={"code": inner} if inner else None)


def missing(name: str) -> AzureError:
    text = (
        f"A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret you "
        "may be "
        "able to recover it using the correct recovery command. For help resolving this issue, please see "
        "https://go.microsoft.com/fwlink/?linkid=2125182"
    )
    return error(404, "SecretNotFound", text)


@dataclass
class Caller:
    """Somebody who asks a vault for something."""

    request: Request
    vault: dict[str, Any]
    principal: Principal

    @property
    def store(self) -> dict[str, dict[str, Any]]:
        """All secrets of the vault, deleted ones as well."""
        return self.vault["_secrets"]

    @property
    def now(self) -> float:
        return self.request.simulator.clock.now()

    def describe(self) -> str:
        tenant = self.request.simulator.tenant
        return f"appid={self.principal.app_id};oid={self.principal.object_id};iss=https://sts.windows.net/{tenant}/"

    def need(self, operation: str, name: str = "") -> None:
        """Refuse what neither a role nor, where the vault doesn't use roles, an access policy permits."""
        action, permission = PERMISSIONS[operation]
        if self.vault["properties"]["enableRbacAuthorization"]:
            self._need_role(f"Microsoft.KeyVault/vaults/secrets/{action}", name)
        elif not self._permits(permission):
            text = (
                f"The user, group or application '{self.describe()}' does not have secrets {permission} "
                "permission on key "
                f"vault '{self.vault['name']};location={self.vault['location']}'. For help resolving this issue, "
                "please "
                "see https://go.microsoft.com/fwlink/?linkid=2125287"
            )
            raise error(403, "Forbidden", text, "ForbiddenByPolicy")

    def _need_role(self, action: str, name: str) -> None:
        scope = f"{self.vault['id']}/secrets/{name}" if name else self.vault["id"]
        if not self.request.simulator.access.allowed(self.principal, action, scope, data=True):
            text = (
                "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny "
                "assignments or role "
                f"definitions were changed recently, please observe propagation time.\r\nCaller: {self.describe()}\r\n"
                f"Action: '{action}'\r\nResource: '{scope.lower()}'\r\nAssignment: (not "
                "found)\r\nDenyAssignmentId: null\r\n"
                "DecisionReason: 'DeniedWithNoValidRBAC' \r\nVault: "
                f"{self.vault['name']};location={self.vault['location']}\r\n"
            )
            raise error(403, "Forbidden", text, "ForbiddenByRbac")

    def _permits(self, permission: str) -> bool:
        who = self.request.simulator.principals.groups_of(self.principal.object_id)
        mine = [p for p in self.vault["properties"]["accessPolicies"] if p["objectId"] in who]
        granted = {str(one).lower() for p in mine for one in (p.get("permissions") or {}).get("secrets") or []}
        return bool(granted & {permission, "all"})

    # -- secrets

    def live(self, name: str) -> dict[str, Any]:
        found = self.store.get(name.lower())
        if found is None or "deleted" in found:
            raise missing(name)
        return found

    def gone(self, name: str) -> dict[str, Any]:
        """Return a deleted secret, once its deletion is through."""
        found = self.store.get(name.lower())
        if found is None or self.now < found.get("deleted", self.now + 1) or "purged" in found:
            raise error(404, "SecretNotFound", f"Deleted Secret not found: {name}")
        return found

    def version(self, secret: dict[str, Any], version: str) -> dict[str, Any]:
        found = (
            secret["versions"][-1] if not version else next((v for v in secret["versions"] if v["v"] == version), None)
        )
        if found is None:
            raise missing(f"{secret['name']}/{version}")
        return found

    def show(
        self, secret: dict[str, Any], version: dict[str, Any], *, value: bool = False, full: bool = True
    ) -> dict[str, Any]:
        identifier = f"{self.vault['properties']['vaultUri']}secrets/{secret['name']}"
        properties = self.vault["properties"]
        level = "Recoverable" if properties.get("enablePurgeProtection") else "Recoverable+Purgeable"
        attributes = {
            **version["attributes"],
            "recoveryLevel": level,
            "recoverableDays": properties["softDeleteRetentionInDays"],
        }
        body = {"id": f"{identifier}/{version['v']}" if full else identifier, "attributes": attributes}
        body.update({key: version[key] for key in ("contentType", "tags") if version.get(key)})
        return {"value": version["value"], **body} if value else body

    def show_gone(self, secret: dict[str, Any], *, full: bool = True) -> dict[str, Any]:
        retention = DAY * self.vault["properties"]["softDeleteRetentionInDays"]
        return {
            "recoveryId": f"{self.vault['properties']['vaultUri']}deletedsecrets/{secret['name']}",
            "deletedDate": int(secret["deleted"]),
            "scheduledPurgeDate": int(secret["deleted"] + retention),
            **self.show(secret, secret["versions"][-1], full=full),
        }


def put(caller: Caller, name: str) -> Answer:
    """Add a version."""
    caller.need("set", name)
    body = caller.request.body if isinstance(caller.request.body, dict) else {}
    if not NAME.fullmatch(name):
        raise error(400, "BadParameter", f"The request URI contains an invalid name: {name}")
    value = body.get("value")
    if not isinstance(value, str):
        raise error(400, "BadParameter", "Property  value is missing or has a null value.")
    if len(value) > LONGEST:
        raise error(400, "BadParameter", f"Property  value exceeds maximum length of {LONGEST} characters.")
    found = caller.store.get(name.lower())
    if found and "purged" in found:
        text = f"Secret {name} is currently being deleted and cannot be re-created; retry later."
        raise error(409, "Conflict", text, "ObjectIsBeingDeleted")
    if found and "deleted" in found:
        if caller.now < found["deleted"]:
            raise error(409, "Conflict", f"Secret {name} is currently being deleted.", "ObjectIsBeingDeleted")
        text = (
            f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; in "
            "this state, "
            "the secret can only be recovered or purged."
        )
        raise error(409, "Conflict", text, "ObjectIsDeletedButRecoverable")
    secret = found or caller.store.setdefault(name.lower(), {"name": name, "versions": []})
    now = int(caller.now)
    version = {
        "v": f"{caller.request.simulator.rng.getrandbits(128):032x}",
        "value": value,
        "contentType": body.get("contentType"),
        "tags": deepcopy(body.get("tags") or {}),
        "attributes": {"enabled": True, **(body.get("attributes") or {}), "created": now, "updated": now},
    }
    secret["versions"].append(version)
    return Answer(200, caller.show(secret, version, value=True))


def get(caller: Caller, name: str, version: str) -> Answer:
    caller.need("get", name)
    secret = caller.live(name)
    found = caller.version(secret, version)
    if not found["attributes"]["enabled"]:
        raise error(403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled")
    return Answer(200, caller.show(secret, found, value=True))


def patch(caller: Caller, name: str, version: str) -> Answer:
    caller.need("update", name)
    secret = caller.live(name)
    found, body = caller.version(secret, version), caller.request.body or {}
    found["attributes"].update({**(body.get("attributes") or {}), "updated": int(caller.now)})
    found.update({key: deepcopy(body[key]) for key in ("contentType", "tags") if key in body})
    return Answer(200, caller.show(secret, found))


def delete(caller: Caller, name: str) -> Answer:
    caller.need("delete", name)
    secret = caller.live(name)
    secret["deleted"] = caller.now + DELETE_SECONDS
    return Answer(200, caller.show_gone(secret))


def listed(caller: Caller, items: list[dict[str, Any]], path: str) -> Answer:
    """Show a page, and say where the next one is."""
    size = min(int(caller.request.query.get("maxresults") or 25), 25)
    start = int(caller.request.query.get("$skiptoken") or 0)
    more = f"{caller.vault['properties']['vaultUri']}{path}?api-version={caller.request.api_version}"
    more += f"&$skiptoken={start + size}&maxresults={size}"
    return Answer(200, {"value": items[start : start + size], "nextLink": more if items[start + size :] else None})


def list_secrets(caller: Caller) -> Answer:
    caller.need("list")
    found = [s for s in caller.store.values() if "deleted" not in s]
    return listed(caller, [caller.show(s, s["versions"][-1], full=False) for s in found], "secrets")


def list_versions(caller: Caller, name: str) -> Answer:
    caller.need("list", name)
    secret = caller.live(name)
    return listed(caller, [caller.show(secret, v) for v in secret["versions"]], f"secrets/{name}/versions")


def list_gone(caller: Caller) -> Answer:
    caller.need("list")
    found = [s for s in caller.store.values() if s.get("deleted", caller.now + 1) <= caller.now and "purged" not in s]
    return listed(caller, [caller.show_gone(s, full=False) for s in found], "deletedsecrets")


def get_gone(caller: Caller, name: str) -> Answer:
    caller.need("get", name)
    return Answer(200, caller.show_gone(caller.gone(name)))


def purge(caller: Caller, name: str) -> Answer:
    caller.need("purge", name)
    secret = caller.gone(name)
    if caller.vault["properties"].get("enablePurgeProtection"):
        text = 'Operation "purge" is not allowed because purge protection is enabled for this vault.'
        raise error(403, "Forbidden", text, "ForbiddenByPurgeProtection")
    secret["purged"] = caller.now + PURGE_SECONDS
    return Answer(204)


def recover(caller: Caller, name: str) -> Answer:
    caller.need("recover", name)
    secret = caller.gone(name)
    del secret["deleted"]
    return Answer(200, caller.show(secret, secret["versions"][-1]))


def forget(vault: dict[str, Any], now: float) -> None:
    """Drop what has been purged, or was deleted longer ago than the vault keeps it."""
    kept = DAY * vault["properties"]["softDeleteRetentionInDays"]
    for key, secret in list(vault["_secrets"].items()):
        if now >= secret.get("purged", now + 1) or now >= secret.get("deleted", now) + kept:
            del vault["_secrets"][key]


def reach(simulator: Simulator, vault: dict[str, Any], who: str) -> None:
    """Refuse whom the vault's network rules keep out."""
    properties = vault["properties"]
    place = f"Vault: {vault['name']};location={vault['location']}"
    if str(properties.get("publicNetworkAccess")).lower() == "disabled":
        text = (
            "Public network access is disabled and request is not from a trusted service nor via an approved "
            "private link."
            f"\r\nCaller: {who}\r\n{place}"
        )
        raise error(403, "Forbidden", text, "ForbiddenByConnection")
    acls, address = properties.get("networkAcls") or {}, simulator.client_address
    if acls.get("defaultAction") == "Deny" and not any(
        ip_address(address) in ip_network(rule["value"], strict=False) for rule in acls.get("ipRules") or []
    ):
        text = (
            "Client address is not authorized and caller is not a trusted service.\r\nClient address: "
            f"{address}\r\nCaller: {who}\r\n{place}"
        )
        raise error(403, "Forbidden", text, "ForbiddenByFirewall")


def challenge(simulator: Simulator, message: str) -> AzureError:
    where = f"https://login.microsoftonline.com/{simulator.tenant}"
    headers = {"WWW-Authenticate": f'Bearer authorization="{where}", resource="{RESOURCE}"'}
    return AzureError(401, "Unauthorized", message, headers=headers)


def enter(request: Request) -> Caller:
    """Let a request in, or refuse it."""
    simulator = request.simulator
    vault = vault_of(simulator, request.host)
    if vault is None:
        raise error(404, "VaultNotFound", "No such host is known.")
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise challenge(simulator, "AKV10000: Request is missing a Bearer or PoP token.")
    principal = simulator.tokens.verify(token, (RESOURCE, RESOURCE + "/"))
    if principal is None:
        raise challenge(simulator, "AKV10022: Invalid audience, signature or lifetime of the token.")
    request.principal = principal  # for the log
    caller = Caller(request, vault, principal)
    reach(simulator, vault, caller.describe())
    forget(vault, caller.now)
    return caller


_SECRET = {"PUT": lambda c, n, _: put(c, n), "GET": get, "PATCH": patch, "DELETE": lambda c, n, _: delete(c, n)}
_GONE = {"GET": get_gone, "DELETE": purge}


def serve(request: Request) -> Answer:
    """Answer one request to a vault's host name."""
    caller = enter(request)
    request.parse()
    if not request.api_version:
        raise error(400, "BadParameter", "api-version must be specified")
    kind, name, what, *_ = [*request.path.strip("/").split("/"), "", "", ""]
    method, kind, what = request.method, kind.lower(), what.lower()
    if kind == "secrets" and not name and method == "GET":
        return list_secrets(caller)
    if kind == "secrets" and what == "versions" and method == "GET":
        return list_versions(caller, name)
    if kind == "secrets" and name and method in _SECRET:
        return _SECRET[method](caller, name, what)
    if kind == "deletedsecrets" and not name and method == "GET":
        return list_gone(caller)
    if kind == "deletedsecrets" and what == "recover" and method == "POST":
        return recover(caller, name)
    if kind == "deletedsecrets" and name and not what and method in _GONE:
        return _GONE[method](caller, name)
    raise error(404, "NotFound", "The requested resource was not found.")
