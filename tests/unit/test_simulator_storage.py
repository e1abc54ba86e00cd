# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's storage accounts, as Azure's own SDK sees them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.storage import StorageManagementClient
from simulator_requests import GROUP, GROUP_ID, SUBSCRIPTION, Requests, code, signed_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.arm import Answer

ACCOUNTS = f"{GROUP_ID}/providers/Microsoft.Storage/storageAccounts"


class Arm(Requests):
    version = "2023-01-01"

    def account(self, name: str = "teas", **body: Any) -> Answer:
        asked = {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, **body}
        return self.call("PUT", f"{ACCOUNTS}/{name}", asked)

    def ready(self, name: str = "teas", **body: Any) -> str:
        assert self.account(name, **body).status == 202
        self.simulator.clock.advance(18)
        return f"{ACCOUNTS}/{name}"


@pytest.fixture
def arm() -> Arm:
    return Arm()


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


def test_the_sdk_makes_containers_and_service_settings(client: StorageManagementClient) -> None:
    asked = {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {}}
    client.storage_accounts.begin_create(GROUP, "teas", asked).result()
    service = {"isVersioningEnabled": True, "containerDeleteRetentionPolicy": {"enabled": True, "days": 7}}
    client.blob_services.set_service_properties(GROUP, "teas", {"properties": service})
    found = client.blob_services.get_service_properties(GROUP, "teas")
    assert found.is_versioning_enabled is True
    assert found.container_delete_retention_policy.days == 7
    client.blob_containers.create(GROUP, "teas", "leaves", {})
    assert client.blob_containers.get(GROUP, "teas", "leaves").public_access == "None"
    client.blob_containers.delete(GROUP, "teas", "leaves")
    assert list(client.blob_containers.list(GROUP, "teas")) == []
    deleted = list(client.blob_containers.list(GROUP, "teas", include="deleted"))
    assert [(one.name, one.deleted, one.remaining_retention_days) for one in deleted] == [("leaves", True, 7)]


def test_an_account_takes_seventeen_seconds(arm: Arm) -> None:
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


def test_a_second_put_changes_what_it_names_and_leaves_the_rest(arm: Arm) -> None:
    arm.ready(identity={"type": "SystemAssigned"}, tags={"a": "b"}, properties={"minimumTlsVersion": "TLS1_2"})
    again = arm.account(properties={"accessTier": "Cool"})
    assert again.status == 200
    assert again.body["identity"]["type"] == "SystemAssigned"
    assert again.body["tags"] == {"a": "b"}
    own = again.body["properties"]
    assert (own["accessTier"], own["minimumTlsVersion"]) == ("Cool", "TLS1_2")


def test_network_rules_are_written_as_azure_writes_them(arm: Arm) -> None:
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
def test_what_a_new_account_may_not_be(arm: Arm, name: str, body: dict[str, Any], wanted: str) -> None:
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
def test_what_an_account_cannot_become(arm: Arm, body: dict[str, Any], wanted: tuple[int, str]) -> None:
    path = arm.ready()
    before = arm.call("GET", path).body
    answer = arm.call("PATCH", path, body)
    assert (answer.status, code(answer)) == wanted
    assert arm.call("GET", path).body == before


def test_a_change_of_redundancy_gives_the_account_a_second_region(arm: Arm) -> None:
    path = arm.ready()
    own = arm.call("PATCH", path, {"sku": {"name": "Standard_RAGRS"}}).body["properties"]
    assert own["secondaryLocation"] == "northeurope"
    assert own["secondaryEndpoints"]["blob"] == "https://teas-secondary.blob.core.windows.net/"
    assert "secondaryLocation" not in arm.call("PATCH", path, {"sku": {"name": "Standard_LRS"}}).body["properties"]


def test_a_name_is_taken_all_over_the_world(arm: Arm) -> None:
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


def test_a_key_can_be_changed(arm: Arm) -> None:
    path = arm.ready()
    before = arm.call("POST", f"{path}/listKeys").body["keys"]
    after = arm.call("POST", f"{path}/regenerateKey", {"keyName": "key2"}).body["keys"]
    assert before[0] == after[0]
    assert before[1]["value"] != after[1]["value"]
    assert arm.call("POST", f"{path}/listKeys").body["keys"] == after
    assert code(arm.call("POST", f"{path}/regenerateKey", {"keyName": "key3"})) == "InvalidValuesForRequestParameters"


def test_a_public_container_needs_the_accounts_leave(arm: Arm) -> None:
    path = arm.ready()
    container = f"{path}/blobServices/default/containers/leaves"
    public = {"properties": {"publicAccess": "blob"}}
    refused = arm.call("PUT", container, public)
    assert (refused.status, code(refused)) == (409, "PublicAccessNotPermitted")
    arm.call("PATCH", path, {"properties": {"allowBlobPublicAccess": True}})
    made = arm.call("PUT", container, public)
    assert (made.status, made.body["properties"]["publicAccess"]) == (201, "Blob")
    assert arm.call("PUT", container, {}).status == 200
    changed = arm.call("PATCH", container, {"properties": {"publicAccess": "None", "metadata": {"a": "b"}}})
    assert changed.body["properties"]["publicAccess"] == "None"
    assert arm.call("GET", container).body["properties"]["metadata"] == {"a": "b"}


def test_a_containers_absence_is_the_services_own_error(arm: Arm) -> None:
    path = arm.ready()
    missing = arm.call("GET", f"{path}/blobServices/default/containers/leaves")
    assert (missing.status, code(missing)) == (404, "ContainerNotFound")
    gone = arm.call("GET", f"{ACCOUNTS}/nowhere/blobServices/default/containers/leaves")
    assert (gone.status, code(gone)) == (404, "ResourceNotFound")
    deleted = arm.call("DELETE", f"{ACCOUNTS}/nowhere/blobServices/default/containers/leaves")
    assert (deleted.status, code(deleted)) == (404, "ParentResourceNotFound")


def test_an_immutability_policy_is_locked_for_good(arm: Arm) -> None:
    container = f"{arm.ready()}/blobServices/default/containers/leaves"
    arm.call("PUT", container, {})
    policy = f"{container}/immutabilityPolicies/default"
    assert arm.call("GET", policy).body["properties"]["state"] == "Deleted"
    arm.call("PUT", policy, {"properties": {"immutabilityPeriodSinceCreationInDays": 3}})
    assert arm.call("GET", container).body["properties"]["hasImmutabilityPolicy"] is True
    assert arm.call("POST", f"{policy}/lock").body["properties"]["state"] == "Locked"
    assert code(arm.call("DELETE", policy)) == "ContainerImmutabilityPolicyFailure"
    less = {"properties": {"immutabilityPeriodSinceCreationInDays": 2}}
    assert code(arm.call("POST", f"{policy}/extend", less)) == "ContainerImmutabilityPolicyFailure"


def test_a_deleted_share_can_be_restored_for_some_days(arm: Arm) -> None:
    service = f"{arm.ready()}/fileServices/default"
    share = f"{service}/shares/cups"
    assert arm.call("PUT", share, {}).status == 201
    arm.call("DELETE", share)
    assert code(arm.call("GET", share)) == "ShareNotFound"
    arm.simulator.clock.advance(2 * 86400)
    found = arm.call("GET", f"{service}/shares", **{"$expand": "deleted"}).body["value"][0]
    assert found["properties"]["remainingRetentionDays"] == 5
    body = {"deletedShareName": "cups", "deletedShareVersion": "0"}
    assert code(arm.call("POST", f"{share}/restore", body)) == "ShareNotFound"
    body["deletedShareVersion"] = found["properties"]["version"]
    assert arm.call("POST", f"{share}/restore", body).status == 200
    assert arm.call("GET", share).status == 200
    arm.call("DELETE", share)
    arm.simulator.clock.advance(8 * 86400)
    assert arm.call("GET", f"{service}/shares", **{"$expand": "deleted"}).body == {"value": []}


def test_services_come_with_the_account(arm: Arm) -> None:
    path = arm.ready()
    for service in ("blobServices", "fileServices", "queueServices", "tableServices"):
        assert arm.call("GET", f"{path}/{service}/default").body["name"] == "default"
        assert len(arm.call("GET", f"{path}/{service}").body["value"]) == 1
    wrong = {"properties": {"deleteRetentionPolicy": {"enabled": True, "days": 400}}}
    assert code(arm.call("PUT", f"{path}/blobServices/default", wrong)) == "InvalidValuesForRequestParameters"
    arm.call("PUT", f"{path}/blobServices/default", {"properties": {"changeFeed": {"enabled": True}}})
    arm.call("PUT", f"{path}/blobServices/default", {"properties": {"isVersioningEnabled": True}})
    own = arm.call("GET", f"{path}/blobServices/default").body["properties"]
    assert (own["changeFeed"], own["isVersioningEnabled"]) == ({"enabled": True}, True)


def test_policies_are_missed_in_their_own_words(arm: Arm) -> None:
    path = arm.ready()
    assert code(arm.call("GET", f"{path}/managementPolicies/default")) == "ManagementPolicyNotFound"
    assert code(arm.call("GET", f"{path}/inventoryPolicies/default")) == "BlobInventoryPolicyNotFound"
    rules = {"policy": {"rules": [{"name": "old", "type": "Lifecycle", "definition": {}}]}}
    made = arm.call("PUT", f"{path}/managementPolicies/default", {"properties": rules}).body
    assert (made["name"], made["properties"]["policy"]["rules"][0]["enabled"]) == ("DefaultManagementPolicy", True)


def test_an_identity_of_somebody_elses_that_is_not_there_is_refused(arm: Arm) -> None:
    user = f"{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/nobody"
    answer = arm.account(identity={"type": "UserAssigned", "userAssignedIdentities": {user: {}}})
    assert (answer.status, code(answer)) == (400, "FailedIdentityOperation")
    assert arm.call("GET", f"{ACCOUNTS}/teas").status == 404


def test_old_api_versions_show_less(arm: Arm) -> None:
    path = arm.ready()
    new, old = (arm.call("GET", path, version=version).body["properties"] for version in (Arm.version, "2019-06-01"))
    assert set(new) - set(old) == {"keyCreationTime", "allowCrossTenantReplication"}
    assert set(new["networkAcls"]) - set(old["networkAcls"]) == {"ipv6Rules"}
    keys = arm.call("POST", f"{path}/listKeys", version="2019-06-01").body["keys"]
    assert set(keys[0]) == {"keyName", "value", "permissions"}


def test_only_a_replay_presumes_an_account() -> None:
    arm, replay = Arm(), Arm(instant=True)
    container = f"{ACCOUNTS}/teas/blobServices/default/containers/leaves"
    assert code(arm.call("PUT", container, {})) == "ParentResourceNotFound"
    assert replay.call("PUT", container, {}).status == 201


def test_an_account_that_is_not_there_is_missed_by_the_sdk(client: StorageManagementClient) -> None:
    with pytest.raises(HttpResponseError) as caught:
        client.storage_accounts.get_properties(GROUP, "nowhere")
    assert caught.value.error.code == "ResourceNotFound"


def test_a_share_with_snapshots_is_deleted_with_them_or_not_at_all(arm: Arm) -> None:
    shares = f"{arm.ready()}/fileServices/default/shares"
    arm.call("PUT", f"{shares}/cups", {})
    assert arm.call("PUT", f"{shares}/cups", {}, **{"$expand": "snapshots"}).body["properties"]["snapshotTime"]
    assert len(arm.call("GET", shares, **{"$expand": "snapshots"}).body["value"]) == 2
    refused = arm.call("DELETE", f"{shares}/cups", **{"$include": "none"})
    assert (refused.status, code(refused)) == (409, "ShareHasSnapshots")
    assert arm.call("DELETE", f"{shares}/cups", **{"$include": "snapshots"}).status == 200


def test_routing_gives_more_endpoints(arm: Arm) -> None:
    path = arm.ready()
    routing = {"routingChoice": "InternetRouting", "publishInternetEndpoints": True}
    own = arm.call("PATCH", path, {"properties": {"routingPreference": routing}}).body["properties"]
    found = own["primaryEndpoints"]["internetEndpoints"]
    assert found["blob"] == "https://teas-internetrouting.blob.core.windows.net/"
    assert "queue" not in found


def test_an_account_whose_making_fails_is_not_there(arm: Arm) -> None:
    made = arm.account()
    (operation,) = arm.simulator.operations.pending(f"{ACCOUNTS}/teas")
    arm.simulator.operations.cancel(operation)
    path = made.headers["Location"].removeprefix("https://management.azure.com").split("?")[0]
    assert code(arm.call("GET", path)) == "OperationPreempted"
    assert arm.call("GET", f"{ACCOUNTS}/teas").status == 404
    assert arm.account().status == 202


def test_a_failover_makes_the_second_region_the_first(arm: Arm) -> None:
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
