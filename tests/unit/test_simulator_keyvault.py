# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's key vaults and their secrets, by Azure's own SDKs and by plain requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.keyvault.secrets import SecretClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from simulator_requests import GROUP, GROUP_ID, SUBSCRIPTION, Requests, code, signed_in

from simulator.arm import Request

if TYPE_CHECKING:
    from simulator.arm import Answer

VAULT = f"{GROUP_ID}/providers/Microsoft.KeyVault/vaults/matcha-kv"
PLACE = f"{SUBSCRIPTION}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/matcha-kv"
URL = "https://matcha-kv.vault.azure.net"
OFFICER = "Key Vault Secrets Officer"


def body(tenant: str, **properties: Any) -> dict[str, Any]:
    own = {
        "tenantId": tenant,
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
        **properties,
    }
    return {"location": "westeurope", "properties": own}


class Arm(Requests):
    version = "2023-07-01"

    def vault(self, **properties: Any) -> Answer:
        return self.call("PUT", VAULT, body(self.simulator.tenant, **properties))

    def own(self) -> dict[str, Any]:
        return self.call("GET", VAULT).body["properties"]

    def secret(self, method: str, path: str, body: str = "", resource: str = "https://vault.azure.net") -> Answer:
        """Ask the vault itself, as the owner."""
        token = self.simulator.tokens.issue(self.simulator.owner, resource) if resource else ""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        request = Request(self.simulator, method, path, {"api-version": "7.6"}, headers, body.encode())
        request.host = URL.removeprefix("https://")
        return self.simulator.handle(request)

    def grant(self) -> None:
        self.simulator.access.grant(self.simulator.owner, OFFICER, VAULT)


@pytest.fixture
def arm() -> Arm:
    return Arm()


def inner(answer: Answer) -> str:
    return str(answer.body["error"]["innererror"]["code"])


def test_the_sdks_make_a_vault_and_keep_secrets_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        signed_in(monkeypatch) as (credential, simulator),
        KeyVaultManagementClient(credential, simulator.subscription, polling_interval=0) as sdk,
        SecretClient(URL, credential) as secrets,
    ):
        asked = body(simulator.tenant, enablePurgeProtection=None)
        made = sdk.vaults.begin_create_or_update(GROUP, "matcha-kv", asked).result()
        assert (made.properties.vault_uri, made.properties.provisioning_state) == (f"{URL}/", "Succeeded")
        with pytest.raises(HttpResponseError) as refused:
            secrets.set_secret("tea", "green")
        assert (refused.value.status_code, refused.value.error.code) == (403, "Forbidden")
        assert refused.value.error.innererror["code"] == "ForbiddenByRbac"
        simulator.access.grant(simulator.owner, OFFICER, made.id)
        first = secrets.set_secret("tea", "green", content_type="text/plain", tags={"a": "b"})
        second = secrets.set_secret("tea", "black")
        assert secrets.get_secret("tea").value == "black"
        assert secrets.get_secret("tea", first.properties.version).value == "green"
        assert [one.name for one in secrets.list_properties_of_secrets()] == ["tea"]
        versions = {one.version for one in secrets.list_properties_of_secret_versions("tea")}
        assert versions == {first.properties.version, second.properties.version}
        secrets.update_secret_properties("tea", enabled=False)
        with pytest.raises(HttpResponseError):
            secrets.get_secret("tea")
        secrets.begin_delete_secret("tea", _polling_interval=0.01).wait()
        with pytest.raises(ResourceNotFoundError):
            secrets.get_secret("tea")
        with pytest.raises(HttpResponseError) as conflict:
            secrets.set_secret("tea", "white")
        assert conflict.value.error.innererror["code"] == "ObjectIsDeletedButRecoverable"
        assert [one.name for one in secrets.list_deleted_secrets()] == ["tea"]
        secrets.begin_recover_deleted_secret("tea", _polling_interval=0.01).wait()
        secrets.update_secret_properties("tea", enabled=True)
        assert secrets.get_secret("tea").value == "black"
        sdk.vaults.delete(GROUP, "matcha-kv")
        assert [one.name for one in sdk.vaults.list_deleted()] == ["matcha-kv"]
        sdk.vaults.begin_purge_deleted("matcha-kv", "westeurope").result()
        assert list(sdk.vaults.list_deleted()) == []
        assert sdk.vaults.check_name_availability(
            {"name": "matcha-kv", "type": "Microsoft.KeyVault/vaults"}
        ).name_available


def test_what_a_new_vault_has(arm: Arm) -> None:
    own = arm.vault().body["properties"]
    assert own["provisioningState"] == "RegisteringDns"
    assert (own["enableSoftDelete"], own["softDeleteRetentionInDays"], own["accessPolicies"]) == (True, 90, [])
    assert "enablePurgeProtection" not in own
    arm.simulator.clock.advance(60)
    assert arm.own()["provisioningState"] == "Succeeded"


def test_a_new_api_version_uses_roles_unless_told_otherwise(arm: Arm) -> None:
    asked = body(arm.simulator.tenant, enableRbacAuthorization=None, accessPolicies=[])
    assert arm.call("PUT", VAULT, asked).body["properties"]["enableRbacAuthorization"] is False
    arm.call("DELETE", VAULT)
    arm.call("POST", f"{PLACE}/purge")
    arm.simulator.clock.advance(60)
    found = arm.call("PUT", VAULT, asked, version="2026-02-01").body["properties"]
    assert found["enableRbacAuthorization"] is True


def test_a_deleted_vault_keeps_its_name_until_it_is_recovered(arm: Arm) -> None:
    arm.vault()
    arm.grant()
    assert arm.secret("PUT", "/secrets/tea", '{"value": "green"}').status == 200
    assert arm.call("DELETE", VAULT).status == 200
    assert arm.call("DELETE", VAULT).status == 204
    assert arm.call("GET", VAULT).status == 404
    again = arm.vault()
    assert (again.status, code(again)) == (409, "ConflictError")
    gone = arm.call("GET", PLACE).body["properties"]
    assert gone["vaultId"] == VAULT
    assert gone["deletionDate"] < gone["scheduledPurgeDate"]
    assert arm.vault(createMode="recover").status == 200
    assert arm.call("GET", PLACE).status == 404
    # Grants on the vault itself went with it.
    assert inner(arm.secret("GET", "/secrets/tea/")) == "ForbiddenByRbac"
    arm.grant()
    assert arm.secret("GET", "/secrets/tea/").body["value"] == "green"


def test_there_is_nothing_to_recover(arm: Arm) -> None:
    assert code(arm.vault(createMode="recover")) == "SoftDeletedVaultDoesNotExist"


def test_names_are_the_worlds(arm: Arm) -> None:
    arm.vault()
    group = f"{SUBSCRIPTION}/resourceGroups/other"
    arm.simulator.store.put(group, {"id": group, "name": "other", "location": "westeurope", "properties": {}})
    answer = arm.call("PUT", VAULT.replace(GROUP_ID, group), body(arm.simulator.tenant))
    assert (answer.status, code(answer)) == (409, "VaultAlreadyExists")
    assert code(arm.call("PUT", f"{VAULT}--2", body(arm.simulator.tenant))) == "VaultNameNotValid"
    check = f"{SUBSCRIPTION}/providers/Microsoft.KeyVault/checkNameAvailability"
    assert arm.call("POST", check, {"name": "Matcha-KV"}).body["reason"] == "AlreadyExists"
    assert arm.call("POST", check, {"name": "1"}).body["reason"] == "AccountNameInvalid"


def test_purge_protection_cannot_be_taken_back(arm: Arm) -> None:
    arm.vault(enablePurgeProtection=True)
    assert code(arm.vault(enablePurgeProtection=False)) == "BadRequest"
    assert arm.vault().body["properties"]["enablePurgeProtection"] is True
    assert code(arm.call("PATCH", VAULT, {"properties": {"enablePurgeProtection": False}})) == "BadRequest"
    arm.call("DELETE", VAULT)
    purge = arm.call("POST", f"{PLACE}/purge")
    assert (purge.status, code(purge)) == (405, "MethodNotAllowed")
    assert arm.call("GET", PLACE).body["properties"]["purgeProtectionEnabled"] is True


@pytest.mark.parametrize(
    "change",
    [
        {"enableSoftDelete": False},
        {"softDeleteRetentionInDays": 30},
        {"softDeleteRetentionInDays": 6},
        {"networkAcls": {"defaultAction": "Maybe"}},
    ],
)
def test_what_an_existing_vault_refuses(arm: Arm, change: dict[str, Any]) -> None:
    arm.vault()
    before = arm.own()
    for answer in (arm.call("PATCH", VAULT, {"properties": change}), arm.vault(**change)):
        assert (answer.status, code(answer)) == (400, "BadRequest")
    assert arm.own() == before


def test_a_vault_stays_where_it_is(arm: Arm) -> None:
    arm.vault()
    answer = arm.call("PUT", VAULT, {**body(arm.simulator.tenant), "location": "northeurope"})
    assert (answer.status, code(answer)) == (409, "InvalidResourceLocation")


def test_a_patch_changes_what_it_names(arm: Arm) -> None:
    arm.vault()
    changed = arm.call("PATCH", VAULT, {"tags": {"a": "b"}, "properties": {"enabledForDeployment": True}}).body
    assert (changed["tags"], changed["properties"]["enabledForDeployment"]) == ({"a": "b"}, True)
    assert changed["properties"]["sku"] == {"family": "A", "name": "standard"}


def test_a_token_is_needed_and_the_right_one(arm: Arm) -> None:
    arm.vault()
    arm.grant()
    for resource in ("", "https://management.azure.com", "https://storage.azure.com"):
        answer = arm.secret("GET", "/secrets", resource=resource)
        assert answer.status == 401
        assert arm.simulator.tenant in answer.headers["WWW-Authenticate"]
        assert 'resource="https://vault.azure.net"' in answer.headers["WWW-Authenticate"]
    assert arm.secret("GET", "/secrets").status == 200


def test_a_grant_works_after_a_while(arm: Arm) -> None:
    arm.vault()
    arm.simulator.access.grant(arm.simulator.owner, OFFICER, VAULT).update(arm.simulator.access.effective())
    assert inner(arm.secret("PUT", "/secrets/tea", '{"value": "green"}')) == "ForbiddenByRbac"
    arm.simulator.clock.advance(600)
    assert arm.secret("PUT", "/secrets/tea", '{"value": "green"}').status == 200


def test_a_reader_of_secrets_cannot_write_them(arm: Arm) -> None:
    arm.vault()
    arm.simulator.access.grant(arm.simulator.owner, "Key Vault Secrets User", VAULT)
    assert arm.secret("GET", "/secrets").status == 200
    assert inner(arm.secret("PUT", "/secrets/tea", '{"value": "green"}')) == "ForbiddenByRbac"
    assert inner(arm.secret("DELETE", "/secrets/tea")) == "ForbiddenByRbac"


def test_without_roles_access_policies_count(arm: Arm) -> None:
    arm.vault(enableRbacAuthorization=False, accessPolicies=[])
    arm.grant()
    assert inner(arm.secret("GET", "/secrets")) == "ForbiddenByPolicy"
    mine = {"tenantId": arm.simulator.tenant, "objectId": arm.simulator.owner.object_id}
    policy = {**mine, "permissions": {"secrets": ["List", "set"]}}
    asked = {"properties": {"accessPolicies": [policy]}}
    assert arm.call("PUT", f"{VAULT}/accessPolicies/add", asked).status == 200
    assert arm.secret("GET", "/secrets").status == 200
    assert arm.secret("PUT", "/secrets/tea", '{"value": "green"}').status == 200
    assert inner(arm.secret("GET", "/secrets/tea/")) == "ForbiddenByPolicy"
    arm.call("PUT", f"{VAULT}/accessPolicies/remove", asked)
    assert inner(arm.secret("GET", "/secrets")) == "ForbiddenByPolicy"


def test_networks_are_kept_out(arm: Arm) -> None:
    arm.vault(networkAcls={"defaultAction": "Deny", "ipRules": [{"value": "203.0.113.99"}]})
    arm.grant()
    assert arm.own()["networkAcls"]["ipRules"] == [{"value": "203.0.113.99/32"}]
    assert inner(arm.secret("GET", "/secrets")) == "ForbiddenByFirewall"
    arm.simulator.client_address = "203.0.113.99"
    assert arm.secret("GET", "/secrets").status == 200
    arm.call("PATCH", VAULT, {"properties": {"publicNetworkAccess": "Disabled"}})
    assert inner(arm.secret("GET", "/secrets")) == "ForbiddenByConnection"


def test_a_deletion_takes_a_moment(arm: Arm) -> None:
    arm.vault()
    arm.grant()
    arm.secret("PUT", "/secrets/tea", '{"value": "green"}')
    assert arm.secret("DELETE", "/secrets/tea").body["recoveryId"] == f"{URL}/deletedsecrets/tea"
    assert arm.secret("GET", "/deletedsecrets/tea").status == 404
    assert inner(arm.secret("PUT", "/secrets/tea", '{"value": "white"}')) == "ObjectIsBeingDeleted"
    arm.simulator.clock.advance(10)
    assert arm.secret("GET", "/deletedsecrets/tea").status == 200
    assert inner(arm.secret("PUT", "/secrets/tea", '{"value": "white"}')) == "ObjectIsDeletedButRecoverable"
    assert arm.secret("DELETE", "/deletedsecrets/tea").status == 204
    assert inner(arm.secret("PUT", "/secrets/tea", '{"value": "white"}')) == "ObjectIsBeingDeleted"
    arm.simulator.clock.advance(10)
    assert arm.secret("PUT", "/secrets/tea", '{"value": "white"}').status == 200


def test_what_is_deleted_goes_for_good_in_the_end(arm: Arm) -> None:
    arm.vault(softDeleteRetentionInDays=7)
    arm.grant()
    arm.secret("PUT", "/secrets/tea", '{"value": "green"}')
    arm.secret("DELETE", "/secrets/tea")
    arm.simulator.clock.advance(6 * 86400)
    assert arm.secret("GET", "/deletedsecrets/tea").status == 200
    arm.simulator.clock.advance(2 * 86400)
    assert arm.secret("GET", "/deletedsecrets/tea").status == 404


def test_purge_protection_holds_for_secrets(arm: Arm) -> None:
    arm.vault(enablePurgeProtection=True)
    arm.grant()
    shown = arm.secret("PUT", "/secrets/tea", '{"value": "green"}')
    assert shown.body["attributes"]["recoveryLevel"] == "Recoverable"
    arm.secret("DELETE", "/secrets/tea")
    arm.simulator.clock.advance(10)
    assert arm.secret("DELETE", "/deletedsecrets/tea").status == 403


def test_secrets_come_in_pages(arm: Arm) -> None:
    arm.vault()
    arm.grant()
    for number in range(30):
        arm.secret("PUT", f"/secrets/s{number}", '{"value": "x"}')
    first = arm.secret("GET", "/secrets").body
    assert (len(first["value"]), "nextLink" in first) == (25, True)


@pytest.mark.parametrize("asked", ["{}", '{"value": null}', '{"value": 1}', '{"value": "' + "x" * 25_601 + '"}'])
def test_a_secret_is_a_short_text(arm: Arm, asked: str) -> None:
    arm.vault()
    arm.grant()
    answer = arm.secret("PUT", "/secrets/tea", asked)
    assert (answer.status, code(answer)) == (400, "BadParameter")
    assert arm.secret("GET", "/secrets/tea/").status == 404


@pytest.mark.parametrize(
    "change",
    [
        {"tenantId": None},
        {"sku": None},
        {"sku": {"family": "A", "name": "cheap"}},
        {"softDeleteRetentionInDays": 91},
        {"enableRbacAuthorization": False},
    ],
)
def test_what_a_new_vault_needs(arm: Arm, change: dict[str, Any]) -> None:
    answer = arm.vault(**change)
    assert (answer.status, code(answer)) == (400, "BadRequest")
    assert arm.call("GET", VAULT).status == 404


def test_what_is_no_secret_and_no_vault(arm: Arm) -> None:
    assert arm.secret("GET", "/secrets").status == 404
    arm.vault()
    arm.grant()
    assert code(arm.secret("PUT", "/secrets/a_b", '{"value": "x"}')) == "BadParameter"
    arm.secret("PUT", "/secrets/tea", '{"value": "green"}')
    assert code(arm.secret("GET", "/secrets/tea/0123")) == "SecretNotFound"
    assert code(arm.call("PUT", f"{VAULT}/accessPolicies/destroy", {})) == "BadRequest"
