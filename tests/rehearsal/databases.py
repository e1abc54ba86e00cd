# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A MariaDB for each simulated MySQL Flexible Server: made, stopped, started, changed and removed with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from tests.simulator.ids import ResourceId
from tests.simulator.providers.mysql_operations import SERVERS

from .following import Follower
from .gate import Gate, refusal
from .mariadb import MariaDB

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import trustme

    from tests.simulator.operations import Operation
    from tests.simulator.simulator import Simulator

SUFFIX = "mysql.database.azure.com"
# In these states a server is up, or about to be.
UP = {"Ready", "Updating", "Starting", "Stopping", "Dropping"}


@dataclass
class Wanted:
    """What a server is to be like."""

    name: str
    # Another one of the same name is another server.
    born: str
    up: bool
    administrator: tuple[str, str]
    databases: dict[str, str] = field(default_factory=dict)
    rules: list[tuple[str, str]] = field(default_factory=list)
    parameters: dict[str, str] = field(default_factory=dict)


class Real:
    """A MariaDB, and what it was last told."""

    def __init__(self, born: str, database: MariaDB) -> None:
        self.born = born
        self.database = database
        self.administrator: tuple[str, str] | None = None
        self.databases: dict[str, str] = {}
        self.parameters: dict[str, str] = {}
        # Whether it is up, and all is as it was wanted last.
        self.ready = False

    def become(self, wanted: Wanted) -> None:
        if not wanted.up:
            self.ready = False
            self.database.stop()
            return
        if not self.database.runs:
            self.database.start()
            # What was set for a running server was not kept by it.
            self.parameters = {}
        if wanted.administrator != self.administrator:
            self.database.administrator(*wanted.administrator)
            self.administrator = wanted.administrator
        for database in self.databases.keys() - wanted.databases.keys():
            self.database.drop_database(database)
        for database in wanted.databases.keys() - self.databases.keys():
            self.database.create_database(database, wanted.databases[database])
        self.databases = wanted.databases
        for name, value in wanted.parameters.items():
            if self.parameters.get(name) != value:
                self.database.set_parameter(name, value)
        self.parameters = wanted.parameters
        self.ready = True


class Databases(Follower):
    """All servers. Clients come in through `gate`, as from `address()`, if a firewall rule lets them."""

    def __init__(
        self, simulator: Simulator, folder: Path, authority: trustme.CA, address: Callable[[], str | None]
    ) -> None:
        super().__init__(simulator)
        self.servers: dict[str, Real] = {}
        self._folder, self._authority, self._address = folder, authority, address
        self.gate = Gate(self._way)

    def wanted(self) -> dict[str, Wanted]:
        store = self.simulator.store
        with self.simulator.lock:
            return {document["id"].lower(): _wanted(store, document) for document in store.all(SERVERS)}

    def look(self) -> None:
        wanted = self.wanted()
        for key, real in list(self.servers.items()):
            if key not in wanted or wanted[key].born != real.born:
                self.servers.pop(key).database.remove()
                self.gate.cut()
        for key, server in wanted.items():
            if key not in self.servers:
                database = MariaDB(self._folder / server.name, f"{server.name}.{SUFFIX}", self._authority)
                self.servers[key] = Real(server.born, database)
            self.servers[key].become(server)

    def held(self, operation: Operation) -> bool:
        """No server is ready, and none has started, before the real one is."""
        rid = ResourceId(operation.resource)
        if rid.type != SERVERS or self.trouble:
            return False
        document = self.simulator.store.get(rid)
        if document is None or document["properties"]["state"] not in {"Updating", "Starting"}:
            return False
        real = self.servers.get(rid.key)
        # The one that is known may still be an earlier one of that name.
        return real is None or real.born != document["systemData"]["createdAt"] or not real.ready

    def close(self) -> None:
        super().close()
        self.gate.close()
        for real in self.servers.values():
            real.database.remove()
        self.servers.clear()

    def _way(self) -> int | bytes:
        """Where a client gets to: the one server that there is."""
        self.caught_up()
        up = [(server, self.servers[key]) for key, server in self.wanted().items() if key in self.servers]
        up = [(server, real) for server, real in up if real.ready]
        if not up:
            return b""
        server, real = up[0]
        address = self._address()
        if address and not any(_between(address, *rule) for rule in server.rules):
            return refusal(f"Client with IP address '{address}' is not allowed to connect to this MySQL server.")
        return real.database.port


def _between(address: str, first: str, last: str) -> bool:
    # 0.0.0.0 stands for everything inside Azure.
    return first == last == "0.0.0.0" or ip_address(first) <= ip_address(address) <= ip_address(last)  # noqa: S104


def _wanted(store: Any, document: dict[str, Any]) -> Wanted:
    rid = ResourceId(document["id"])
    own = document["properties"]
    found = Wanted(
        rid.name,
        document["systemData"]["createdAt"],
        own["state"] in UP,
        (own["administratorLogin"], store.passwords.get(rid.key, "")),
    )
    found.databases = {one["name"]: one["properties"]["charset"] for one in store.children(rid, "databases")}
    rules = [one["properties"] for one in store.children(rid, "firewallRules")]
    found.rules = [(one["startIpAddress"], one["endIpAddress"]) for one in rules]
    found.parameters = {one["name"]: one["_override"]["current"] for one in store.children(rid, "configurations")}
    return found
