# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A storage account's file service with its shares, and the queue and table services with theirs."""

from __future__ import annotations

from typing import Any

from ..arm import Answer, AzureError, Request, ResourceId
from . import storage_rules as rules
from .documents import merged, properties, whole_time, without_nulls
from .storage_accounts import AccountPart, account_of, service_error
from .storage_documents import TYPE
from .storage_items import Items
from .storage_services import Services

TIERS = ("TransactionOptimized", "Hot", "Cool", "Premium")


class FileServices(Services):
    type = f"{TYPE}/fileServices"

    def facts(self) -> dict[str, Any]:
        kept = {"enabled": True, "days": 7}
        return {"protocolSettings": {"smb": {}}, **super().facts(), "shareDeleteRetentionPolicy": kept}

    def check(self, asked: dict[str, Any], account: dict[str, Any]) -> None:
        smb = (asked.get("protocolSettings") or {}).get("smb") or {}
        if (smb.get("multichannel") or {}).get("enabled") and account["sku"]["tier"] != "Premium":
            raise AzureError(409, "FeatureNotSupportedForAccount", "SMB Multichannel is not supported for the account.")
        policy = asked.get("shareDeleteRetentionPolicy") or {}
        if policy.get("enabled") and not 1 <= (policy.get("days") or 0) <= 365:
            raise rules.invalid("shareDeleteRetentionPolicy.days")

    def read_shape(self, own: dict[str, Any], account: dict[str, Any]) -> None:
        if not own["shareDeleteRetentionPolicy"]["enabled"]:
            own["shareDeleteRetentionPolicy"]["days"] = 0
        if account["sku"]["tier"] == "Premium":
            own["protocolSettings"]["smb"].setdefault("multichannel", {"enabled": False})


class Shares(Items):
    type = f"{TYPE}/fileServices/shares"
    noun = "share"
    service = FileServices()
    retention = "shareDeleteRetentionPolicy"
    shows_deleted = ("$expand", "deleted")

    def check(
        self, request: Request, rid: ResourceId, asked: dict[str, Any], account: dict[str, Any]
    ) -> dict[str, Any]:
        del account
        if not rules.CONTAINER.match(rid.name):
            text = "The specified resource name contains invalid characters."
            raise service_error(request, 400, "InvalidResourceName", text)
        if not 1 <= asked.get("shareQuota", 1) <= 262144:
            raise rules.invalid("shareQuota")
        if asked.get("accessTier", "Hot") not in TIERS:
            raise rules.invalid("accessTier")
        return asked

    def facts(self, request: Request) -> dict[str, Any]:
        return {
            "leaseStatus": "unlocked",
            "leaseState": "available",
            "signedIdentifiers": [],
            "accessTier": "TransactionOptimized",
            "accessTierChangeTime": whole_time(request.simulator.clock.now()),
            "shareQuota": 5120,
            "enabledProtocols": "SMB",
        }

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        if "snapshots" in request.query.get("$expand", "").lower():
            return self._snapshot(request, rid, current)
        return super().create_or_update(request, rid, current)

    def _snapshot(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        account_of(request, rid)
        if current is None:
            raise self.missing_item(request)
        stamp = whole_time(request.simulator.clock.now())
        asked = {**properties(request.body), "snapshotTime": stamp}
        current.setdefault("_snapshots", []).append(stamp)
        return Answer(201, {**{key: current[key] for key in ("id", "name", "type")}, "properties": asked})

    def read(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        answer = super().read(request, rid, current)
        if "stats" in request.query.get("$expand", "").lower():
            answer.body["properties"]["shareUsageBytes"] = 0
        return answer

    def listed(self, request: Request, stored: dict[str, Any]) -> dict[str, Any]:
        del request
        body = {key: value for key, value in stored.items() if not key.startswith("_")}
        hidden = ("signedIdentifiers", "accessTierChangeTime", "metadata")
        return {**body, "properties": {k: v for k, v in stored["properties"].items() if k not in hidden}}

    def collection(self, request: Request, rid_parent: ResourceId, items: list[dict[str, Any]]) -> Answer:
        answer = super().collection(request, rid_parent, items)
        if "snapshots" in request.query.get("$expand", "").lower():
            for item in items:
                for stamp in item.get("_snapshots", []):
                    shown = self.listed(request, item)
                    shown["properties"]["snapshotTime"] = stamp
                    answer.body["value"].insert(0, shown)
        return answer

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        stamp = request.headers.get("x-ms-snapshot")
        if current and stamp:
            current["_snapshots"] = [one for one in current.get("_snapshots", []) if one != stamp]
            return Answer(200)
        include = request.query.get("$include", "snapshots").lower()
        if current and current.get("_snapshots") and include == "none":
            text = "The share has snapshots and the operation requires no snapshots."
            raise service_error(request, 409, "ShareHasSnapshots", text)
        return super().delete(request, rid, current)

    def restore(self, request: Request, rid: ResourceId) -> Answer:
        body = request.body or {}
        service = rid.parent()
        for item in self.deleted(request, service):
            if item["name"] == body.get("deletedShareName") and self._is_version(request, item, body):
                own = item["properties"]
                for key in ("deleted", "deletedTime", "remainingRetentionDays", "version"):
                    own.pop(key)
                item.pop("_gone")
                self.touch(request, item)
                request.simulator.store.put(rid, item)
                parent = request.simulator.store.get(service)
                parent["_deleted"] = [other for other in parent["_deleted"] if other["name"] != item["name"]]
                return Answer(200)
        raise self.missing_item(request)

    @staticmethod
    def _is_version(request: Request, item: dict[str, Any], body: dict[str, Any]) -> bool:
        # A replay names the version that was recorded.
        return request.simulator.clock.instant or item["properties"]["version"] == body.get("deletedShareVersion")

    def action(self, request: Request, rid: ResourceId, current: dict[str, Any], name: str) -> Answer:
        if name.lower() == "restore":
            return self.restore(request, rid)
        return super().action(request, rid, current, name)


class QueueServices(Services):
    type = f"{TYPE}/queueServices"


class TableServices(Services):
    type = f"{TYPE}/tableServices"


class _Plain(AccountPart):
    """Queues and tables: a name and what was asked for."""

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        account_of(request, rid)
        asked = without_nulls(properties(request.body))
        if current is None:
            own = {"tableName": rid.name} if rid.types[-1].lower() == "tables" else {"approximateMessageCount": 0}
            current = {"id": str(rid), "name": rid.name, "type": self.type, "properties": own}
        current["properties"] = merged(current["properties"], asked)
        request.simulator.store.put(rid, current)
        return Answer(200, self.present(request, rid, current))

    def update(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        return self.create_or_update(request, rid, current)


class Queues(_Plain):
    type = f"{TYPE}/queueServices/queues"


class Tables(_Plain):
    type = f"{TYPE}/tableServices/tables"


TYPES = [FileServices(), Shares(), QueueServices(), Queues(), TableServices(), Tables()]
