# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's container registries, as Azure's own SDK sees them, and by plain requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.containerregistry import ContainerRegistryManagementClient
from simulator_requests import GROUP, GROUP_ID, SUBSCRIPTION, Requests, code, make_group, signed_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.arm import Answer

PROVIDER = "Microsoft.ContainerRegistry"
REGISTRIES = f"{GROUP_ID}/providers/{PROVIDER}/registries"
STABLE = "2025-11-01"


class Arm(Requests):
    version = "2022-02-01-preview"

    def registry(self, name: str = "teashop", sku: str = "Premium", **more: Any) -> Answer:
        body = {"location": "westeurope", "sku": {"name": sku}, **more}
        return self.call("PUT", f"{REGISTRIES}/{name}", body)

    def ready(self, name: str = "teashop", **more: Any) -> str:
        assert self.registry(name, **more).status == 201
        self.simulator.clock.advance(60)
        return f"{REGISTRIES}/{name}"

    def follow(self, answer: Answer) -> Answer:
        """Poll what an answer names."""
        url = answer.headers.get("Azure-AsyncOperation") or answer.headers["Location"]
        return self.call("GET", url.removeprefix("https://management.azure.com").split("?")[0])


@pytest.fixture
def arm() -> Arm:
    return Arm()


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[ContainerRegistryManagementClient]:
    with signed_in(monkeypatch) as (credential, simulator):
        settings = {"polling_interval": 0.02}
        with ContainerRegistryManagementClient(credential, simulator.subscription, **settings) as sdk:
            yield sdk


def test_the_sdk_makes_changes_and_deletes_a_registry(client: ContainerRegistryManagementClient) -> None:
    asked = {"location": "westeurope", "sku": {"name": "Standard"}, "properties": {"adminUserEnabled": False}}
    made = client.registries.begin_create(GROUP, "teashop", asked).result()
    assert (made.provisioning_state, made.login_server) == ("Succeeded", "teashop.azurecr.io")
    with pytest.raises(HttpResponseError) as caught:
        client.registries.list_credentials(GROUP, "teashop")
    assert caught.value.error.code == "UnAuthorizedForCredentialOperations"
    change = {"properties": {"adminUserEnabled": True}, "tags": {"tea": "matcha"}}
    changed = client.registries.begin_update(GROUP, "teashop", change).result()
    assert (changed.admin_user_enabled, changed.tags) == (True, {"tea": "matcha"})
    first = client.registries.list_credentials(GROUP, "teashop")
    second = client.registries.regenerate_credential(GROUP, "teashop", {"name": "password2"})
    assert first.username == "teashop"
    assert first.passwords[0].value == second.passwords[0].value
    assert first.passwords[1].value != second.passwords[1].value
    bigger = client.registries.begin_update(GROUP, "teashop", {"sku": {"name": "Premium"}}).result()
    assert bigger.sku.tier == "Premium"
    client.registries.begin_delete(GROUP, "teashop").result()
    assert list(client.registries.list()) == []


def test_a_registry_takes_a_while(arm: Arm) -> None:
    made = arm.registry()
    assert (made.status, made.body["properties"]["provisioningState"]) == (201, "Creating")
    assert "/registries/teashop/operationStatuses/registries-" in made.headers["Azure-AsyncOperation"]
    assert arm.follow(made).body == {"status": "Creating"}
    busy = arm.call("PATCH", f"{REGISTRIES}/teashop", {"tags": {}})
    assert busy.status == 409
    arm.simulator.clock.advance(11)
    assert arm.follow(made).body == {"status": "Succeeded"}
    assert arm.call("GET", f"{REGISTRIES}/teashop").body["properties"]["provisioningState"] == "Succeeded"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"tags": {"a": "b"}}, 200),
        ({"properties": {"publicNetworkAccess": "Disabled"}}, 200),
        ({"sku": {"name": "Premium"}}, 200),
        ({"properties": {"anonymousPullEnabled": False}}, 200),
        ({"properties": {"anonymousPullEnabled": True}}, 201),
        ({"properties": {"roleAssignmentMode": "AbacRepositoryPermissions"}}, 201),
        ({"identity": {"type": "SystemAssigned"}}, 201),
        ({"sku": {"name": "Standard"}}, 201),
    ],
)
def test_some_changes_take_a_while_and_others_none(arm: Arm, body: dict[str, Any], status: int) -> None:
    path = arm.ready()
    answer = arm.call("PATCH", path, body)
    assert answer.status == status
    assert ("Azure-AsyncOperation" in answer.headers) == (status == 201)
    assert answer.body["properties"]["provisioningState"] == ("Updating" if status == 201 else "Succeeded")


def test_rules_are_merged_and_lists_replaced(arm: Arm) -> None:
    path = arm.ready()
    rules = {"networkRuleSet": {"defaultAction": "Deny", "ipRules": [{"value": "203.0.113.0/24"}]}}
    arm.call("PATCH", path, {"properties": rules})
    answer = arm.call("PATCH", path, {"properties": {"networkRuleSet": {"defaultAction": "Allow"}}})
    assert answer.body["properties"]["networkRuleSet"] == {
        "defaultAction": "Allow",
        "ipRules": [{"action": "Allow", "value": "203.0.113.0/24"}],
    }


@pytest.mark.parametrize(
    ("name", "body", "wanted"),
    [
        ("tea", {}, "NameInvalid"),
        ("tea-shop", {}, "NameInvalid"),
        ("teashop", {"sku": "Wooden"}, "SkuNotSupported"),
        ("teashop", {"location": None}, "LocationRequired"),
        ("teashop", {"properties": {"publicNetworkAccess": "Maybe"}}, "InvalidParameter"),
        ("teashop", {"sku": "Basic", "properties": {"publicNetworkAccess": "Disabled"}}, "FeatureNotSupportedForSku"),
        ("teashop", {"sku": "Standard", "properties": {"zoneRedundancy": "Enabled"}}, "FeatureNotSupportedForSku"),
        ("teashop", {"sku": "Basic", "properties": {"anonymousPullEnabled": True}}, "FeatureNotSupportedForSku"),
    ],
)
def test_what_a_new_registry_may_not_be(arm: Arm, name: str, body: dict[str, Any], wanted: str) -> None:
    answer = arm.registry(name, **body)
    assert (answer.status, code(answer)) == (400, wanted)
    assert arm.call("GET", REGISTRIES).body == {"value": []}


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"location": "eastus"}, "InvalidResourceLocation"),
        ({"properties": {"zoneRedundancy": "Enabled"}}, "ZoneRedundancyUpdateNotAllowed"),
    ],
)
def test_what_a_registry_cannot_become(arm: Arm, body: dict[str, Any], wanted: str) -> None:
    answer = arm.call("PATCH", arm.ready(), body)
    assert (answer.status, code(answer)) == (409, wanted)


def test_a_name_is_taken_all_over_the_world(arm: Arm) -> None:
    arm.ready()
    check = f"{SUBSCRIPTION}/providers/{PROVIDER}/checkNameAvailability"
    kind = f"{PROVIDER}/registries"
    assert arm.call("POST", check, {"name": "TeaShop", "type": kind}).body["reason"] == "AlreadyExists"
    assert arm.call("POST", check, {"name": "t", "type": kind}).body["reason"] == "Invalid"
    assert arm.call("POST", check, {"name": "cupshop", "type": kind}).body == {"nameAvailable": True}
    make_group(arm.simulator, "other")
    other = REGISTRIES.replace("/rg/", "/other/")
    answer = arm.call("PUT", f"{other}/teashop", {"location": "westeurope", "sku": {"name": "Basic"}})
    assert (answer.status, code(answer)) == (409, "AlreadyInUse")


def test_api_versions_show_what_they_know(arm: Arm) -> None:
    path = arm.ready()
    old, preview, stable = (
        arm.call("GET", path, version=version).body for version in ("2019-05-01", arm.version, STABLE)
    )
    assert "systemData" not in old
    assert set(old["properties"]["policies"]) == {"quarantinePolicy", "trustPolicy", "retentionPolicy"}
    assert old["properties"]["networkRuleSet"]["virtualNetworkRules"] == []
    assert "softDeletePolicy" in preview["properties"]["policies"]
    assert "softDeletePolicy" not in stable["properties"]["policies"]
    assert "roleAssignmentMode" not in preview["properties"]
    assert stable["properties"]["roleAssignmentMode"] == "LegacyRegistryPermissions"
    assert "networkRuleSet" not in arm.call("GET", arm.ready("cupshop", sku="Basic")).body["properties"]


def test_a_replicated_registry_is_deleted_slowly(arm: Arm) -> None:
    path = arm.ready()
    made = arm.call("PUT", f"{path}/replications/northeurope", {"location": "northeurope"})
    assert (made.status, arm.follow(made).body) == (201, {"status": "Creating"})
    arm.simulator.clock.advance(31)
    assert arm.follow(made).body == {"status": "Succeeded"}
    places = [one["location"] for one in arm.call("GET", f"{path}/replications").body["value"]]
    assert sorted(places) == ["northeurope", "westeurope"]
    gone = arm.call("DELETE", path)
    assert (gone.status, gone.body["properties"]["provisioningState"]) == (202, "Deleting")
    assert arm.follow(gone).status == 202
    arm.simulator.clock.advance(11)
    assert arm.follow(gone).status == 200
    assert arm.call("GET", path).status == 404
    assert arm.call("DELETE", path).status == 204


def test_a_webhook_keeps_its_address_to_itself(arm: Arm) -> None:
    path = f"{arm.ready()}/webhooks/bell"
    own = {"serviceUri": "https://example.com/", "actions": ["push"], "customHeaders": {"Authorization": "secret"}}
    made = arm.call("PUT", path, {"location": "westeurope", "properties": own})
    assert (made.status, set(made.body["properties"])) == (200, {"status", "scope", "actions", "provisioningState"})
    assert arm.call("POST", f"{path}/getCallbackConfig").body["serviceUri"] == "https://example.com/"
    event = arm.call("POST", f"{path}/ping").body["id"]
    assert arm.call("POST", f"{path}/listEvents").body["value"][0]["id"] == event


def test_a_token_shows_its_password_once(arm: Arm) -> None:
    path = arm.ready()
    missing = arm.call("GET", f"{path}/scopeMaps/leaves")
    assert (missing.status, code(missing), missing.body["status"]) == (404, "ResourceNotFound", "Failed")
    arm.call("PUT", f"{path}/scopeMaps/leaves", {"properties": {"actions": ["repositories/a/content/read"]}})
    arm.call("PUT", f"{path}/tokens/t", {"properties": {"scopeMapId": f"{path}/scopeMaps/leaves"}})
    arm.simulator.clock.advance(11)
    body = {"tokenId": f"{path}/tokens/t", "name": "password1"}
    made = arm.call("POST", f"{path}/generateCredentials", body).body["passwords"]
    assert made[0]["value"]
    kept = arm.call("GET", f"{path}/tokens/t").body["properties"]["credentials"]["passwords"]
    assert [set(entry) for entry in kept] == [{"creationTime", "name"}]


def test_a_second_put_takes_a_while_whatever_it_changes(arm: Arm) -> None:
    arm.ready()
    again = arm.registry()
    assert (again.status, again.body["properties"]["provisioningState"]) == (201, "Updating")
    assert arm.follow(again).body == {"status": "Updating"}


def test_a_registry_whose_change_failed_can_be_repaired(arm: Arm) -> None:
    path = arm.ready()
    slow = arm.call("PATCH", path, {"properties": {"anonymousPullEnabled": True}})
    (operation,) = arm.simulator.operations.pending(path)
    arm.simulator.operations.cancel(operation)
    assert arm.follow(slow).body["status"] == "Canceled"
    assert arm.call("GET", path).body["properties"]["provisioningState"] == "Canceled"
    assert arm.call("PATCH", path, {"tags": {}}).body["properties"]["provisioningState"] == "Succeeded"


def test_an_identity_can_be_given_and_taken(arm: Arm) -> None:
    path = arm.ready()
    arm.call("PATCH", path, {"identity": {"type": "SystemAssigned"}})
    arm.simulator.clock.advance(11)
    assert arm.call("GET", path).body["identity"]["type"] == "systemAssigned"
    arm.call("PATCH", path, {"identity": {"type": "None"}})
    arm.simulator.clock.advance(11)
    assert "identity" not in arm.call("GET", path).body


def test_copies_and_credentials_need_what_they_are_of(arm: Arm) -> None:
    path = arm.ready(sku="Standard")
    assert arm.call("PUT", f"{path}/replications/northeurope", {"location": "northeurope"}).status == 400
    body = {"tokenId": f"{path}/tokens/nobody"}
    assert code(arm.call("POST", f"{path}/generateCredentials", body)) == "ResourceNotFound"
