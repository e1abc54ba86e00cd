# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What else lies below a storage account: policies, encryption scopes, local users, private endpoint connections."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from ..arm import Answer, AzureError, Request, ResourceId
from . import storage_rules as rules
from .documents import azure_time, guid, merged, properties, secret, without_nulls
from .storage_accounts import AccountPart, account_of
from .storage_documents import TYPE


class _Policy(AccountPart):
    """One policy per account. Its path says "default", its name is another."""

    name = ""
    dated = True

    def missing_policy(self, account: str) -> AzureError:
        raise NotImplementedError

    def load(self, request: Request, rid: ResourceId) -> dict[str, Any] | None:
        stored = super().load(request, rid)
        if stored is None and request.method == "GET":
            raise self.missing_policy(rid.parent().name)
        return stored

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        del current
        account_of(request, rid)
        policy = deepcopy(properties(request.body).get("policy"))
        if not policy or not policy.get("rules"):
            raise rules.invalid("policy.rules")
        for rule in policy["rules"]:
            rule.setdefault("enabled", True)
        own: dict[str, Any] = {"policy": policy}
        own["lastModifiedTime"] = azure_time(request.simulator.clock.now())
        document = {"id": str(rid), "name": self.name, "type": self.type, "properties": own}
        request.simulator.store.put(rid, document)
        return Answer(200, self.present(request, rid, document))


class ManagementPolicies(_Policy):
    type = f"{TYPE}/managementPolicies"
    name = "DefaultManagementPolicy"

    def missing_policy(self, account: str) -> AzureError:
        text = f"No ManagementPolicy found for account {account}"
        return AzureError(404, "ManagementPolicyNotFound", text)


class InventoryPolicies(_Policy):
    type = f"{TYPE}/inventoryPolicies"
    name = "DefaultInventoryPolicy"

    def missing_policy(self, account: str) -> AzureError:
        del account
        text = "Blob inventory policy does not exist for the storage account."
        return AzureError(404, "BlobInventoryPolicyNotFound", text)


class ObjectReplicationPolicies(AccountPart):
    """Made at the destination as "default", which gives it an id; put at the source under that id."""

    type = f"{TYPE}/objectReplicationPolicies"

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        del current
        rng, now = request.simulator.rng, request.simulator.clock.now()
        own = deepcopy(without_nulls(properties(request.body)))
        here = rid.parent()
        at_source = str(own.get("sourceAccount", "")).lower() in (here.name.lower(), here.key)
        if rid.name.lower() == "default" and at_source:
            text = "The value 'default' is not allowed for property policyId."
            raise AzureError(400, "InvalidRequestPropertyValue", text)
        if rid.name.lower() == "default":
            rid = here.child(rid.types[-1], guid(rng))
        for rule in own.get("rules") or []:
            rule.setdefault("ruleId", guid(rng))
        own["policyId"] = rid.name
        if at_source:
            own["enabledTime"] = azure_time(now)
        document = {"id": str(rid), "name": rid.name, "type": self.type, "properties": own}
        request.simulator.store.put(rid, document)
        return Answer(200, self.present(request, rid, document))


class EncryptionScopes(AccountPart):
    type = f"{TYPE}/encryptionScopes"

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        account_of(request, rid)
        created = current is None
        now = azure_time(request.simulator.clock.now())
        if current is None:
            own = {"source": "Microsoft.Storage", "keyVaultProperties": {}, "creationTime": now, "state": "Enabled"}
            current = {"id": str(rid), "type": self.type, "name": rid.name, "properties": own}
        own = merged(current["properties"], properties(request.body))
        vault = own["keyVaultProperties"]
        if vault.get("keyUri"):
            vault |= {"currentVersionedKeyIdentifier": vault["keyUri"], "lastKeyRotationTimestamp": now}
        current["properties"] = {**own, "lastModifiedTime": now}
        request.simulator.store.put(rid, current)
        return Answer(201 if created else 200, self.present(request, rid, current))

    def update(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        return self.create_or_update(request, rid, current)

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        raise self.no_such_method(request, rid, current)


class LocalUsers(AccountPart):
    type = f"{TYPE}/localUsers"

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        account_of(request, rid)
        if current is None:
            number = 1000 + len(request.simulator.store.children(rid.parent(), self.type))
            own = {
                "userId": number,
                "sid": f"S-1-2-0-{request.simulator.rng.getrandbits(31)}-{number}",
                "hasSharedKey": False,
                "hasSshKey": False,
                "hasSshPassword": False,
            }
            identifier = f"{rid.parent()}/localusers/{rid.name}"
            current = {"id": identifier, "name": rid.name, "type": self.type, "properties": own}
        current["properties"] |= without_nulls(properties(request.body))
        request.simulator.store.put(rid, current)
        return Answer(200, self.present(request, rid, current))

    def action(self, request: Request, rid: ResourceId, current: dict[str, Any], name: str) -> Answer:
        own = current["properties"]
        if name.lower() == "listkeys":
            keys = {"sshAuthorizedKeys": own["sshAuthorizedKeys"]} if own["hasSshKey"] else {}
            return Answer(200, keys)
        if name.lower() == "regeneratepassword":
            own["hasSshPassword"] = True
            return Answer(200, {"sshPassword": secret(request.simulator.rng, 24)})
        return super().action(request, rid, current, name)


class AccountMigrations(AccountPart):
    """Read only: startAccountMigration makes it."""

    type = f"{TYPE}/accountMigrations"


class PrivateEndpointConnections(AccountPart):
    type = f"{TYPE}/privateEndpointConnections"

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        own = properties(request.body)
        state = own.get("privateLinkServiceConnectionState") or {}
        if current is None or state.get("status") not in ("Approved", "Rejected"):
            raise rules.invalid("privateLinkServiceConnectionState.status")
        current["properties"] = merged(current["properties"], own)
        request.simulator.store.put(rid, current)
        return Answer(200, self.present(request, rid, current))


class PrivateLinkResources(AccountPart):
    """One for each service of the account; there is no reading a single one."""

    type = f"{TYPE}/privateLinkResources"

    def collection(self, request: Request, rid_parent: ResourceId, items: list[dict[str, Any]]) -> Answer:
        del items
        groups = list(account_of(request, rid_parent)["properties"]["primaryEndpoints"])
        value = [
            {
                "id": str(rid_parent.child("privateLinkResources", group)),
                "name": group,
                "type": self.type,
                "properties": {
                    "groupId": group,
                    "requiredMembers": [group],
                    "requiredZoneNames": [f"privatelink.{group}.core.windows.net"],
                },
            }
            for group in groups
        ]
        return Answer(200, {"value": value})


TYPES = [
    ManagementPolicies(),
    InventoryPolicies(),
    ObjectReplicationPolicies(),
    EncryptionScopes(),
    LocalUsers(),
    AccountMigrations(),
    PrivateEndpointConnections(),
    PrivateLinkResources(),
]
