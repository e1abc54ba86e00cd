# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a MySQL Flexible Server: firewall rules, databases, the Entra administrator, parameters.

Their answers and operations are recorded, their refusals second-hand.
"""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address
from typing import TYPE_CHECKING, Any

from ..arm import Answer, AzureError, ResourceId, resource_not_found
from . import mysql_server as server
from .documents import presumes
from .documents import properties as asked_of
from .mysql_operations import SERVERS, Part, ready
from .mysql_parameters import Parameter, describe, parameters

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..arm import Request


class Child(Part):
    """A part of a server: written while the server runs, several at a time."""

    upsert, upsert_seconds = "", 0
    drop, drop_seconds = "", 0

    def owner(self, request: Request, rid: ResourceId) -> dict[str, Any]:
        """Return the server; `rid` is a part's, or the server's own."""
        found = request.simulator.store.get(rid.parent() or rid)
        assert found is not None  # the core has looked
        return found

    def made(self, request: Request, rid: ResourceId, asked: dict[str, Any]) -> dict[str, Any]:
        """Return the part's properties after a write, or refuse it."""
        raise NotImplementedError

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        del current
        owner = self.owner(request, rid)
        ready(owner, self.upsert)
        document = self.document(rid, self.made(request, rid, asked_of(request.body)))
        return self.write(request, owner, lambda: request.simulator.store.put(rid, document))

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        if current is None:
            return Answer(204)
        owner, store = self.owner(request, rid), request.simulator.store
        ready(owner, self.drop)
        return self.begin(request, owner, self.drop, self.drop_seconds, lambda: store.delete(rid))

    def write(self, request: Request, owner: dict[str, Any], change: Callable[[], Any]) -> Answer:
        def done() -> None:
            if request.simulator.store.get(owner["id"]) is not None:
                change()

        return self.begin(request, owner, self.upsert, self.upsert_seconds, done)

    def document(self, rid: ResourceId, properties: dict[str, Any]) -> dict[str, Any]:
        return {"properties": properties, "id": str(rid), "name": rid.name, "type": self.type}

    def parent_not_found(self, request: Request, rid: ResourceId, parent: ResourceId) -> AzureError:
        del request, rid
        return resource_not_found(f"{SERVERS}/{parent.name}", parent.group)

    def not_found(self, rid: ResourceId) -> AzureError:
        text = f"The requested resource of type '{self.type}' with name '{rid.name}' was not found."
        return AzureError(404, "ResourceNotFound", text)


class FirewallRules(Child):
    type = f"{SERVERS}/firewallRules"
    upsert, upsert_seconds = "UpsertServerFirewallRulesManagementOperation", 45
    drop, drop_seconds = "DropServerFirewallRulesManagementOperation", 30

    def made(self, request: Request, rid: ResourceId, asked: dict[str, Any]) -> dict[str, Any]:
        if self.owner(request, rid)["properties"]["network"].get("delegatedSubnetResourceId"):
            text = "Firewall rules are not supported for a server with private access (VNet integration)."
            raise AzureError(400, "FirewallRuleNotSupportedForPrivateAccess", text)
        ends = []
        for key in ("startIpAddress", "endIpAddress"):
            try:
                ends.append(IPv4Address(asked.get(key)))
            except (AddressValueError, TypeError) as error:
                raise server.invalid(key) from error
        if ends[0] > ends[1]:
            raise server.invalid("startIpAddress", "The start IP address is after the end IP address.")
        return {"startIpAddress": str(ends[0]), "endIpAddress": str(ends[1])}


COLLATIONS = {
    "utf8mb4": "utf8mb4_0900_ai_ci",
    "utf8mb3": "utf8mb3_general_ci",
    "utf8": "utf8mb3_general_ci",
    "latin1": "latin1_swedish_ci",
    "ascii": "ascii_general_ci",
    "binary": "binary",
    "ucs2": "ucs2_general_ci",
    "utf16": "utf16_general_ci",
    "utf32": "utf32_general_ci",
}
# Every server has these, and nobody can delete them.
SYSTEM_DATABASES = {
    "information_schema": "utf8mb3",
    "mysql": "utf8mb4",
    "performance_schema": "utf8mb4",
    "sys": "utf8mb4",
}


class Databases(Child):
    type = f"{SERVERS}/databases"
    upsert, upsert_seconds = "UpsertServerDatabaseManagementOperation", 20
    drop, drop_seconds = "DropServerDatabaseManagementOperation", 20

    def made(self, request: Request, rid: ResourceId, asked: dict[str, Any]) -> dict[str, Any]:
        del request
        collation = asked.get("collation") or ""
        charset = asked.get("charset") or collation.split("_")[0] or "utf8mb4"
        if charset not in COLLATIONS:
            raise server.invalid("charset")
        if collation and collation != charset and not collation.startswith(f"{charset}_"):
            raise server.invalid("collation", f"COLLATION '{collation}' is not valid for CHARACTER SET '{charset}'.")
        if rid.name.lower() in SYSTEM_DATABASES:
            raise server.invalid("databaseName")
        return {"charset": charset, "collation": collation or COLLATIONS[charset]}

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        if rid.name.lower() in SYSTEM_DATABASES:
            raise server.invalid("databaseName", f"The system database '{rid.name}' cannot be deleted.")
        return super().delete(request, rid, current)

    def collection(self, request: Request, rid: ResourceId, items: list[dict[str, Any]]) -> Answer:
        own = [
            self.document(rid.child("databases", name), {"charset": charset, "collation": COLLATIONS[charset]})
            for name, charset in SYSTEM_DATABASES.items()
        ]
        return super().collection(request, rid, own + items)


class Administrators(Child):
    type = f"{SERVERS}/administrators"
    upsert, upsert_seconds = "UpsertActiveDirectoryAdministratorManagementOperation", 60
    drop, drop_seconds = "DropActiveDirectoryAdministratorManagementOperation", 45

    def made(self, request: Request, rid: ResourceId, asked: dict[str, Any]) -> dict[str, Any]:
        if rid.name != "ActiveDirectory":
            raise server.invalid("administratorName")
        for key in ("login", "sid", "tenantId", "identityResourceId"):
            if not asked.get(key):
                raise server.invalid(key)
        of_server = (self.owner(request, rid).get("identity") or {}).get("userAssignedIdentities") or {}
        if asked["identityResourceId"].lower() not in {name.lower() for name in of_server}:
            raise server.invalid("identityResourceId", "The identity is not assigned to the server.")
        return {
            "administratorType": "ActiveDirectory",
            "login": asked["login"],
            "sid": asked["sid"],
            "tenantId": asked["tenantId"],
            "identityResourceId": server.lower_group(asked["identityResourceId"]),
        }


class Configurations(Child):
    """Server parameters. All are always there; only what was set is stored."""

    type = f"{SERVERS}/configurations"
    upsert, upsert_seconds = "UpdateServerParameterManagementOperationV2", 50

    def known(self, owner: dict[str, Any]) -> dict[str, Parameter]:
        return parameters(owner["properties"]["version"], server.memory_gib(owner["sku"]["name"]))

    def find(self, request: Request, owner: dict[str, Any], rid: ResourceId) -> Parameter:
        found = self.known(owner).get(rid.name.lower())
        if found is None and presumes(request, ResourceId(owner["id"])):
            return Parameter(rid.name, "", "", "", "String")  # a real server has many more than we know
        if found is None:
            version = owner["properties"]["version"]
            text = f"The configuration '{rid.name}' does not exist for MySQL server version {version}."
            raise AzureError(404, "ConfigurationNotExists", text)
        return found

    def load(self, request: Request, rid: ResourceId) -> dict[str, Any] | None:
        return super().load(request, rid) or {**self.document(rid, {}), "_override": None}

    def read(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        owner = self.owner(request, rid)
        ready(owner, "GetServerParameters")
        parameter = current.get("_parameter") or self.find(request, owner, rid)
        return Answer(200, self._body(owner, rid, parameter, current["_override"]))

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        raise self.no_such_method(request, rid, current)

    def _body(
        self, owner: dict[str, Any], rid: ResourceId, parameter: Parameter, override: dict[str, str] | None
    ) -> dict[str, Any]:
        return self.document(rid, describe(parameter, owner["properties"]["version"], override))

    def collection(self, request: Request, rid: ResourceId, items: list[dict[str, Any]]) -> Answer:
        owner = self.owner(request, rid)
        ready(owner, "GetServerParameters")
        word = request.query.get("keyword", "").lower()
        set_here = {item["name"].lower(): item["_override"] for item in items}
        found = [
            self._body(owner, rid.child("configurations", name), parameter, set_here.get(name))
            for name, parameter in self.known(owner).items()
            if word in name
        ]
        return Answer(200, {"value": found})

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        del current
        owner = self.owner(request, rid)
        ready(owner, self.upsert)
        change = self._change(request, owner, rid, asked_of(request.body))
        return self.write(request, owner, change)

    def update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        return self.create_or_update(request, rid, current)

    def batch(self, request: Request, rid: ResourceId, owner: dict[str, Any]) -> Answer:
        """updateConfigurations: several at once."""
        ready(owner, self.upsert)
        body = request.body or {}
        changes = [
            self._change(request, owner, rid.child("configurations", one["name"]), asked_of(one))
            for one in body.get("value") or []
        ]

        def done() -> None:
            if body.get("resetAllToDefault") == "True":
                for found in request.simulator.store.children(rid, self.type):
                    request.simulator.store.delete(ResourceId(found["id"]))
            for change in changes:
                change()

        return self.write(request, owner, done)

    def _change(
        self, request: Request, owner: dict[str, Any], rid: ResourceId, asked: dict[str, Any]
    ) -> Callable[[], None]:
        """Return what is to happen at the operation's end, or refuse now."""
        parameter = self.find(request, owner, rid)
        reset = asked.get("source") == "system-default"
        value = parameter.default if reset else str(asked.get("value", parameter.default))
        if parameter.read_only:
            raise server.invalid(rid.name, f"The configuration '{rid.name}' is read only.")
        if not parameter.accepts(value):
            text = (
                f"The value '{value}' for configuration '{rid.name}' is not valid. Allowed are '{parameter.allowed}'."
            )
            raise server.invalid(rid.name, text)
        store = request.simulator.store
        source = "system-default" if value == parameter.default else "user-override"

        def change() -> None:
            before = (store.get(rid) or {}).get("_override") or {"current": parameter.default}
            override = {"value": value, "current": value if parameter.dynamic else before["current"], "source": source}
            store.put(rid, {**self.document(rid, {}), "_override": override, "_parameter": parameter})

        return change


CONFIGURATIONS = Configurations()
TYPES = [FirewallRules(), Databases(), Administrators(), CONFIGURATIONS]
