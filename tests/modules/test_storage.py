# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is particular to groups, storage accounts, registries and addresses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.matcha.mlops.plugins.module_utils.azure.kinds.resource_group import ResourceGroup
from modules.cases_common import PLACE, identities
from modules.harness import ModuleError, changed_paths, run_module
from simulator.arm import ResourceId
from simulator.clock import Clock

if TYPE_CHECKING:
    from modules.conftest import Azure

ACCOUNT = {**PLACE, "name": "teastorage"}
REGISTRY = {**PLACE, "name": "tearegistry", "sku": {"name": "Premium"}}


pytestmark = pytest.mark.usefixtures("azure")
CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"


@pytest.fixture(autouse=True)
def _group(azure: Azure) -> None:
    assert azure.log() == []
    run_module("resource_group", name="tea", location="westeurope")


def bodies(azure: Azure, method: str) -> list[Any]:
    return [each["body"] for each in azure.since() if each["method"] == method]


def test_a_new_account_is_closed(azure: Azure) -> None:
    azure.forget()
    result = run_module("storage_account", **ACCOUNT, containers=[{"name": "leaves"}])
    account, container = bodies(azure, "PUT")
    assert account["kind"] == "StorageV2"
    assert account["properties"] == {
        "allowBlobPublicAccess": False,
        "allowSharedKeyAccess": False,
        "minimumTlsVersion": "TLS1_2",
        "supportsHttpsTrafficOnly": True,
    }
    assert container == {"properties": {"publicAccess": "None"}}
    assert result["resource"]["properties"]["allowSharedKeyAccess"] is False


def test_keys_are_never_asked_for_nor_told(azure: Azure) -> None:
    result = run_module("storage_account", **ACCOUNT, allow_shared_key_access=True)
    told = run_module("storage_account_info", resource_group="tea", name="teastorage")
    (stored,) = azure.simulator.store.all("Microsoft.Storage/storageAccounts")
    keys = [each["value"] for each in stored["_keys"]]
    assert keys
    assert not any(key in json.dumps([result, told]) for key in keys)
    assert not [each for each in azure.log() if "listkeys" in each["path"].lower()]


def test_a_change_is_sent_alone(azure: Azure) -> None:
    run_module("storage_account", **ACCOUNT, network_acls={"ip_rules": ["192.0.2.1"]})
    azure.forget()
    run_module("storage_account", **ACCOUNT, network_acls={"bypass": ["None"]}, access_tier="Cool")
    (body,) = bodies(azure, "PATCH")
    assert set(body) == {"properties"}
    assert set(body["properties"]) == {"networkAcls", "accessTier"}
    # A property is replaced as a whole, so that what is in it goes along.
    assert body["properties"]["networkAcls"]["ipRules"] == [{"action": "Allow", "value": "192.0.2.1"}]


@pytest.mark.parametrize(
    ("module", "params", "option"),
    [("storage_account", ACCOUNT, "network_acls"), ("container_registry", REGISTRY, "network_rule_set")],
)
def test_new_rules_forbid_the_rest(azure: Azure, module: str, params: dict[str, Any], option: str) -> None:
    azure.forget()
    run_module(module, **params, **{option: {"ip_rules": ["192.0.2.1"]}})
    (body,) = bodies(azure, "PUT")
    found = body["properties"].get("networkAcls") or body["properties"]["networkRuleSet"]
    assert found["defaultAction"] == "Deny"


@pytest.mark.parametrize(("module", "params"), [("storage_account", ACCOUNT), ("container_registry", REGISTRY)])
def test_an_identity_that_goes_is_sent_as_null(azure: Azure, module: str, params: dict[str, Any]) -> None:
    for name in ("sugar", "milk"):
        run_module("user_assigned_identity", **PLACE, name=name)
    run_module(module, **params, identity=identities("sugar", "milk"))
    azure.forget()
    run_module(module, **params, identity=identities("milk"))
    (body,) = bodies(azure, "PATCH")
    sent = {key.rpartition("/")[2]: value for key, value in body["identity"]["userAssignedIdentities"].items()}
    assert sent == {"milk": {}, "sugar": None}
    azure.forget()
    run_module(module, **params, identity={"type": "SystemAssigned"})
    assert bodies(azure, "PATCH") == [{"identity": {"type": "SystemAssigned"}}]


def test_a_key_of_azures_own_is_in_no_vault(azure: Azure) -> None:
    task = {**ACCOUNT, "identity": {"type": "SystemAssigned"}}
    vault = {"key_name": "tea", "key_vault_uri": "https://tea.vault.azure.net"}
    run_module(
        "storage_account", **task, encryption={"key_source": "Microsoft.Keyvault", "key_vault_properties": vault}
    )
    azure.forget()
    run_module("storage_account", **task, encryption={"key_source": "Microsoft.Storage"})
    (body,) = bodies(azure, "PATCH")
    assert set(body["properties"]["encryption"]) == {"keySource", "services"}


def test_containers_that_are_not_listed_stay(azure: Azure) -> None:
    run_module("storage_account", **ACCOUNT, containers=[{"name": "leaves"}, {"name": "cups"}])
    azure.forget()
    result = run_module("storage_account", **ACCOUNT, containers=[{"name": "cups", "state": "absent"}])
    assert result["diff"]["after"] == {"containers": {"cups": {"state": "absent"}}}
    assert [write.rpartition("/")[2] for write in azure.writes()] == ["cups"]
    names = [
        each["name"] for each in azure.simulator.store.all("Microsoft.Storage/storageAccounts/blobServices/containers")
    ]
    assert names == ["leaves"]


def test_settings_of_blobs_that_are_not_named_stay(azure: Azure) -> None:
    run_module("storage_account", **ACCOUNT, blob_service_properties={"is_versioning_enabled": True})
    azure.forget()
    settings = {"delete_retention_policy": {"enabled": True}}
    run_module("storage_account", **ACCOUNT, blob_service_properties=settings)
    (body,) = bodies(azure, "PUT")
    assert body["properties"]["isVersioningEnabled"] is True
    assert body["properties"]["deleteRetentionPolicy"] == {"enabled": True, "days": 7, "allowPermanentDelete": False}
    azure.forget()
    settings = {"delete_retention_policy": {"enabled": False, "days": 7}}
    run_module("storage_account", **ACCOUNT, blob_service_properties=settings)
    assert "days" not in bodies(azure, "PUT")[0]["properties"]["deleteRetentionPolicy"]
    assert not run_module("storage_account", **ACCOUNT, blob_service_properties=settings)["changed"]


def test_what_is_below_waits_with_the_account(azure: Azure) -> None:
    task = {**ACCOUNT, "containers": [{"name": "leaves"}]}
    azure.forget()
    assert run_module("storage_account", **task, wait=False)["changed"]
    assert len(azure.writes()) == 1
    assert run_module("storage_account", **task)["changed"]
    assert len(azure.writes()) == 2
    assert not run_module("storage_account", **task)["changed"]


def test_a_converged_account_takes_few_requests(azure: Azure) -> None:
    task = {
        **ACCOUNT,
        "blob_service_properties": {"is_versioning_enabled": True},
        "containers": [{"name": f"leaves{n}"} for n in range(5)],
    }
    run_module("storage_account", **task)
    azure.forget()
    run_module("storage_account", **task)
    assert len(azure.since()) == 3


def test_groups_without_and_with_a_name_in_information() -> None:
    run_module("resource_group", name="cup", location="westeurope", tags={"team": "tea"})
    run_module("public_ip_address", **PLACE, name="door", tags={"team": "tea"})
    run_module("container_registry", **REGISTRY)

    def told(module: str, **params: Any) -> list[str]:
        return [each["name"] for each in run_module(f"{module}_info", **params)["resources"]]

    assert sorted(told("resource_group")) == ["cup", "tea"]
    assert told("resource_group", tags={"team": "tea"}) == ["cup"]
    assert told("resource_group", name="none") == []
    assert told("public_ip_address") == ["door"]
    assert told("public_ip_address", resource_group="cup") == []
    assert told("container_registry", resource_group="tea", name="tearegistry") == ["tearegistry"]
    assert told("aks_cluster") == []
    with pytest.raises(ModuleError, match="is in a resource group: set resource_group"):
        told("container_registry", name="tearegistry")


def test_deleting_a_group_that_takes_too_long_says_what_was_in_it(azure: Azure) -> None:
    run_module("public_ip_address", **PLACE, name="door")
    # Its minutes are minutes.
    azure.simulator.clock = Clock(speed=1)
    words = r"Deleting the resource group 'tea', with 1 resource in it \(door\): not done"
    with pytest.raises(ModuleError, match=words):
        run_module("resource_group", name="tea", state="absent", timeout=0)


def test_a_group_goes_with_all_that_is_in_it(azure: Azure) -> None:
    run_module("public_ip_address", **PLACE, name="door")
    run_module("resource_group", name="tea", state="absent")
    assert azure.simulator.store.all("Microsoft.Network/publicIPAddresses") == []


def test_an_address_is_known_and_stays() -> None:
    made = run_module("public_ip_address", **PLACE, name="door")["resource"]["properties"]
    assert made["publicIPAllocationMethod"] == "Static"
    changed = run_module("public_ip_address", **PLACE, name="door", idle_timeout_in_minutes=9)["resource"]["properties"]
    assert made["ipAddress"] == changed["ipAddress"]


def test_an_old_address_becomes_one_that_stays(azure: Azure) -> None:
    made = run_module("public_ip_address", **PLACE, name="door")["resource"]
    # Azure makes no such address any more, but has some still.
    stored = azure.simulator.store.get(made["id"])
    stored["sku"]["name"] = "Basic"
    stored["properties"]["publicIPAllocationMethod"] = "Dynamic"
    azure.simulator.store.put(ResourceId(made["id"]), stored)
    result = run_module("public_ip_address", **PLACE, name="door", public_ip_allocation_method="Static")
    assert changed_paths(result["diff"]) == {"properties.publicIPAllocationMethod"}
    assert result["resource"]["sku"]["name"] == "Basic"
    result = run_module("public_ip_address", **PLACE, name="door", public_ip_allocation_method="Static")
    assert not result["changed"]


def test_what_goes_meanwhile_is_gone(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    delete = ResourceGroup.delete

    def twice(kind: ResourceGroup, *arguments: Any) -> None:
        delete(kind, *arguments)
        # The second time nothing is there any more.
        delete(kind, *arguments)

    monkeypatch.setattr(ResourceGroup, "delete", twice)
    assert run_module("resource_group", name="tea", state="absent")["changed"]
    assert azure.simulator.store.all("Microsoft.Resources/resourceGroups") == []
