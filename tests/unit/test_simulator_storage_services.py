# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies below the simulator's storage accounts, as Azure's own SDK sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure.mgmt.storage import StorageManagementClient
from simulator_requests import ACCOUNTS, GROUP, Storage, code, signed_in

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def arm() -> Storage:
    return Storage()


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageManagementClient]:
    with signed_in(monkeypatch) as (credential, simulator):
        settings = {"polling_interval": 0.02}
        with StorageManagementClient(credential, simulator.subscription, **settings) as sdk:
            yield sdk


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


def test_a_public_container_needs_the_accounts_leave(arm: Storage) -> None:
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


def test_a_containers_absence_is_the_services_own_error(arm: Storage) -> None:
    path = arm.ready()
    missing = arm.call("GET", f"{path}/blobServices/default/containers/leaves")
    assert (missing.status, code(missing)) == (404, "ContainerNotFound")
    gone = arm.call("GET", f"{ACCOUNTS}/nowhere/blobServices/default/containers/leaves")
    assert (gone.status, code(gone)) == (404, "ResourceNotFound")
    deleted = arm.call("DELETE", f"{ACCOUNTS}/nowhere/blobServices/default/containers/leaves")
    assert (deleted.status, code(deleted)) == (404, "ParentResourceNotFound")


def test_an_immutability_policy_is_locked_for_good(arm: Storage) -> None:
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


def test_a_deleted_share_can_be_restored_for_some_days(arm: Storage) -> None:
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


def test_services_come_with_the_account(arm: Storage) -> None:
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


def test_policies_are_missed_in_their_own_words(arm: Storage) -> None:
    path = arm.ready()
    assert code(arm.call("GET", f"{path}/managementPolicies/default")) == "ManagementPolicyNotFound"
    assert code(arm.call("GET", f"{path}/inventoryPolicies/default")) == "BlobInventoryPolicyNotFound"
    rules = {"policy": {"rules": [{"name": "old", "type": "Lifecycle", "definition": {}}]}}
    made = arm.call("PUT", f"{path}/managementPolicies/default", {"properties": rules}).body
    assert (made["name"], made["properties"]["policy"]["rules"][0]["enabled"]) == ("DefaultManagementPolicy", True)


def test_only_a_replay_presumes_an_account() -> None:
    arm, replay = Storage(), Storage(instant=True)
    container = f"{ACCOUNTS}/teas/blobServices/default/containers/leaves"
    assert code(arm.call("PUT", container, {})) == "ParentResourceNotFound"
    assert replay.call("PUT", container, {}).status == 201


def test_a_share_with_snapshots_is_deleted_with_them_or_not_at_all(arm: Storage) -> None:
    shares = f"{arm.ready()}/fileServices/default/shares"
    arm.call("PUT", f"{shares}/cups", {})
    assert arm.call("PUT", f"{shares}/cups", {}, **{"$expand": "snapshots"}).body["properties"]["snapshotTime"]
    assert len(arm.call("GET", shares, **{"$expand": "snapshots"}).body["value"]) == 2
    refused = arm.call("DELETE", f"{shares}/cups", **{"$include": "none"})
    assert (refused.status, code(refused)) == (409, "ShareHasSnapshots")
    assert arm.call("DELETE", f"{shares}/cups", **{"$include": "snapshots"}).status == 200


@pytest.mark.parametrize(
    ("made", "service", "body", "wanted"),
    [
        (
            {"properties": {"isHnsEnabled": True}},
            "blobServices/default",
            {"isVersioningEnabled": True},
            (409, "FeatureNotSupportedForAccount"),
        ),
        (
            {},
            "fileServices/default",
            {"protocolSettings": {"smb": {"multichannel": {"enabled": True}}}},
            (409, "FeatureNotSupportedForAccount"),
        ),
        ({}, "blobServices/default/containers/No", {}, (400, "InvalidResourceName")),
        ({}, "fileServices/default/shares/a--b", {}, (400, "InvalidResourceName")),
        ({}, "managementPolicies/default", {"policy": {"rules": []}}, (400, "InvalidValuesForRequestParameters")),
        ({}, "privateEndpointConnections/a", {}, (400, "InvalidValuesForRequestParameters")),
        (
            {},
            "objectReplicationPolicies/default",
            {"sourceAccount": "teas", "destinationAccount": "cups"},
            (400, "InvalidRequestPropertyValue"),
        ),
    ],
)
def test_what_an_account_cannot_have(
    arm: Storage, made: dict[str, Any], service: str, body: dict[str, Any], wanted: tuple[int, str]
) -> None:
    answer = arm.call("PUT", f"{arm.ready(**made)}/{service}", {"properties": body})
    assert (answer.status, code(answer)) == wanted


def test_a_container_under_a_legal_hold_stays(arm: Storage) -> None:
    container = f"{arm.ready()}/blobServices/default/containers/leaves"
    arm.call("PUT", container, {"properties": {"metadata": {"a": "b", "c": "d"}}})
    held = arm.call("POST", f"{container}/setLegalHold", {"tags": ["CASE1", "case2"]}).body
    assert held == {"hasLegalHold": True, "tags": ["case1", "case2"]}
    assert code(arm.call("DELETE", container)) == "ContainerProtectedFromDeletion"
    assert arm.call("POST", f"{container}/clearLegalHold", {"tags": ["case1", "case2"]}).body["hasLegalHold"] is False
    arm.call("PATCH", container, {"properties": {"metadata": {"e": "f"}}})
    assert arm.call("GET", container).body["properties"]["metadata"] == {"e": "f"}
    assert arm.call("DELETE", container).status == 200
