# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many resources in one task: what begins when, and what is said where something is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from modules.harness import ModuleError, run_module

if TYPE_CHECKING:
    from modules.conftest import Azure

PLACE = {"resource_group": "tea", "location": "westeurope", "tags": {"team": "tea"}}
LEAF = {"user_assigned_identity": {"name": "leaf"}}
BLOBS = {"storage_account": {"name": "teas", "containers": [{"name": "green"}]}}
RIGHT = {
    "role_assignment": {
        "scope": {"of": "blobs.id"},
        "role_definition": "Storage Blob Data Reader",
        "principal_id": {"of": "leaf.properties.principalId"},
        "principal_type": "ServicePrincipal",
    }
}


@pytest.fixture(autouse=True)
def group(azure: Azure) -> None:
    run_module("resource_group", name="tea", location="westeurope")
    azure.forget()


def run(resources: dict[str, Any], **options: Any) -> dict[str, Any]:
    return run_module("azure_resources", resources=resources, **{**PLACE, **options})


def test_each_begins_when_what_it_needs_is_there(azure: Azure) -> None:
    # The order in which they are written says nothing.
    result = run({"right": RIGHT, "blobs": BLOBS, "leaf": LEAF})
    assert result["plan"] == {"right": "created", "blobs": "created", "leaf": "created"}
    assert sorted(result["done"]) == ["blobs", "leaf", "right"]
    assert "right" not in result["ids"]
    assert result["resources"]["blobs"]["tags"] == PLACE["tags"]
    assert (
        result["resources"]["right"]["properties"]["principalId"]
        == (result["resources"]["leaf"]["properties"]["principalId"])
    )
    writes = [each.partition("/providers/")[2] for each in azure.writes()]
    assert writes[-1].startswith("Microsoft.Storage/storageAccounts/teas/providers/Microsoft.Authorization")

    azure.forget()
    again = run({"right": RIGHT, "blobs": BLOBS, "leaf": LEAF})
    assert (again["changed"], azure.writes()) == (False, [])
    assert set(again["plan"].values()) == {"unchanged"}


def test_who_does_not_wait_leaves_the_rest_for_later() -> None:
    result = run({"blobs": BLOBS, "right": {**RIGHT, "after": ["blobs"]}, "leaf": LEAF}, wait=False)
    assert result["plan"] == {"blobs": "created", "right": "later", "leaf": "created"}
    assert result["done"] == ["leaf"]
    end = run({"blobs": BLOBS, "right": RIGHT, "leaf": LEAF}, only=["right"])
    assert end["plan"]["right"] == "created"
    assert set(end["plan"]) == {"blobs", "right", "leaf"}


def test_a_role_is_given_as_soon_as_its_scope_has_begun(azure: Azure) -> None:
    mine = {"scope": {"of": "vault.id"}, "role_definition": "Key Vault Secrets Officer"}
    vault = {"key_vault": {"name": "tea-chest"}}
    result = run({"mine": {"role_assignment": {**mine, "scope": f"{ids()}/vaults/tea-chest"}, "after_begin": ["vault"]},
                  "vault": vault}, wait=False)  # fmt: skip
    assert result["plan"] == {"mine": "created", "vault": "created"}
    assert result["resources"]["mine"]["properties"]["principalId"] == azure.simulator.owner.object_id


def ids() -> str:
    return "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/tea/providers/Microsoft.KeyVault"


def test_one_that_fails_keeps_only_those_from_it_that_need_it() -> None:
    wrong = {"storage_account": {"name": "TEAS!"}}
    with pytest.raises(ModuleError) as failed:
        run({"blobs": wrong, "right": RIGHT, "leaf": LEAF})
    assert "blobs: " in failed.value.result["msg"]
    assert "Not begun, since they need these: right." in failed.value.result["msg"]
    assert failed.value.result["plan"] == {"blobs": "failed", "right": "later", "leaf": "created"}
    assert failed.value.result["failure"]["code"]
    assert run({"blobs": BLOBS, "right": RIGHT, "leaf": LEAF})["plan"]["leaf"] == "unchanged"


def test_a_plan_says_what_is_known_only_later(azure: Azure) -> None:
    result = run({"blobs": BLOBS, "right": RIGHT, "leaf": LEAF}, check_mode=True)
    right = result["diff"]["after"]["right"]["properties"]
    assert right["principalId"] == "(properties.principalId of leaf, known once that is made)"
    assert result["diff"]["after"]["blobs"]["containers"].keys() == {"green"}
    assert azure.writes() == []


@pytest.mark.parametrize(
    ("resources", "words"),
    [
        ({"leaf": {"user_assigned_identity": {"name": "leaf"}, "after": ["pot"]}}, "leaf needs pot, which is none"),
        (
            {"a": {**LEAF, "after": ["b"]}, "b": {**BLOBS, "after": ["a"]}},
            "needs itself: a needs b needs a",
        ),
        ({"leaf": {"teapot": {}}}, "resources.leaf needs one of aks_cluster"),
        ({"leaf": {**LEAF, **BLOBS}}, "resources.leaf needs one of aks_cluster"),
        ({"leaf": {"user_assigned_identity": {"name": "leaf", "color": "green"}}}, "leaf: color"),
        (
            {"tables": {"mysql_flexible_server": {"name": "tables", "administrator_login_password": "Sesame-4711"}}},
            "tables: administrator_login_password would be shown here",
        ),
        ({"right": {**RIGHT}, "leaf": LEAF}, "right needs blobs, which is none of them"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_made(azure: Azure, resources: dict[str, Any], words: str) -> None:
    with pytest.raises(ModuleError, match=words) as failed:
        run(resources)
    assert "Sesame" not in str(failed.value.result["msg"])
    assert azure.writes() == []
