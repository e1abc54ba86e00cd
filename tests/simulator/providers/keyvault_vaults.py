# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft.KeyVault: vaults, deleted vaults and how they come back or go for good.

Second-hand throughout: no recording has a vault. From the type definitions of API 2026-02-01, public documentation and
bug reports: a new vault is `RegisteringDns` for a while; a deleted one keeps its name until it is purged or recovered;
purge protection cannot be taken back. The secrets are in keyvault_secrets.py.
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from ..arm import IN_PROGRESS, Answer, AzureError, ResourceId, ResourceType
from .documents import azure_time, merged, system_data, without_nulls
from .documents import properties as asked_of
from .places import plain, same_place

if TYPE_CHECKING:
    from ..arm import Request

VAULTS = "Microsoft.KeyVault/vaults"
DELETED = "Microsoft.KeyVault/locations/deletedVaults"
NAME = re.compile(r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,22}[a-zA-Z0-9]")
DNS_SECONDS = 20
PURGE_SECONDS = 15
DAY = 86400
# Vaults made with this API version or a newer one use roles unless they are told not to.
RBAC_BY_DEFAULT = "2026-02-01"
_SWITCHES = ("enabledForDeployment", "enabledForDiskEncryption", "enabledForTemplateDeployment")
_SECOND_LINK = "https://go.microsoft.com/fwlink/?linkid=2149745"


def bad(message: str) -> AzureError:
    return AzureError(400, "BadRequest", message)


def taken(store: Any, name: str) -> dict[str, Any] | None:
    """Find the vault of that name, anywhere: names are the world's."""
    return next((v for v in store.all(VAULTS) if v["name"].lower() == name.lower()), None)


def deleted(store: Any, name: str) -> dict[str, Any] | None:
    return next((v for v in store.all(DELETED) if v["name"].lower() == name.lower()), None)


def check(properties: dict[str, Any], current: dict[str, Any] | None) -> None:
    """Refuse what a vault's properties must not say. `current` are those of an existing vault."""
    if properties.get("enablePurgeProtection") is False:
        text = (
            'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault '
            "is an irreversible action."
        )
        raise bad(text)
    if properties.get("enableSoftDelete") is False and current:
        text = (
            'The property "enableSoftDelete" can be set to false only for creating new vault. Enabling the \'soft '
            "delete' functionality is an irreversible action."
        )
        raise bad(text)
    days = properties.get("softDeleteRetentionInDays")
    if days is not None and not (isinstance(days, int) and 7 <= days <= 90):
        raise bad('The property "softDeleteRetentionInDays" must be between 7 and 90.')
    if current and days not in {None, current["softDeleteRetentionInDays"]}:
        raise bad('The property "softDeleteRetentionInDays" has been set already and it can\'t be modified.')
    acls = properties.get("networkAcls") or {}
    for key, allowed in (("defaultAction", ("Allow", "Deny")), ("bypass", ("AzureServices", "None"))):
        if acls.get(key) not in {None, *allowed}:
            raise bad(f'Invalid value found at properties.networkAcls.{key}: "{acls[key]}".')


class Vaults(ResourceType):
    type = VAULTS

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        body = request.body if isinstance(request.body, dict) else {}
        asked = asked_of(body)
        store = request.simulator.store
        if current is not None:
            return self._replace(request, rid, current, body)
        name = rid.name
        if not NAME.fullmatch(name):
            text = (
                f"The vault name '{name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. "
                "The name must begin with a letter, end with a letter or digit, and not contain consecutive hyphens."
            )
            raise AzureError(400, "VaultNameNotValid", text)
        if taken(store, name):
            text = (
                f"The vault name '{name}' is already in use. Vault names are globaly unique so it is possible that "
                "the name is already taken."
            )
            raise AzureError(409, "VaultAlreadyExists", text)
        gone = deleted(store, name)
        if asked.get("createMode") == "recover":
            return self._recover(request, rid, gone)
        if gone:
            text = (
                "A vault with the same name already exists in deleted state. You need to either recover or purge "
                f"existing key vault. Follow this link {_SECOND_LINK} for more information on soft delete."
            )
            raise AzureError(409, "ConflictError", text)
        document = self._new(request, rid, body)
        store.put(rid, document)
        self._register(request, rid)
        return Answer(200, self.present(request, rid, store.get(rid)))

    def _new(self, request: Request, rid: ResourceId, body: dict[str, Any]) -> dict[str, Any]:
        asked = asked_of(body)
        for key in ("tenantId", "sku"):
            if not asked.get(key):
                raise bad(f'The parameter "{key}" is not specified.')
        if (asked["sku"].get("name") or "").lower() not in {"standard", "premium"}:
            raise bad('An invalid value was provided for "sku.name".')
        check(asked, None)
        name = rid.name
        rbac = (request.api_version or "") >= RBAC_BY_DEFAULT
        base = {
            "accessPolicies": [],
            **dict.fromkeys(_SWITCHES, False),
            "enableSoftDelete": True,
            "softDeleteRetentionInDays": 90,
            "enableRbacAuthorization": rbac,
            "publicNetworkAccess": "Enabled",
        }
        properties = {**base, **without_nulls(asked), "enableSoftDelete": True}
        properties.pop("createMode", None)
        if not properties["enableRbacAuthorization"] and "accessPolicies" not in asked:
            raise bad('The parameter "accessPolicies" is not specified.')
        return {
            "id": str(rid),
            "name": name,
            "type": VAULTS,
            "location": plain(body.get("location")),
            "tags": copy.deepcopy(body.get("tags") or {}),
            "systemData": system_data(request),
            "properties": {
                **settled(properties),
                "vaultUri": f"https://{name.lower()}.vault.azure.net/",
                "provisioningState": "RegisteringDns",
            },
            "_secrets": {},
        }

    def _register(self, request: Request, rid: ResourceId) -> None:
        store = request.simulator.store

        def done() -> None:
            document = store.get(rid)
            if document:
                document["properties"]["provisioningState"] = "Succeeded"
                store.put(rid, document)

        # A vault has no state for a failure: DNS is tried until it works.
        request.simulator.operations.start(
            DNS_SECONDS, on_done=done, on_failed=lambda *_: done(), kind="RegisterVaultDns"
        )

    def _replace(self, request: Request, rid: ResourceId, current: dict[str, Any], body: dict[str, Any]) -> Answer:
        """Make what a PUT doesn't name as it is for a new vault, except what cannot be taken back."""
        asked, before = asked_of(body), current["properties"]
        same_place(rid, current["location"], body.get("location"))
        check(asked, before)
        kept = {**asked, "softDeleteRetentionInDays": before["softDeleteRetentionInDays"]}
        fresh = self._new(request, rid, {**body, "properties": kept})
        fresh["properties"]["provisioningState"] = "Succeeded"
        for key in ("enablePurgeProtection", "enableRbacAuthorization"):
            if key not in asked and key in before:
                fresh["properties"][key] = before[key]
        fresh.update({"_secrets": current["_secrets"], "systemData": system_data(request, current["systemData"])})
        request.simulator.store.put(rid, fresh)
        return Answer(200, self.present(request, rid, fresh))

    def _recover(self, request: Request, rid: ResourceId, gone: dict[str, Any] | None) -> Answer:
        if gone is None or gone["properties"]["vaultId"].lower() != str(rid).lower():
            text = (
                "A soft deleted vault with the given name does not exist. Ensure that the name for the vault that is "
                "being attempted to recover is in a recoverable state."
            )
            raise AzureError(400, "SoftDeletedVaultDoesNotExist", text)
        store = request.simulator.store
        document = gone["_vault"]
        document["properties"]["provisioningState"] = "RegisteringDns"
        store.delete(gone["id"])
        store.put(rid, document)
        self._register(request, rid)
        return Answer(200, self.present(request, rid, store.get(rid)))

    def update(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        body = request.body if isinstance(request.body, dict) else {}
        asked = {k: v for k, v in (body.get("properties") or {}).items() if k not in {"createMode", "enableSoftDelete"}}
        check(body.get("properties") or {}, current["properties"])
        document = copy.deepcopy(current)
        document["properties"] = settled(merged(current["properties"], asked))
        if body.get("tags") is not None:
            document["tags"] = copy.deepcopy(body["tags"])
        document["systemData"] = system_data(request, current["systemData"])
        request.simulator.store.put(rid, document)
        return Answer(200, self.present(request, rid, document))

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        if current is None:
            return Answer(204)
        self.removed(request.simulator, rid, current)
        request.simulator.store.delete(rid)
        return Answer(200)

    def removed(self, simulator: Any, rid: ResourceId, current: dict[str, Any]) -> None:
        """Keep a vault that goes, by itself or with its group, recoverable."""
        now = simulator.clock.now()
        location, properties = current["location"], current["properties"]
        place = f"/subscriptions/{rid.subscription}/providers/Microsoft.KeyVault/locations/{location}"
        document = {
            "id": f"{place}/deletedVaults/{current['name']}",
            "name": current["name"],
            "type": "Microsoft.KeyVault/deletedVaults",
            "properties": {
                "vaultId": str(rid),
                "location": location,
                "tags": current["tags"],
                "deletionDate": azure_time(now)[:19] + "Z",
                "scheduledPurgeDate": azure_time(now + DAY * properties["softDeleteRetentionInDays"])[:19] + "Z",
            },
            "_vault": copy.deepcopy(current),
            "_subscription": rid.subscription,
        }
        if properties.get("enablePurgeProtection"):
            document["properties"]["purgeProtectionEnabled"] = True
        simulator.store.put(document["id"], document)

    def provider_route(self, request: Request, rest: list[str]) -> Answer | None:
        what = rest[0].lower()
        if what == "checknameavailability" and request.method == "POST":
            return check_name(request)
        if what == "deletedvaults" and request.method == "GET":
            return Answer(200, {"value": [public(v) for v in self._gone(request)]})
        return None

    def _gone(self, request: Request) -> list[dict[str, Any]]:
        subscription = request.path.split("/")[2].lower()
        return [v for v in request.simulator.store.all(DELETED) if v["_subscription"].lower() == subscription]

    def location_route(self, request: Request, location: str, rest: list[str]) -> Answer | None:
        what, *more = rest
        if what.lower() == "operationresults" and more:
            operation = request.simulator.operations.find(more[0])
            return Answer(202 if operation and operation.status == IN_PROGRESS else 200, None, {})
        if what.lower() != "deletedvaults" or not more:
            return None
        found = next((v for v in self._gone(request) if v["name"].lower() == more[0].lower()), None)
        if found is None or found["properties"]["location"] != plain(location):
            raise AzureError(404, "DeletedVaultNotFound", f"The specified deleted vault '{more[0]}' does not exist.")
        if request.method == "GET" and len(more) == 1:
            return Answer(200, public(found))
        if request.method == "POST" and more[1:] and more[1].lower() == "purge":
            return self._purge(request, found)
        return None

    def _purge(self, request: Request, found: dict[str, Any]) -> Answer:
        if found["properties"].get("purgeProtectionEnabled"):
            raise AzureError(405, "MethodNotAllowed", "Operation 'DeletedVaultPurge' is not allowed.")
        simulator = request.simulator
        done = simulator.operations.start(
            PURGE_SECONDS, on_done=lambda: simulator.store.delete(found["id"]), kind="PurgeVault"
        )
        place = found["id"].rsplit("/deletedVaults/", 1)[0]
        url = f"https://management.azure.com{place}/operationResults/{done.id}?api-version={request.api_version}"
        return Answer(202, None, {"Location": url, "Retry-After": "5"})


def settled(properties: dict[str, Any]) -> dict[str, Any]:
    """Rules come back as networks, and lists that were left out as empty ones."""
    result = copy.deepcopy(properties)
    if result.get("networkAcls"):
        acls = {"bypass": "AzureServices", "defaultAction": "Allow", **result["networkAcls"]}
        rules = [rule["value"] for rule in acls.get("ipRules") or []]
        acls["ipRules"] = [{"value": rule if "/" in rule else f"{rule}/32"} for rule in rules]
        acls["virtualNetworkRules"] = acls.get("virtualNetworkRules") or []
        result["networkAcls"] = acls
    if result.get("sku"):
        result["sku"] = {"family": "A", "name": result["sku"]["name"].lower()}
    return result


def public(document: dict[str, Any]) -> dict[str, Any]:
    return {k: copy.deepcopy(v) for k, v in document.items() if not k.startswith("_")}


def check_name(request: Request) -> Answer:
    name, store = str((request.body or {}).get("name", "")), request.simulator.store
    if not NAME.fullmatch(name):
        text = (
            "A vault's name must be between 3-24 alphanumeric characters. The name must begin with a letter, end "
            "with a letter or digit, and not contain consecutive hyphens."
        )
        return Answer(200, {"nameAvailable": False, "reason": "AccountNameInvalid", "message": text})
    if taken(store, name) or deleted(store, name):
        text = (
            f"The vault name '{name}' is already in use. Vault names are globaly unique so it is possible that the "
            "name is already taken."
        )
        return Answer(200, {"nameAvailable": False, "reason": "AlreadyExists", "message": text})
    return Answer(200, {"nameAvailable": True})


class AccessPolicies(ResourceType):
    """vaults/NAME/accessPolicies/add, replace or remove: for vaults that don't use roles."""

    type = f"{VAULTS}/accessPolicies"

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        del current
        how, vault_id = rid.name.lower(), rid.parent()
        if how not in {"add", "replace", "remove"}:
            raise bad(f"The access policy operation '{rid.name}' is not valid.")
        vault = request.simulator.store.get(vault_id)
        asked = ((request.body or {}).get("properties") or {}).get("accessPolicies") or []
        whose = {policy["objectId"] for policy in asked}
        kept = (
            [] if how == "replace" else [p for p in vault["properties"]["accessPolicies"] if p["objectId"] not in whose]
        )
        vault["properties"]["accessPolicies"] = kept + ([] if how == "remove" else copy.deepcopy(asked))
        request.simulator.store.put(vault_id, vault)
        body = {"id": f"{vault['id']}/accessPolicies/", "type": self.type, "location": vault["location"]}
        return Answer(200, {**body, "properties": {"accessPolicies": vault["properties"]["accessPolicies"]}})


TYPES = [Vaults(), AccessPolicies()]
