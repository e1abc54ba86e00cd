# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft.DBforMySQL: flexible servers; mysql_parts.py has what is in them.

How servers are made, changed and deleted is recorded. Second-hand, from public documentation and bug reports: starting,
stopping, restarting and failing over, replicas and restored servers, that a server which is being made is shown as
"Updating", and every refusal. No recording has a stopped server, and none a write that is refused.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from ..arm import Answer, AzureError
from . import mysql_parts as parts
from . import mysql_server as server
from .documents import azure_time, merged
from .documents import properties as asked_of
from .mysql_capabilities import capabilities
from .mysql_operations import SERVERS, Part, idle, poll, ready, result
from .places import same_place

if TYPE_CHECKING:
    from ..arm import Request, ResourceId

UPSERT = "UpsertServerManagementOperationV2"
DROP = "DropServerManagementOperation"
# Seconds. Making and changing: from the times in the recordings' URLs. The others are guessed.
SECONDS = {"make": 250, "change": 65, "drop": 15, "start": 150, "stop": 60, "restart": 60, "failover": 90}
START, STOP, RESTART, FAILOVER = (
    f"{verb}ServerManagementOperation" for verb in ("Start", "Stop", "Restart", "Failover")
)


class Servers(Part):
    type = SERVERS

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        if current is not None:
            return self.update(request, rid, current)
        body = request.body if isinstance(request.body, dict) else {}
        store, document = request.simulator.store, self._new(request, rid, body)
        store.put(rid, document)
        store.passwords[rid.key] = asked_of(body).get("administratorLoginPassword", "")

        def done() -> None:
            document["properties"]["state"] = "Ready"

        def failed(*_: Any) -> None:
            document["properties"]["state"] = "Disabled"  # for who holds the document yet
            store.delete(rid)

        return self.begin(request, document, UPSERT, SECONDS["make"], done, failed)

    def _new(self, request: Request, rid: ResourceId, body: dict[str, Any]) -> dict[str, Any]:
        asked, sku = asked_of(body), body.get("sku") or {}
        if not server.NAME.fullmatch(rid.name):
            raise server.invalid("serverName")
        if taken(request, rid.name):
            raise AzureError(409, "ServerNameAlreadyExists", "Specified server name is already used.")
        source = self._source(request, asked)
        if source:
            asked, sku = merged(inherited(source, asked), asked), sku or source["sku"]
        else:
            self._check_login(request, asked)
        server.check_sku(sku)
        server.check_values(asked)
        server.check_availability(asked, sku)
        server.check_encryption(asked, body.get("identity"))
        now = request.simulator.clock.now()
        zone = str(asked.get("availabilityZone") or request.simulator.rng.choice("123"))
        gigabytes = server.lookup(asked, "storage.storageSizeGB") or (20 if sku["tier"] == "Burstable" else 64)
        base = server.defaults(rid.name, sku["name"], zone, azure_time(now, "+00:00"), gigabytes)
        location = body.get("location") or (source or {}).get("location", "")
        return {
            "sku": {"name": sku["name"], "tier": sku["tier"]},
            **{key: deepcopy(body[key]) for key in ("tags", "identity") if body.get(key)},
            "systemData": {"createdAt": azure_time(now)},
            "properties": {**server.settle(merged(base, asked), sku["name"]), "state": "Updating"},
            "location": server.display_name(location),
            "id": str(rid),
            "name": rid.name,
            "type": SERVERS,
            "_location": location,
        }

    def _source(self, request: Request, asked: dict[str, Any]) -> dict[str, Any] | None:
        """Find the server that a replica or a restored server comes from."""
        if asked.get("createMode", "Default") == "Default":
            return None
        found = request.simulator.store.get(asked.get("sourceServerResourceId") or "")
        if found is None:
            raise server.invalid("sourceServerResourceId")
        if asked["createMode"] == "Replica":
            ready(found, "CreateReplica")
            if found["sku"]["tier"] == "Burstable":
                text = "Read replicas are not supported for the Burstable service tier."
                raise AzureError(400, "ReplicaNotSupportedForBurstable", text)
        return found

    def _check_login(self, request: Request, asked: dict[str, Any]) -> None:
        login = asked.get("administratorLogin") or ""
        if not 1 <= len(login) <= 32 or login.lower() in server.RESERVED_LOGINS:
            raise server.invalid("administratorLogin")
        server.check_password(asked.get("administratorLoginPassword"), login, stand_in=request.principal is None)

    def update(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        body = request.body if isinstance(request.body, dict) else {}
        asked, sku = asked_of(body), merged(current["sku"], body.get("sku") or {})
        same_place(rid, current["location"], body.get("location"))
        ready(current, UPSERT)
        idle(request, current)
        server.check_sku(sku)
        server.check_values(asked)
        server.check_change(current["properties"], asked, sku)
        if "administratorLoginPassword" in asked:
            login = current["properties"]["administratorLogin"]
            server.check_password(asked["administratorLoginPassword"], login, stand_in=request.principal is None)
        target = deepcopy(current)
        target["sku"] = sku
        target.update({key: deepcopy(body[key]) for key in ("tags", "identity") if body.get(key) is not None})
        wanted = merged(current["properties"], asked)
        server.check_encryption(wanted, target.get("identity"))
        target["properties"] = server.settle(wanted, sku["name"])
        return self._change(request, rid, current, UPSERT, "Updating", target, SECONDS["change"])

    def _change(  # noqa: PLR0917
        self,
        request: Request,
        rid: ResourceId,
        current: dict[str, Any],
        name: str,
        meanwhile: str,
        target: dict[str, Any] | None,
        seconds: float,
    ) -> Answer:
        """Be in the state `meanwhile`, then as `target` says (or gone), or as before where the operation fails."""
        store, before = request.simulator.store, current["properties"]["state"]
        current["properties"]["state"] = meanwhile

        def done() -> None:
            if target is None:
                store.delete(rid)
                return
            store.put(rid, target)
            if name == UPSERT and "administratorLoginPassword" in asked_of(request.body):
                store.passwords[rid.key] = request.body["properties"]["administratorLoginPassword"]
            if name in {START, RESTART}:
                restarted(request, rid)

        def failed(*_: Any) -> None:
            current["properties"]["state"] = before

        return self.begin(request, current, name, seconds, done, failed)

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        if current is None:
            return Answer(204)
        if current["properties"]["state"] not in {"Stopped", "Disabled"}:
            ready(current, DROP)
        return self._change(request, rid, current, DROP, "Dropping", None, SECONDS["drop"])

    def action(self, request: Request, rid: ResourceId, current: dict[str, Any], name: str) -> Answer:
        actions = {
            "start": self._start,
            "stop": self._stop,
            "restart": self._restart,
            "failover": self._failover,
            "updateconfigurations": parts.CONFIGURATIONS.batch,
        }
        known = actions.get(name.lower())
        if known is None or request.method != "POST":
            return super().action(request, rid, current, name)
        return known(request, rid, current)

    def _start(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        state = current["properties"]["state"]
        if state == "Ready":
            raise AzureError(409, "ServerIsNotStopped", f"Server '{current['name']}' is not in state 'Stopped'.")
        if state != "Stopped":
            ready(current, START)
        target = merged(current, {"properties": {"state": "Ready"}})
        return self._change(request, rid, current, START, "Starting", target, SECONDS["start"])

    def _stop(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        ready(current, STOP)
        idle(request, current)
        own = current["properties"]
        if own["replicationRole"] != "None" or own["highAvailability"]["mode"] != "Disabled":
            text = "A server with high availability or read replicas cannot be stopped."
            raise AzureError(400, "OperationNotSupported", text)
        target = merged(current, {"properties": {"state": "Stopped"}})
        return self._change(request, rid, current, STOP, "Stopping", target, SECONDS["stop"])

    def _restart(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        ready(current, RESTART)
        idle(request, current)
        return self._change(request, rid, current, RESTART, "Updating", deepcopy(current), SECONDS["restart"])

    def _failover(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        ready(current, FAILOVER)
        zone, standby = current["properties"]["availabilityZone"], current["properties"]["highAvailability"]
        if standby["mode"] == "Disabled":
            text = f"Server '{current['name']}' has no standby to fail over to."
            raise AzureError(400, "HighAvailabilityNotEnabled", text)
        swapped = {
            "availabilityZone": standby["standbyAvailabilityZone"],
            "highAvailability": {"standbyAvailabilityZone": zone},
        }
        target = merged(current, {"properties": swapped})
        return self._change(request, rid, current, FAILOVER, "Updating", target, SECONDS["failover"])

    def present(self, request: Request, rid: ResourceId, stored: dict[str, Any]) -> dict[str, Any]:
        body = super().present(request, rid, stored)
        body["properties"] = server.as_of(body["properties"], request.api_version)
        if "identity" in body:
            body["identity"] = identity(request, body["identity"])
        return body

    def location_route(self, request: Request, location: str, rest: list[str]) -> Answer | None:
        what, *more = [part.lower() for part in rest]
        if what == "azureasyncoperation" and more:
            return poll(request, more[0])
        if what == "operationresults" and more:
            return result(request, more[0])
        if what in {"capabilities", "capabilitysets"}:
            return capabilities(request, location, what, more)
        return self.provider_route(request, rest)

    def provider_route(self, request: Request, rest: list[str]) -> Answer | None:
        if rest[-1].lower() == "checknameavailability" and request.method == "POST":
            return check_name(request)
        return None


def taken(request: Request, name: str) -> bool:
    """Whether anyone's server has the name: it is part of a DNS name."""
    return any(one["name"].lower() == name.lower() for one in request.simulator.store.all(SERVERS))


def inherited(source: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """Return what a replica or a restored server takes over, and what makes it one."""
    kept = ("administratorLogin", "version", "storage", "backup", "network")
    found = {key: deepcopy(source["properties"][key]) for key in kept}
    if asked["createMode"] == "Replica":
        found.update({"replicationRole": "Replica", "replicaCapacity": 0, "sourceServerResourceId": source["id"]})
    return found


def restarted(request: Request, rid: ResourceId) -> None:
    """Parameters that waited for a restart are in force after it."""
    for found in request.simulator.store.children(rid, "configurations"):
        found["_override"]["current"] = found["_override"]["value"]


def identity(request: Request, asked: dict[str, Any]) -> dict[str, Any]:
    """Show an identity as recorded: lower-case groups, the identities' principals, zeros for the server's own."""
    if asked.get("type") in {None, "None"}:
        return {"type": "None"}
    found = {}
    for name, wanted in (asked.get("userAssignedIdentities") or {}).items():
        if wanted is None:  # one that goes
            continue
        known = request.simulator.store.get(name) or {"properties": {}}
        ids = {key: known["properties"].get(key, server.ZERO) for key in ("principalId", "tenantId")}
        found[server.lower_group(name)] = ids
    return {"userAssignedIdentities": found, "principalId": server.ZERO, "type": asked["type"], "tenantId": server.ZERO}


def check_name(request: Request) -> Answer:
    name = str((request.body or {}).get("name", ""))
    if not server.NAME.fullmatch(name):
        text = "The server name must be 3 to 63 lowercase letters, numbers and hyphens, with no hyphen at an end."
        return Answer(200, {"nameAvailable": False, "reason": "Invalid", "message": text})
    if taken(request, name):
        text = "Specified server name is already used."
        return Answer(200, {"nameAvailable": False, "reason": "AlreadyExists", "message": text})
    return Answer(200, {"name": name, "nameAvailable": True, "message": ""})


TYPES = [Servers(), *parts.TYPES]
