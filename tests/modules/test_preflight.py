# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The preflight: each row passes and fails for the right reason, the table is always there, and nothing is written."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.matcha.mlops.plugins.module_utils.azure.preflight_machines import Machines
from ansible_collections.matcha.mlops.plugins.module_utils.azure.rights import grants, scopes
from modules.harness import ModuleError, run_module

if TYPE_CHECKING:
    from modules.conftest import Azure

BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write"
CLUSTERS = "Microsoft.ContainerService/managedClusters/write"
GRANTS = "Microsoft.Authorization/roleAssignments/write"


def rows(azure: Azure, **options: Any) -> dict[str, dict[str, Any]]:
    """Return the rows of a table beside the first, and see that the module only asked."""
    azure.forget()
    result = run_module("preflight", fail_on_error=False, **options)
    assert not result["changed"]
    assert all(each["method"] == "GET" or "checkname" in each["path"].lower() for each in azure.since())
    assert result["passed"] == all(each["passed"] for each in result["checks"])
    for each in result["checks"]:
        assert bool(each["advice"]) is not each["passed"], each
        assert each["name"] in result["msg"]
        assert each["advice"] in result["msg"]
    first, *others = result["checks"]
    assert first["name"] == "subscription"
    assert first["passed"]
    return {each["name"]: each for each in others}


def only(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the only row that there is."""
    (row,) = found.values()
    return row


def as_principal(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Go on as somebody who has no rights yet."""
    principal = azure.simulator.principals.add_service_principal("somebody", "a secret of somebody")
    monkeypatch.setenv("AZURE_CLIENT_ID", principal.app_id)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", principal.secret)
    return principal


def subscription(azure: Azure) -> str:
    return f"/subscriptions/{azure.simulator.subscription}"


@pytest.mark.parametrize("location", ["westeurope", "West Europe"])
def test_a_region(azure: Azure, location: str) -> None:
    assert rows(azure, location=location)["region westeurope"]["passed"]


def test_a_region_that_is_none(azure: Azure) -> None:
    row = only(rows(azure, location="westeurop"))
    assert not row["passed"]
    assert "Did you mean 'westeurope'?" in row["advice"]


def test_providers(azure: Azure) -> None:
    azure.simulator.unregister("Microsoft.Storage")
    found = rows(azure, providers=["Microsoft.Storage", "Microsoft.ContainerService", "Microsoft.Coffee"])
    storage, containers, coffee = found.values()
    assert containers["passed"]
    assert storage["detail"] in ("NotRegistered", "Unregistered")
    assert storage["advice"] == "Register it: az provider register --namespace Microsoft.Storage."
    assert "Microsoft.Coffee" in coffee["detail"]
    assert not coffee["passed"]


def sizes(azure: Azure, *wanted: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = rows(azure, location="westeurope", vm_sizes=list(wanted))
    del found["region westeurope"]
    return found


def test_sizes_and_quotas(azure: Azure) -> None:
    found = sizes(azure, {"size": "standard_ds3_v2", "count": 25, "zones": ["1", "3"]})
    assert [each["passed"] for each in found.values()] == [True] * 3
    assert found["size standard_ds3_v2"]["detail"] == "4 vCPUs, zones 1, 2, 3"
    assert found["quota standardDSv2Family"]["detail"].startswith("100 vCPUs asked for, 100 of 100 left")
    # All sizes of a family draw on one quota, and all sizes on the region's.
    found = sizes(azure, {"size": "Standard_DS3_v2", "count": 25}, {"size": "Standard_DS2_v2", "count": 1})
    assert [name for name, each in found.items() if not each["passed"]] == ["quota standardDSv2Family"]
    assert found["quota cores"]["detail"].startswith("102 vCPUs asked for, 350 of 350 left")


def test_what_is_in_use_counts(azure: Azure) -> None:
    azure.simulator.compute.used["westeurope", "standardDSv2Family"] = 97
    azure.simulator.compute.limits["westeurope", "cores"] = 3
    found = sizes(azure, {"size": "Standard_DS3_v2"})
    assert not found["quota standardDSv2Family"]["passed"]
    assert found["quota standardDSv2Family"]["detail"].startswith("4 vCPUs asked for, 3 of 100 left")
    assert not found["quota cores"]["passed"]


def test_sizes_that_are_not_offered(azure: Azure) -> None:
    compute = azure.simulator.compute
    compute.restrict("westeurope", "Standard_DS3_v2")
    compute.restrict("westeurope", "Standard_DS2_v2", zones=("2",))
    found = sizes(
        azure,
        {"size": "Standard_DS3_v2"},
        {"size": "Standard_DS2_v2", "zones": ["1", "2"]},
        {"size": "Standard_DS4_v9"},
    )
    whole, zone, unknown = [each for name, each in found.items() if name.startswith("size")]
    assert whole["detail"] == "is not offered to this subscription in westeurope (NotAvailableForSubscription)"
    assert zone["detail"] == "is not offered in zone 2; it is in 1, 3"
    assert unknown["detail"] == "is not offered in westeurope"
    assert "Did you mean Standard_DS4_v2?" in unknown["advice"]


class Offer:
    """What a region offers, where no simulator has it."""

    subscription = "s"

    def __init__(self, **quotas: tuple[int, int]) -> None:
        self._quotas = quotas

    def pages(self, path: str, *_query: str) -> list[dict[str, Any]]:
        if path.endswith("usages"):
            return [
                {"name": {"value": name}, "currentValue": used, "limit": limit}
                for name, (used, limit) in self._quotas.items()
            ]
        cores = [{"name": "vCPUs", "value": "4"}]
        return [{"name": "A4", "resourceType": "virtualMachines", "family": "a", "capabilities": cores}]


@pytest.mark.parametrize(
    ("spot", "quotas", "failed"),
    [
        # Spot machines draw on a quota of their own, and on no other.
        (True, {"lowPriorityCores": (0, 4), "a": (0, 0), "cores": (0, 0)}, []),
        (True, {"lowPriorityCores": (1, 4)}, ["quota lowPriorityCores"]),
        (False, {"lowPriorityCores": (0, 0), "a": (0, 4), "cores": (0, 4)}, []),
        (False, {"a": (0, -1), "cores": (0, 4)}, []),
        (False, {"a": (0, 4)}, ["quota cores"]),
    ],
)
def test_quotas(spot: bool, quotas: dict[str, tuple[int, int]], failed: list[str]) -> None:
    offer: Any = Offer(**quotas)
    found = Machines(offer, "West Europe").check([{"size": "a4", "count": 1, "spot": spot, "zones": None}])
    assert [row.name for row in found if not row.passed] == failed


NAMES = {
    "storage_accounts": ("storage_account", "storage account"),
    "container_registries": ("container_registry", "registry"),
    "key_vaults": ("key_vault", "key vault"),
    "mysql_flexible_servers": ("mysql_flexible_server", "MySQL server"),
}


@pytest.mark.parametrize("option", NAMES)
def test_names_that_are_free(azure: Azure, option: str) -> None:
    row = only(rows(azure, names={option: ["teacup"]}))
    assert row["passed"], row
    assert row["name"] == f"{NAMES[option][1]} teacup"


@pytest.mark.parametrize("option", ["storage_accounts", "container_registries"])
def test_names_that_are_taken(azure: Azure, option: str) -> None:
    run_module("resource_group", name="tea", location="westeurope")
    sku = {"sku": {"name": "Basic"}} if option == "container_registries" else {}
    run_module(NAMES[option][0], name="teacup", location="westeurope", resource_group="tea", **sku)
    names = {option: ["teacup"]}
    assert only(rows(azure, names=names))["detail"] == "is yours already, in the resource group tea"
    assert only(rows(azure, names=names, resource_group="TEA"))["passed"]
    row = only(rows(azure, names=names, resource_group="coffee"))
    assert not row["passed"]
    assert row["detail"] == "is yours, in the resource group tea"
    assert "Choose another name" in row["advice"]


def test_a_name_that_azure_does_not_allow(azure: Azure) -> None:
    row = only(rows(azure, names={"storage_accounts": ["Tea"]}))
    assert not row["passed"]
    assert row["advice"] == "Choose a name that Azure allows."


def test_a_vault_that_was_deleted(azure: Azure) -> None:
    run_module("resource_group", name="tea", location="westeurope")
    vault = {"name": "teavault", "resource_group": "tea", "location": "westeurope"}
    run_module("key_vault", **vault)
    run_module("key_vault", **vault, state="absent")
    row = only(rows(azure, names={"key_vaults": ["teavault"]}))
    assert not row["passed"]
    assert "recover it, or purge it" in row["advice"]


def test_rights_of_an_owner(azure: Azure) -> None:
    found = rows(azure, actions=[CLUSTERS, GRANTS], data_actions=[BLOBS])
    assert found["actions"]["passed"]
    assert found["actions"]["detail"] == f"all 2 are granted at {subscription(azure)}"
    # An owner has no rights to data.
    assert found["data actions"]["detail"] == f"not granted at {subscription(azure)}: {BLOBS}"


def test_rights_through_a_group_and_of_a_part(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    run_module("resource_group", name="tea", location="westeurope")
    access, principals = azure.simulator.access, azure.simulator.principals
    somebody = as_principal(azure, monkeypatch)
    access.grant(somebody, "Reader", subscription(azure))
    access.grant(
        principals.add_group("drinkers", [somebody]), "Contributor", f"{subscription(azure)}/resourceGroups/tea"
    )
    row = rows(azure, actions=[CLUSTERS, GRANTS])["actions"]
    assert row["detail"] == f"not granted at {subscription(azure)}: {CLUSTERS}, {GRANTS}"
    # A contributor may do anything but grant.
    row = rows(azure, actions=[CLUSTERS, GRANTS], scope=f"{subscription(azure)}/resourceGroups/tea")["actions"]
    assert row["detail"] == f"not granted at {subscription(azure)}/resourceGroups/tea: {GRANTS}"


def test_rights_at_what_is_not_there_yet(azure: Azure) -> None:
    row = only(rows(azure, actions=[CLUSTERS], scope=f"{subscription(azure)}/resourceGroups/coffee"))
    assert row["passed"]
    assert row["detail"] == f"all 1 are granted at {subscription(azure)}"


@pytest.mark.usefixtures("azure")
def test_a_credential_that_does_not_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "another secret")
    with pytest.raises(ModuleError) as error:
        run_module("preflight", location="westeurope", actions=[CLUSTERS])
    first, *others = error.value.result["checks"]
    assert (first["name"], first["passed"]) == ("subscription", False)
    assert "signing in to Azure failed" in first["detail"]
    # What cannot be asked is not repeated for every row.
    assert others == []


def test_a_question_that_azure_refuses_hides_no_other(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    access = azure.simulator.access
    access.grant(as_principal(azure, monkeypatch), "Storage Blob Data Contributor", subscription(azure))
    found = rows_of(
        run_module("preflight", fail_on_error=False, data_actions=[BLOBS], names={"key_vaults": ["teacup"]})
    )
    assert not all(each["passed"] for each in found.values())


def rows_of(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in result["checks"]}


@pytest.mark.usefixtures("azure")
def test_it_fails_with_the_table() -> None:
    with pytest.raises(ModuleError) as error:
        run_module("preflight", location="nowhere", providers=["Microsoft.Storage"])
    result = error.value.result
    assert [each["passed"] for each in result["checks"]] == [True, False, True]
    assert not result["passed"]
    first, *lines = result["msg"].splitlines()
    assert first == "1 of 3 checks failed:"
    assert [line[:6].strip() for line in lines] == ["ok", "FAIL", "", "ok"]
    assert run_module("preflight", location="westeurope")["msg"].startswith("All 2 checks passed:")


def test_endpoints(azure: Azure) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = rows(azure, endpoints=[f"127.0.0.1:{port}", f"https://127.0.0.1:{port}/api"])
        assert [each["passed"] for each in found.values()] == [True]
    found = rows(azure, endpoints=[f"127.0.0.1:{port}", "pot.privatelink.invalid"])
    refused, unknown = found.values()
    assert refused["detail"] == "refuses the connection"
    assert unknown["name"] == "endpoint pot.privatelink.invalid:443"
    assert unknown["detail"] == "its name is not known here"
    assert "private DNS names" in unknown["advice"]


def test_an_endpoint_that_does_not_answer(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.create_connection

    def silent(address: tuple[str, int], *arguments: Any, **options: Any) -> socket.socket:
        if address[0] == "192.0.2.1":
            raise TimeoutError
        return real(address, *arguments, **options)

    monkeypatch.setattr(socket, "create_connection", silent)
    row = only(rows(azure, endpoints=["192.0.2.1:443"], endpoint_timeout=3))
    assert row["detail"] == "does not answer within 3 s"
    assert "authorized ranges" in row["advice"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"vm_sizes": [{"size": "Standard_DS3_v2"}]}, "Set location"),
        ({"actions": ["Microsoft.Storage/*"]}, "Name actions whole"),
        ({"data_actions": ["*"]}, "Name actions whole"),
        ({"endpoints": [":443"]}, "is no address"),
        ({"endpoints": ["pot:tea"]}, "is no address"),
    ],
)
@pytest.mark.usefixtures("azure")
def test_options_that_do_not_fit(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ModuleError, match=words):
        run_module("preflight", **options)


@pytest.mark.parametrize(
    ("permission", "granted"),
    [
        ({"actions": ["*"]}, True),
        ({"actions": ["microsoft.containerservice/*/WRITE"]}, True),
        ({"actions": ["*"], "notActions": ["Microsoft.ContainerService/*"]}, False),
        ({"actions": ["*/read"]}, False),
        ({"actions": None, "dataActions": ["*"]}, False),
        ({}, False),
    ],
)
def test_what_a_permission_grants(permission: dict[str, Any], granted: bool) -> None:
    assert grants(permission, CLUSTERS, "actions") is granted


def test_the_scopes_around_one() -> None:
    vault = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v"
    assert list(scopes(vault)) == [vault, "/subscriptions/s/resourceGroups/g", "/subscriptions/s"]
    assert list(scopes("/subscriptions/s/")) == ["/subscriptions/s"]
    assert list(scopes("/providers/Microsoft.Management/managementGroups/m")) == [
        "/providers/Microsoft.Management/managementGroups/m"
    ]
