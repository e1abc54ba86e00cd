# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a destroy takes for a deployment's own, and what it never touches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from modules.harness import ModuleError, run_module
from simulator.access import ASSIGNMENTS
from simulator.arm import resource_id

if TYPE_CHECKING:
    from modules.conftest import Azure

OURS = {"matcha-deployment": "5f2b1f0e-5a52-4a6c-8b4e-3f0a6f1a7c11"}
DEPLOYMENT = {"resource_group": "tea", "deployment_tag": OURS}
IN_OUR_GROUP = {**DEPLOYMENT, "resource_group_created": True}
PLACE = {"resource_group": "tea", "location": "westeurope"}


@pytest.fixture(autouse=True)
def groups(azure: Azure) -> None:
    for name in ("tea", "elsewhere"):
        run_module("resource_group", name=name, location="westeurope")
    azure.forget()


def make(module: str, name: str, **options: Any) -> str:
    return str(run_module(module, name=name, **{**PLACE, **options})["resource"]["id"])


def look(**options: Any) -> dict[str, list[str]]:
    found = run_module("deployment_resources", **{**DEPLOYMENT, **options})
    return {name: [each.rpartition("/")[2] for each in found[name]] for name in ("own", "kept", "foreign")}


def test_own_is_what_is_tagged_and_recorded_or_in_a_group_of_ones_own(azure: Azure) -> None:
    make("public_ip_address", "mine", tags=OURS)
    recorded = make("public_ip_address", "noted", tags=OURS, resource_group="elsewhere")
    untagged = make("public_ip_address", "untagged")
    make("public_ip_address", "copied", tags=OURS, resource_group="elsewhere")
    azure.forget()
    inventory = [recorded, untagged]
    assert look(resource_group_created=True, inventory=inventory) == {
        "own": ["noted", "mine"],
        "kept": [],
        "foreign": ["copied", "untagged"],
    }
    # In somebody else's group only what was recorded is ours.
    assert look(inventory=inventory)["own"] == ["noted"]
    assert look(inventory=inventory, keep=["microsoft.network/publicipaddresses"])["kept"] == ["noted"]
    assert azure.writes() == []


def test_it_goes_with_its_rights_and_all_else_stays(azure: Azure) -> None:
    leaf = run_module("user_assigned_identity", name="leaf", tags=OURS, **PLACE)["resource"]
    foreign = make("user_assigned_identity", "stranger")
    right = {"scope": foreign, "role_definition": "Reader", "principal_type": "ServicePrincipal"}
    run_module("role_assignment", principal_id=leaf["properties"]["principalId"], **right)
    make("key_vault", "tea-chest", tags=OURS)
    disk(azure, OURS)

    azure.forget()
    plan = run_module(
        "deployment_resources", state="absent", check_mode=True, **DEPLOYMENT, resource_group_created=True
    )
    assert (plan["changed"], len(plan["own"]), azure.writes()) == (True, 3, [])

    gone = run_module("deployment_resources", state="absent", purge=True, **IN_OUR_GROUP)
    assert gone["changed"]
    assert look(resource_group_created=True) == {"own": [], "kept": [], "foreign": ["stranger"]}
    holders = {each["properties"]["principalId"] for each in azure.simulator.store.all(ASSIGNMENTS)}
    assert leaf["properties"]["principalId"] not in holders
    # Its name is free again.
    assert not run_module("key_vault", name="tea-chest", recover=False, check_mode=True, **PLACE)["resource"]

    again = run_module("deployment_resources", state="absent", **IN_OUR_GROUP)
    assert not again["changed"]


def disk(azure: Azure, tags: dict[str, str]) -> None:
    """Let a cluster's storage driver have made a volume."""
    rid = resource_id(f"/subscriptions/{azure.simulator.subscription}/resourceGroups/tea").child(
        "Microsoft.Compute/disks", "volume"
    )
    properties = {"provisioningState": "Succeeded"}
    where = {"id": str(rid), "name": "volume", "type": "Microsoft.Compute/disks", "location": "westeurope"}
    azure.simulator.store.put(rid, {**where, "tags": tags, "properties": properties})


def test_whose_it_is_must_be_said() -> None:
    with pytest.raises(ModuleError, match="Set resource_group, and deployment_tag"):
        run_module("deployment_resources", state="absent", resource_group="tea")
