# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A storage account's blob service, its containers, and their immutability policies and legal holds."""

from __future__ import annotations

from typing import Any

from ..arm import Answer, AzureError, Request, ResourceId
from . import storage_rules as rules
from .documents import azure_time, etag, guid, properties
from .storage_accounts import AccountPart, account_of, service_error
from .storage_documents import TYPE
from .storage_items import Items
from .storage_operations import operation_headers
from .storage_services import Services

SINGLE = ("legalHold", "metadata")  # a list leaves these out


class BlobServices(Services):
    type = f"{TYPE}/blobServices"

    def facts(self) -> dict[str, Any]:
        return {"cors": {"corsRules": []}, "deleteRetentionPolicy": {"enabled": False}}

    def check(self, asked: dict[str, Any], account: dict[str, Any]) -> None:
        for name in ("deleteRetentionPolicy", "containerDeleteRetentionPolicy"):
            policy = asked.get(name) or {}
            if policy.get("enabled") and not 1 <= (policy.get("days") or 0) <= 365:
                raise rules.invalid(f"{name}.days")
        days = (asked.get("changeFeed") or {}).get("retentionInDays")
        if days is not None and not 1 <= days <= 146000:
            raise rules.invalid("changeFeed.retentionInDays")
        if asked.get("isVersioningEnabled") and account["properties"].get("isHnsEnabled"):
            raise AzureError(409, "FeatureNotSupportedForAccount", "Blob versioning is not supported for the account.")

    def complete(self, request: Request, own: dict[str, Any]) -> None:
        tracking = own.get("lastAccessTimeTrackingPolicy")
        if tracking and tracking.get("enable"):
            fixed = {"name": "AccessTimeTracking", "trackingGranularityInDays": 1, "blobType": ["blockBlob"]}
            own["lastAccessTimeTrackingPolicy"] = {**fixed, **tracking}
        restore = own.get("restorePolicy")
        if restore and restore.get("enabled"):
            restore["minRestoreTime"] = azure_time(request.simulator.clock.now())
        if request.api_version >= "2021-06" and "deleteRetentionPolicy" in own:
            own["deleteRetentionPolicy"].setdefault("allowPermanentDelete", False)

    def read_shape(self, own: dict[str, Any], account: dict[str, Any]) -> None:
        del account
        # A read leaves out what is switched off, but for the deletion of blobs.
        for name in ("changeFeed", "containerDeleteRetentionPolicy", "restorePolicy"):
            if name in own and not own[name].get("enabled"):
                del own[name]
        if not (own.get("lastAccessTimeTrackingPolicy") or {}).get("enable"):
            own.pop("lastAccessTimeTrackingPolicy", None)
        for rule in own["cors"]["corsRules"]:
            rule["exposedHeaders"] = rule.get("exposedHeaders") or [""]
            rule["allowedHeaders"] = rule.get("allowedHeaders") or [""]


class Containers(Items):
    type = f"{TYPE}/blobServices/containers"
    noun = "container"
    service = BlobServices()
    retention = "containerDeleteRetentionPolicy"
    shows_deleted = ("$include", "deleted")

    def check(
        self, request: Request, rid: ResourceId, asked: dict[str, Any], account: dict[str, Any]
    ) -> dict[str, Any]:
        if not rules.CONTAINER.match(rid.name):
            raise service_error(
                request, 400, "InvalidResourceName", "The specified resource name contains invalid characters."
            )
        access = asked.get("publicAccess")
        if access is not None:
            if str(access).lower() not in ("none", "blob", "container"):
                raise rules.invalid("publicAccess")
            asked["publicAccess"] = access.capitalize()
            if asked["publicAccess"] != "None" and not account["properties"].get("allowBlobPublicAccess"):
                stamp = azure_time(request.simulator.clock.now())
                raise rules.public_refused(guid(request.simulator.rng), stamp)
        return asked

    def facts(self, request: Request) -> dict[str, Any]:  # noqa: ARG002
        return {
            "deleted": False,
            "remainingRetentionDays": 0,
            "defaultEncryptionScope": "$account-encryption-key",
            "denyEncryptionScopeOverride": False,
            "publicAccess": "None",
            "leaseStatus": "Unlocked",
            "leaseState": "Available",
            "legalHold": {"hasLegalHold": False, "tags": []},
            "hasImmutabilityPolicy": False,
            "hasLegalHold": False,
        }

    def echo(self, asked: dict[str, Any]) -> dict[str, Any]:
        fixed = {"deleted": False, "remainingRetentionDays": 0, "hasImmutabilityPolicy": False, "hasLegalHold": False}
        return {**fixed, **asked}

    def present(self, request: Request, rid: ResourceId, stored: dict[str, Any]) -> dict[str, Any]:
        body = super().present(request, rid, stored)
        policy = request.simulator.store.get(rid.child("immutabilityPolicies", "default"))
        if policy and policy["properties"]["state"] != "Deleted":
            body["properties"]["hasImmutabilityPolicy"] = True
            body["properties"]["immutabilityPolicy"] = {
                "etag": policy["etag"],
                "properties": dict(policy["properties"]),
                "updateHistory": policy["_history"],
            }
        return body

    def listed(self, request: Request, stored: dict[str, Any]) -> dict[str, Any]:
        body = {key: value for key, value in stored.items() if not key.startswith("_")}
        own = {key: value for key, value in stored["properties"].items() if key not in SINGLE}
        own.setdefault("immutableStorageWithVersioning", {"enabled": False})
        policy = request.simulator.store.get(ResourceId(f"{stored['id']}/immutabilityPolicies/default"))
        own["hasImmutabilityPolicy"] = bool(policy and policy["properties"]["state"] != "Deleted")
        return {**body, "properties": own}

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        if current and current["properties"]["legalHold"]["hasLegalHold"]:
            text = "The container has legal hold and the operation requires none."
            raise service_error(request, 409, "ContainerProtectedFromDeletion", text)
        if current:
            request.simulator.blobs.container_deleted(account_of(request, rid)["id"], current["name"])
        return super().delete(request, rid, current)

    def action(self, request: Request, rid: ResourceId, current: dict[str, Any], name: str) -> Answer:
        account = account_of(request, rid)
        if name.lower() in ("setlegalhold", "clearlegalhold"):
            return self._hold(request, rid, current, clear=name.lower().startswith("clear"))
        if name.lower() == "migrate":
            versions = {"enabled": False, "migrationState": "InProgress"}
            current["properties"]["immutableStorageWithVersioning"] = versions

            def finish() -> None:
                current["properties"]["immutableStorageWithVersioning"] = {"enabled": True}

            operation = request.simulator.operations.start(3600, on_done=finish, kind="containers/migrate")
            headers = operation_headers(request, account["location"], operation)
            return Answer(202, None, {"Azure-AsyncOperation": headers["Location"], **headers})
        return super().action(request, rid, current, name)

    def _hold(self, request: Request, rid: ResourceId, current: dict[str, Any], *, clear: bool) -> Answer:
        now = request.simulator.clock.now()
        hold = current["properties"]["legalHold"]
        asked = [str(tag).lower() for tag in (request.body or {}).get("tags") or []]
        old = {entry["tag"]: entry for entry in hold["tags"]}
        if clear:
            kept = {tag: entry for tag, entry in old.items() if tag not in asked}
        else:
            who = {"objectIdentifier": guid(request.simulator.rng), "tenantId": request.simulator.tenant}
            kept = old | {t: old.get(t, {"tag": t, "timestamp": azure_time(now), **who}) for t in asked}
        hold |= {"hasLegalHold": bool(kept), "tags": list(kept.values())}
        current["properties"]["hasLegalHold"] = bool(kept)
        self.touch(request, current)
        request.simulator.store.put(rid, current)
        return Answer(200, {"hasLegalHold": bool(kept), "tags": asked})


class ImmutabilityPolicies(AccountPart):
    """Every container answers for its policy, whether it has one or not."""

    type = f"{TYPE}/blobServices/containers/immutabilityPolicies"

    def load(self, request: Request, rid: ResourceId) -> dict[str, Any] | None:
        return super().load(request, rid) or self._none(rid)

    def _none(self, rid: ResourceId) -> dict[str, Any]:
        own = {"immutabilityPeriodSinceCreationInDays": 0, "state": "Deleted"}
        return {"id": str(rid), "name": "default", "type": self.type, "etag": "", "properties": own, "_history": []}

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        policy = current or {}
        self._refuse_locked(policy)
        own = policy["properties"]
        fresh = own["state"] == "Deleted"
        asked = properties(request.body)
        if fresh and not asked.get("immutabilityPeriodSinceCreationInDays"):
            raise rules.invalid("immutabilityPeriodSinceCreationInDays")
        policy["properties"] = {**own, **asked, "state": "Unlocked"}
        return self._written(request, rid, policy, "put")

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        policy = current or {}
        self._refuse_locked(policy)
        request.simulator.store.delete(rid)
        none = {**self._none(rid), "etag": self._etag(request)}
        return Answer(200, self.present(request, rid, none))

    def action(self, request: Request, rid: ResourceId, current: dict[str, Any], name: str) -> Answer:
        own = current["properties"]
        days = "immutabilityPeriodSinceCreationInDays"
        if name.lower() == "lock":
            own["state"] = "Locked"
        elif name.lower() == "extend":
            asked = properties(request.body)
            if own["state"] != "Locked" or asked.get(days, 0) < own[days]:
                raise self._failure()
            own |= asked
        else:
            return super().action(request, rid, current, name)
        return self._written(request, rid, current, name.lower())

    def _refuse_locked(self, policy: dict[str, Any]) -> None:
        if policy["properties"]["state"] == "Locked":
            raise self._failure()

    @staticmethod
    def _failure() -> AzureError:
        text = "Operation not allowed on immutability policy with current state."
        return AzureError(409, "ContainerImmutabilityPolicyFailure", text)

    @staticmethod
    def _etag(request: Request) -> str:
        return etag(request.simulator.clock.now()).replace("0x8D", "8d").lower()

    def _written(self, request: Request, rid: ResourceId, policy: dict[str, Any], verb: str) -> Answer:
        simulator = request.simulator
        policy["etag"] = self._etag(request)
        own = policy["properties"]
        policy["_history"].append(
            {
                "update": verb,
                **{key: value for key, value in own.items() if key != "state"},
                "timestamp": azure_time(simulator.clock.now()),
                "objectIdentifier": guid(simulator.rng),
                "tenantId": simulator.tenant,
                "upn": "user@example.com",
            }
        )
        simulator.store.put(rid, policy)
        return Answer(200, self.present(request, rid, policy))


TYPES = [BlobServices(), Containers(), ImmutabilityPolicies()]
