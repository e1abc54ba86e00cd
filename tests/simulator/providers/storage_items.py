# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What blob containers and file shares have in common: writes echo the request, reads tell what the service knows."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from ..arm import Answer, Request, ResourceId
from .documents import etag, merged, presumes, properties, whole_time, without_nulls
from .storage_accounts import AccountPart, account_of, service_error
from .storage_services import Services

DAY = 86400


class Items(AccountPart):
    """A named thing of a service, with soft delete."""

    noun = ""
    service: Services
    retention = ""  # the service's property that switches soft delete on
    shows_deleted = ("", "")  # the query that lists deleted ones too

    def check(
        self, request: Request, rid: ResourceId, asked: dict[str, Any], account: dict[str, Any]
    ) -> dict[str, Any]:
        """Refuse, or normalize what is asked for."""
        raise NotImplementedError

    def facts(self, request: Request) -> dict[str, Any]:
        """Say what the service gives a new one."""
        raise NotImplementedError

    def echo(self, asked: dict[str, Any]) -> dict[str, Any]:
        return asked

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        account = account_of(request, rid)
        asked = self.check(request, rid, without_nulls(properties(request.body)), account)
        if current is None:
            current = self._new(request, rid)
        self._write(request, rid, current, asked)
        created = "_seen" not in current
        current["_seen"] = True
        return Answer(201 if created else 200, self._echoed(current, asked))

    def update(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        asked = self.check(request, rid, without_nulls(properties(request.body)), account_of(request, rid))
        self._write(request, rid, current, asked)
        return Answer(200, self._echoed(current, asked))

    def _new(self, request: Request, rid: ResourceId) -> dict[str, Any]:
        return {"id": str(rid), "name": rid.name, "type": self.type, "etag": "", "properties": self.facts(request)}

    def _write(self, request: Request, rid: ResourceId, current: dict[str, Any], asked: dict[str, Any]) -> None:
        simulator = request.simulator
        own = current["properties"]
        if "metadata" in asked:
            own.pop("metadata", None)
        current["properties"] = merged(own, asked)
        self.touch(request, current)
        simulator.store.put(rid, current)

    @staticmethod
    def touch(request: Request, current: dict[str, Any]) -> None:
        now = request.simulator.clock.now()
        current["etag"] = etag(now)
        current["properties"]["lastModifiedTime"] = whole_time(now)

    def _echoed(self, current: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
        body = {key: current[key] for key in ("id", "name", "type")}
        return {**body, "properties": self.echo(asked)} if asked else body

    def load(self, request: Request, rid: ResourceId) -> dict[str, Any] | None:
        stored = super().load(request, rid)
        if stored is None and request.method == "POST":  # what was deleted can be restored
            stored = next((i for i in self.deleted(request, rid.parent()) if i["name"] == rid.name), None)
        if stored is None and presumes(request, rid):
            account_of(request, rid)
            stored = self._new(request, rid)
            self._write(request, rid, stored, {})
        if stored is None and request.method not in ("PUT", "DELETE"):
            raise self.missing_item(request)
        return stored

    def missing_item(self, request: Request) -> Exception:
        code = f"{self.noun.capitalize()}NotFound"
        return service_error(request, 404, code, f"The specified {self.noun} does not exist.")

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        account_of(request, rid)
        if current is None:
            return Answer(204)
        store, service = request.simulator.store, rid.parent()
        parent = self.service.load(request, service) or {"properties": {}}
        policy = parent["properties"].get(self.retention) or {}
        if policy.get("enabled"):
            gone = deepcopy(current)
            now = request.simulator.clock.now()
            gone["properties"] |= {
                "deleted": True,
                "deletedTime": whole_time(now),
                "remainingRetentionDays": policy.get("days", 7),
                "version": f"{int(now * 1e7) + 116444736000000000:016X}",
            }
            gone["_gone"] = now
            parent.setdefault("_deleted", []).append(gone)
            store.put(service, parent)
        store.delete(rid)
        return Answer(200)

    def deleted(self, request: Request, service: ResourceId) -> list[dict[str, Any]]:
        """Find the ones that can still be restored; the days run out on the clock."""
        parent = request.simulator.store.get(service) or {}
        now, kept = request.simulator.clock.now(), []
        for item in parent.get("_deleted", []):
            days = item["properties"]["remainingRetentionDays"] - int((now - item["_gone"]) // DAY)
            if days > 0:
                kept.append({**item, "properties": {**item["properties"], "remainingRetentionDays": days}})
        return kept

    def collection(self, request: Request, parent: ResourceId, items: list[Any]) -> Answer:
        account_of(request, parent)
        value = [self.listed(request, item) for item in items]
        name, word = self.shows_deleted
        if word in request.query.get(name, "").lower():
            value += [self.listed(request, item) for item in self.deleted(request, parent)]
        return Answer(200, {"value": value})

    def listed(self, request: Request, stored: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError
