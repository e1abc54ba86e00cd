# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's storage accounts, as Azure's own SDK sees them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.storage import StorageManagementClient
from simulator_requests import ACCOUNTS, GROUP, SUBSCRIPTION, Storage, code, signed_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.arm import Answer


@pytest.fixture
def arm() -> Storage:
    return Storage()


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageManagementClient]:
    with signed_in(monkeypatch) as (credential, simulator):
        settings = {"polling_interval": 0.02}
        with StorageManagementClient(credential, simulator.subscription, **settings) as sdk:
            yield sdk


def test_the_sdk_makes_changes_and_deletes_an_account(client: StorageManagementClient) -> None:
    asked = {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "tags": {"tea": "matcha"}}
    asked["properties"] = {"minimumTlsVersion": "TLS1_2", "allowSharedKeyAccess": False}
    account = client.storage_accounts.begin_create(GROUP, "teas", asked).result()
    assert (account.provisioning_state, account.minimum_tls_version, account.tags) == (
        "Succeeded",
        "TLS1_2",
        {"tea": "matcha"},
    )
    assert account.allow_shared_key_access is False
    assert account.primary_endpoints.blob == "https://teas.blob.core.windows.net/"
    changed = client.storage_accounts.update(GROUP, "teas", {"properties": {"publicNetworkAccess": "Disabled"}})
    assert (changed.public_network_access, changed.minimum_tls_version) == ("Disabled", "TLS1_2")
    keys = client.storage_accounts.list_keys(GROUP, "teas").keys_property
    assert [len(base64.b64decode(key.value)) for key in keys] == [64, 64]
    client.storage_accounts.delete(GROUP, "teas")
    assert list(client.storage_accounts.list()) == []


def test_an_account_takes_seventeen_seconds(arm: Storage) -> None:
    answer = arm.account()
    assert (answer.status, answer.body, answer.headers["Retry-After"]) == (202, None, "17")
    path = answer.headers["Location"].removeprefix("https://management.azure.com").split("?")[0]
    arm.simulator.clock.advance(15)
    waiting = arm.call("GET", path)
    assert (waiting.status, "Location" in waiting.headers) == (202, True)
    assert arm.call("GET", f"{ACCOUNTS}/teas").body["properties"]["provisioningState"] == "Creating"
    assert code(arm.call("PUT", f"{ACCOUNTS}/teas/blobServices/default/containers/c1", {})) == (
        "StorageAccountIsNotProvisioned"
    )
    assert code(arm.account()) == "StorageAccountOperationInProgress"
    arm.simulator.clock.advance(5)
    done = arm.call("GET", path)
    assert (done.status, done.body["properties"]["provisioningState"]) == (200, "Succeeded")


def test_a_second_put_changes_what_it_names_and_leaves_the_rest(arm: Storage) -> None:
    arm.ready(identity={"type": "SystemAssigned"}, tags={"a": "b"}, properties={"minimumTlsVersion": "TLS1_2"})
    again = arm.account(properties={"accessTier": "Cool"})
    assert again.status == 200
    assert again.body["identity"]["type"] == "SystemAssigned"
    assert again.body["tags"] == {"a": "b"}
    own = again.body["properties"]
    assert (own["accessTier"], own["minimumTlsVersion"]) == ("Cool", "TLS1_2")


def test_network_rules_are_written_as_azure_writes_them(arm: Storage) -> None:
    path = arm.ready()
    rules = {"defaultAction": "deny", "ipRules": [{"value": "203.0.113.7"}]}
    acls = arm.call("PATCH", path, {"properties": {"networkAcls": rules}}).body["properties"]["networkAcls"]
    assert acls["defaultAction"] == "Deny"
    assert acls["ipRules"] == [{"action": "Allow", "value": "203.0.113.7"}]
    assert acls["bypass"] == "AzureServices"


@pytest.mark.parametrize(
    ("name", "body", "wanted"),
    [
        ("Teas", {}, "AccountNameInvalid"),
        ("te", {}, "AccountNameInvalid"),
        ("teas", {"location": None}, "LocationRequired"),
        ("teas", {"sku": {"name": "Wooden_LRS"}}, "InvalidValuesForRequestParameters"),
        ("teas", {"kind": "StorageV3"}, "InvalidValuesForRequestParameters"),
        ("teas", {"kind": "BlockBlobStorage"}, "InvalidValuesForRequestParameters"),
        ("teas", {"properties": {"minimumTlsVersion": "TLS1_9"}}, "InvalidValuesForRequestParameters"),
        ("teas", {"properties": {"keyPolicy": {"keyExpirationPeriodInDays": -1}}}, "InvalidValuesForRequestParameters"),
        (
            "teas",
            {
                "properties": {
                    "immutableStorageWithVersioning": {"enabled": True, "immutabilityPolicy": {"state": "Disabled"}}
                }
            },
            "InvalidStorageAccountImmutabilityPolicy",
        ),
    ],
)
def test_what_a_new_account_may_not_be(arm: Storage, name: str, body: dict[str, Any], wanted: str) -> None:
    answer = arm.account(name, **body)
    assert (answer.status, code(answer)) == (400, wanted)


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"location": "eastus"}, (409, "InvalidResourceLocation")),
        ({"kind": "BlobStorage"}, (400, "InvalidValuesForRequestParameters")),
        ({"properties": {"isHnsEnabled": True}}, (409, "AccountPropertyCannotBeUpdated")),
        ({"sku": {"name": "Premium_LRS"}}, (409, "StorageAccountTypeConversionNotAllowed")),
        ({"sku": {"name": "Standard_ZRS"}}, (409, "StorageAccountTypeConversionNotAllowed")),
    ],
)
def test_what_an_account_cannot_become(arm: Storage, body: dict[str, Any], wanted: tuple[int, str]) -> None:
    path = arm.ready()
    before = arm.call("GET", path).body
    answer = arm.call("PATCH", path, body)
    assert (answer.status, code(answer)) == wanted
    assert arm.call("GET", path).body == before


def test_a_change_of_redundancy_gives_the_account_a_second_region(arm: Storage) -> None:
    path = arm.ready()
    own = arm.call("PATCH", path, {"sku": {"name": "Standard_RAGRS"}}).body["properties"]
    assert own["secondaryLocation"] == "northeurope"
    assert own["secondaryEndpoints"]["blob"] == "https://teas-secondary.blob.core.windows.net/"
    assert "secondaryLocation" not in arm.call("PATCH", path, {"sku": {"name": "Standard_LRS"}}).body["properties"]


def test_a_name_is_taken_all_over_the_world(arm: Storage) -> None:
    arm.ready()
    check = f"{SUBSCRIPTION}/providers/Microsoft.Storage/checkNameAvailability"
    kind = "Microsoft.Storage/storageAccounts"
    assert arm.call("POST", check, {"name": "teas", "type": kind}).body["reason"] == "AlreadyExists"
    assert arm.call("POST", check, {"name": "cups", "type": kind}).body == {"nameAvailable": True}
    assert arm.call("POST", check, {"name": "No", "type": kind}).body["reason"] == "AccountNameInvalid"
    arm.call("PUT", f"{SUBSCRIPTION}/resourceGroups/other", {"location": "westeurope"}, version="2021-04-01")
    body = {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    answer = arm.call("PUT", f"{ACCOUNTS}/teas".replace("/rg/", "/other/"), body)
    assert (answer.status, code(answer)) == (409, "StorageAccountAlreadyTaken")


def test_a_key_can_be_changed(arm: Storage) -> None:
    path = arm.ready()
    before = arm.call("POST", f"{path}/listKeys").body["keys"]
    after = arm.call("POST", f"{path}/regenerateKey", {"keyName": "key2"}).body["keys"]
    assert before[0] == after[0]
    assert before[1]["value"] != after[1]["value"]
    assert arm.call("POST", f"{path}/listKeys").body["keys"] == after
    assert code(arm.call("POST", f"{path}/regenerateKey", {"keyName": "key3"})) == "InvalidValuesForRequestParameters"


def test_an_identity_of_somebody_elses_that_is_not_there_is_refused(arm: Storage) -> None:
    user = f"{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/nobody"
    answer = arm.account(identity={"type": "UserAssigned", "userAssignedIdentities": {user: {}}})
    assert (answer.status, code(answer)) == (400, "FailedIdentityOperation")
    assert arm.call("GET", f"{ACCOUNTS}/teas").status == 404


def test_old_api_versions_show_less(arm: Storage) -> None:
    path = arm.ready()
    new, old = (
        arm.call("GET", path, version=version).body["properties"] for version in (Storage.version, "2019-06-01")
    )
    assert set(new) - set(old) == {"keyCreationTime", "allowCrossTenantReplication"}
    assert set(new["networkAcls"]) - set(old["networkAcls"]) == {"ipv6Rules"}
    keys = arm.call("POST", f"{path}/listKeys", version="2019-06-01").body["keys"]
    assert set(keys[0]) == {"keyName", "value", "permissions"}


def test_an_account_that_is_not_there_is_missed_by_the_sdk(client: StorageManagementClient) -> None:
    with pytest.raises(HttpResponseError) as caught:
        client.storage_accounts.get_properties(GROUP, "nowhere")
    assert caught.value.error.code == "ResourceNotFound"


def test_routing_gives_more_endpoints(arm: Storage) -> None:
    path = arm.ready()
    routing = {"routingChoice": "InternetRouting", "publishInternetEndpoints": True}
    own = arm.call("PATCH", path, {"properties": {"routingPreference": routing}}).body["properties"]
    found = own["primaryEndpoints"]["internetEndpoints"]
    assert found["blob"] == "https://teas-internetrouting.blob.core.windows.net/"
    assert "queue" not in found


def test_an_account_whose_making_fails_is_not_there(arm: Storage) -> None:
    made = arm.account()
    (operation,) = arm.simulator.operations.pending(f"{ACCOUNTS}/teas")
    arm.simulator.operations.cancel(operation)
    path = made.headers["Location"].removeprefix("https://management.azure.com").split("?")[0]
    assert code(arm.call("GET", path)) == "OperationPreempted"
    assert arm.call("GET", f"{ACCOUNTS}/teas").status == 404
    assert arm.account().status == 202


def test_a_failover_makes_the_second_region_the_first(arm: Storage) -> None:
    path = arm.ready(sku={"name": "Standard_RAGRS"})
    assert arm.call("POST", f"{path}/failover").status == 202
    assert arm.call("GET", path).body["properties"]["failoverInProgress"] is True
    arm.call("PATCH", path, {"tags": {"a": "b"}})
    arm.simulator.clock.advance(3700)
    account = arm.call("GET", path).body
    assert (account["sku"]["name"], account["tags"]) == ("Standard_LRS", {"a": "b"})
    own = account["properties"]
    assert own["primaryLocation"] == "northeurope"
    assert not {"secondaryLocation", "failoverInProgress"} & set(own)
    assert code(arm.call("POST", f"{path}/failover")) == "AccountFailoverNotSupported"


def test_an_accounts_default_immutability_policy_is_locked_for_good(arm: Storage) -> None:
    days = "immutabilityPeriodSinceCreationInDays"

    def change(path: str, policy: dict[str, Any]) -> Answer:
        return arm.call(
            "PATCH", path, {"properties": {"immutableStorageWithVersioning": {"immutabilityPolicy": policy}}}
        )

    off = arm.ready("cups", properties={"immutableStorageWithVersioning": {"enabled": False}})
    refused = change(off, {days: 3, "state": "Disabled"})
    assert (code(refused), "WORM is disabled" in refused.body["error"]["message"]) == (
        "InvalidStorageAccountImmutabilityPolicy",
        True,
    )
    policy = {days: 10, "state": "Disabled", "allowProtectedAppendWrites": False}
    path = arm.ready(properties={"immutableStorageWithVersioning": {"enabled": True, "immutabilityPolicy": policy}})
    assert change(path, {"state": "Locked"}).status == 400
    assert change(path, {"state": "Unlocked", days: 5}).status == 200
    assert change(path, {"state": "Locked"}).status == 200
    for less in ({"state": "Unlocked"}, {days: 4}, {"allowProtectedAppendWrites": True}):
        assert change(path, less).status == 400
    assert change(path, {days: 20}).status == 200


def test_keys_have_their_own_ages(arm: Storage) -> None:
    path = arm.ready()
    before = arm.call("GET", path).body["properties"]["keyCreationTime"]
    arm.simulator.clock.advance(60)
    arm.call("POST", f"{path}/regenerateKey", {"keyName": "key1"})
    after = arm.call("GET", path).body["properties"]["keyCreationTime"]
    assert before["key2"] == after["key2"]
    assert before["key1"] < after["key1"]
    arm.call("POST", f"{path}/regenerateKey", {"keyName": "kerb1"})
    assert arm.call("GET", path).body["properties"]["keyCreationTime"] == after
    names = [key["keyName"] for key in arm.call("POST", f"{path}/listKeys", **{"$expand": "kerb"}).body["keys"]]
    assert names == ["key1", "key2", "kerb1", "kerb2"]


def test_an_accounts_identity_goes_with_it(arm: Storage) -> None:
    path = arm.ready(identity={"type": "SystemAssigned"})
    principal = arm.call("GET", path).body["identity"]["principalId"]
    assert arm.simulator.principals.get(principal)
    arm.call("PATCH", path, {"identity": {"type": "None"}})
    assert arm.simulator.principals.get(principal) is None
    again = arm.call("PATCH", path, {"identity": {"type": "SystemAssigned"}}).body["identity"]["principalId"]
    arm.call("DELETE", path)
    assert arm.simulator.principals.get(again) is None


def test_a_hierarchy_and_double_encryption_are_for_good(arm: Storage) -> None:
    assert arm.account(kind="BlobStorage", properties={"isHnsEnabled": True}).status == 400
    path = arm.ready(properties={"encryption": {"requireInfrastructureEncryption": True}})
    single = {"encryption": {"requireInfrastructureEncryption": False}}
    assert code(arm.call("PATCH", path, {"properties": single})) == "AccountPropertyCannotBeUpdated"
