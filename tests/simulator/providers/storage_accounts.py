# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage accounts: made in 17 s (the recordings' median) behind a Location, changed at once, named worldwide once."""

from __future__ import annotations

from typing import Any

from ..arm import GATEWAY, Answer, AzureError, Request, ResourceId, ResourceType
from . import storage_documents as documents
from . import storage_rules as rules
from .documents import azure_time, guid, presumes, properties, secret
from .identities import assigned, forget
from .storage_operations import SECONDS, operation_headers, poll, usages

FAILOVER_SECONDS = 3600
KERBEROS = ("kerb1", "kerb2")


def account_of(request: Request, rid: ResourceId) -> dict[str, Any]:
    """Find the account that a child belongs to, if it may be worked with yet."""
    while (parent := rid.parent()) is not None:
        rid = parent
    account = ACCOUNTS.load(request, rid)
    if account is None:
        raise ACCOUNTS.not_found(rid)
    if account["properties"]["provisioningState"] == "Creating":
        raise AzureError(
            409,
            "StorageAccountIsNotProvisioned",
            "The storage account provisioning state must be 'Succeeded' before executing the operation.",
        )
    return account


def service_error(request: Request, status: int, code: str, text: str) -> AzureError:
    """Make an error of the storage service itself, which names its own request."""
    simulator = request.simulator
    stamp = azure_time(simulator.clock.now())
    return AzureError(status, code, f"{text}\nRequestId:{guid(simulator.rng)}\nTime:{stamp}")


class Accounts(ResourceType):
    type = documents.TYPE

    def load(self, request: Request, rid: ResourceId) -> dict[str, Any] | None:
        account = super().load(request, rid)
        if account is None and presumes(request, rid) and rules.NAME.fullmatch(rid.name):
            # Nothing is known of it, so it permits what can be permitted.
            body = {"location": "westus", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
            body["properties"] = {"allowBlobPublicAccess": True}
            now, rng = request.simulator.clock.now(), request.simulator.rng
            account = documents.created(rid, body, request.api_version, now, [secret(rng, 64), secret(rng, 64)])
            account["properties"]["provisioningState"] = "Succeeded"
            request.simulator.store.put(rid, account)
        return account

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        if current is not None:
            return self._change(request, rid, current, put=True)
        body = request.body if isinstance(request.body, dict) else {}
        rules.check_new(rid.name, body)
        self._check_free(request, rid)
        identity = self._identity(request, rid, body, {})
        simulator = request.simulator
        keys = [secret(simulator.rng, 64) for _ in range(2)]
        account = documents.created(rid, body, request.api_version, simulator.clock.now(), keys)
        if identity:
            account["identity"] = identity
        simulator.store.put(rid, account)

        def fail(status: str, error: dict[str, Any]) -> None:
            del status, error
            simulator.store.delete(rid)

        def finish() -> dict[str, Any]:
            account["properties"]["provisioningState"] = "Succeeded"
            return self.present(request, rid, account)

        kind = f"{self.type} PUT"
        operation = simulator.operations.start(SECONDS, on_done=finish, on_failed=fail, kind=kind, resource=rid)
        return Answer(202, None, self._headers(request, account, operation))

    @staticmethod
    def _headers(request: Request, account: dict[str, Any], operation: Any) -> dict[str, str]:
        place = account["location"].replace(" ", "").lower()
        return operation_headers(request, place, operation)

    @staticmethod
    def _identity(request: Request, rid: ResourceId, body: dict[str, Any], current: dict[str, Any]) -> dict[str, Any]:
        identity = assigned(request, rid, body.get("identity"), current.get("identity"))
        for user in identity.get("userAssignedIdentities", {}).values():
            user["tenantId"] = request.simulator.tenant
        return identity

    @staticmethod
    def _check_free(request: Request, rid: ResourceId) -> None:
        for other in request.simulator.store.all(documents.TYPE):
            if other["name"] == rid.name:
                raise rules.taken(other["name"])

    def update(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        return self._change(request, rid, current, put=False)

    def _change(self, request: Request, rid: ResourceId, current: dict[str, Any], *, put: bool) -> Answer:
        body = request.body if isinstance(request.body, dict) else {}
        if current["properties"]["provisioningState"] == "Creating":
            raise AzureError(
                409,
                "StorageAccountOperationInProgress",
                "An operation is currently performing on this storage account that requires exclusive access.",
            )
        rules.check_change(current, body, put=put)
        account = documents.changed(current, body, request.simulator.clock.now())
        if body.get("identity"):
            account["identity"] = self._identity(request, rid, body, current)
        request.simulator.store.put(rid, account)
        return Answer(200, self.present(request, rid, account))

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        forget(request, current or {})
        if current:
            request.simulator.blobs.account_deleted(current["id"])
        return super().delete(request, rid, current)

    def present(self, request: Request, rid: ResourceId, stored: dict[str, Any]) -> dict[str, Any]:
        del rid
        now = request.simulator.clock.now()
        return documents.shown(stored, request.api_version, now, request.query.get("$expand", ""))

    def action(self, request: Request, rid: ResourceId, current: dict[str, Any], name: str) -> Answer:
        actions = {
            "listkeys": self._list_keys,
            "regeneratekey": self._regenerate_key,
            "failover": self._fail_over,
            "startaccountmigration": self._migrate,
            "hnsonmigration": self._hierarchy,
            "aborthnsonmigration": self._no_hierarchy,
            "revokeuserdelegationkeys": lambda *_: Answer(200),
        }
        if name.lower() not in actions:
            return super().action(request, rid, current, name)
        account_of(request, rid)
        return actions[name.lower()](request, rid, current)

    def _list_keys(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        del rid
        kerberos = "kerb" in request.query.get("$expand", "").lower()
        return self._keys(request, current, kerberos=kerberos)

    @staticmethod
    def _keys(request: Request, current: dict[str, Any], *, kerberos: bool) -> Answer:
        """Azurite's names and values come from here too. Shared keys that are off are still listed."""
        keys = [dict(key) for key in current["_keys"] if kerberos or key["keyName"] not in KERBEROS]
        if request.api_version < documents.SINCE["keyCreationTime"]:
            keys = [{k: v for k, v in key.items() if k != "creationTime"} for key in keys]
        return Answer(200, {"keys": keys})

    def _regenerate_key(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        name = (request.body or {}).get("keyName")
        simulator = request.simulator
        stamp = azure_time(simulator.clock.now())
        keys = current["_keys"]
        if name in KERBEROS and len(keys) == 2:
            keys += [{"keyName": n, "permissions": "FULL"} for n in KERBEROS]
            for key in keys[2:]:
                key |= {"value": secret(simulator.rng, 64), "creationTime": stamp}
        for key in keys:
            if key["keyName"] == name:
                key |= {"value": secret(simulator.rng, 64), "creationTime": stamp}
                break
        else:
            raise rules.invalid("keyName")
        if name not in KERBEROS:
            current["properties"]["keyCreationTime"][name] = stamp
        simulator.store.put(rid, current)
        return self._keys(request, current, kerberos=name in KERBEROS)

    def _fail_over(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        simulator = request.simulator
        own = current["properties"]
        if "secondaryLocation" not in own:
            raise AzureError(400, "AccountFailoverNotSupported", "Failover is not supported for this account.")
        planned = request.query.get("failovertype", "").lower() == "planned"
        own["failoverInProgress"] = True

        def finish() -> None:
            now, account = simulator.clock.now(), simulator.store.get(rid)
            own = account["properties"]
            del own["failoverInProgress"]
            first, own["primaryLocation"] = own["primaryLocation"], own["secondaryLocation"]
            sku = account["sku"]["name"] if planned else "Standard_LRS"
            moved = documents.changed(account, {"sku": {"name": sku}}, now)
            moved["properties"] |= {"secondaryLocation": first} if planned else {}
            moved["properties"]["lastGeoFailoverTime"] = azure_time(now)
            simulator.store.put(rid, moved)

        def fail(status: str, error: dict[str, Any]) -> None:
            del status, error
            del simulator.store.get(rid)["properties"]["failoverInProgress"]

        settings = {"on_done": finish, "on_failed": fail, "resource": rid}
        operation = simulator.operations.start(FAILOVER_SECONDS, kind=f"{self.type} failover", **settings)
        return Answer(202, None, self._headers(request, current, operation))

    def _migrate(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        target = properties(request.body).get("targetSkuName")
        if target not in rules.SKUS:
            raise rules.invalid("targetSkuName")
        migration = rid.child("accountMigrations", "default")
        request.simulator.store.put(
            migration,
            {
                "id": str(migration),
                "name": "default",
                "type": f"{self.type}/accountMigrations",
                "properties": {"targetSkuName": target, "migrationStatus": "SubmittedForConversion"},
            },
        )
        operation = request.simulator.operations.start(
            FAILOVER_SECONDS, kind=f"{self.type} startAccountMigration", resource=rid
        )
        headers = self._headers(request, current, operation)
        return Answer(202, None, {"Azure-AsyncOperation": headers["Location"], **headers})

    def _hierarchy(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        operation = request.simulator.operations.start(60, kind=f"{self.type} hnsonmigration", resource=rid)
        return Answer(202, None, self._headers(request, current, operation))

    def _no_hierarchy(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        del request, rid
        text = f"Hns migration for the account: {current['name']} is not found."
        raise AzureError(400, "HnsMigrationNotFound", text)

    def provider_route(self, request: Request, rest: list[str]) -> Answer | None:
        if [part.lower() for part in rest] != ["checknameavailability"] or request.method != "POST":
            return None
        name = str((request.body or {}).get("name", ""))
        if not rules.NAME.fullmatch(name):
            why = {"reason": "AccountNameInvalid", "message": rules.bad_name(name)}
            return Answer(200, {"nameAvailable": False, **why})
        if any(other["name"] == name for other in request.simulator.store.all(self.type)):
            why = {"reason": "AlreadyExists", "message": f"The storage account named {name} is already taken."}
            return Answer(200, {"nameAvailable": False, **why})
        return Answer(200, {"nameAvailable": True})

    def _last_made(self, request: Request, location: str) -> dict[str, Any] | None:
        made = [one for one in request.simulator.store.all(self.type) if one["location"] == location]
        return self.present(request, ResourceId(made[-1]["id"]), made[-1]) if made else None

    def location_route(self, request: Request, location: str, rest: list[str]) -> Answer | None:
        if rest[0].lower() == "asyncoperations" and len(rest) == 2:
            return poll(request, location, rest[1], lambda: self._last_made(request, location))
        if [part.lower() for part in rest] == ["usages"]:
            return usages(request, location)
        return None


ACCOUNTS = Accounts()


class AccountPart(ResourceType):
    """What lies below an account. A missing account is missed in the service's own words."""

    def parent_not_found(self, request: Request, rid: ResourceId, parent: ResourceId) -> AzureError:
        del parent
        account = rid
        while (above := account.parent()) is not None:
            account = above
        service = self.type.split("/")[2]
        if request.method in ("GET", "HEAD"):
            return ACCOUNTS.not_found(account)
        text = f"Can not perform requested operation on nested resource. Parent resource '{account.name}' not found."
        if service == "blobServices":
            verb = "delete" if request.method == "DELETE" else "write"
            text = (
                f"Failed to perform '{verb}' on resource(s) of type 'storageAccounts/{service}', because the parent "
                f"resource '{account}' could not be found."
            )
        return AzureError(404, "ParentResourceNotFound", text, headers=GATEWAY)
