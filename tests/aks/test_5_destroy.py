# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Destroyed is what it made, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from modules.harness import run_module

if TYPE_CHECKING:
    from tests.aks.stack import Aks

ADDRESSES = "Microsoft.Network/publicIPAddresses"


def test_what_is_foreign_survives(llm: Aks) -> None:
    tags = llm.world.simulator.store.get(llm.group)["tags"]
    static = {"sku": {"name": "Standard"}, "public_ip_allocation_method": "Static", "location": "westeurope"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in llm.world.environment.items():
            patch.setenv(name, value)
        run_module("public_ip_address", resource_group=f"{llm.prefix}-resources", name="foreign", **static)
        run_module("resource_group", name="elsewhere", location="westeurope")
        run_module("public_ip_address", resource_group="elsewhere", name="tagged", tags=tags, **static)
    destroyed = llm.destroy().ok()
    assert "foreign" in destroyed.output
    store = llm.world.simulator.store
    left = {document["id"].rpartition("/providers/")[2] for _, document in store.within(llm.group)}
    left = {one for one in left if not one.startswith("Microsoft.Authorization/")}
    assert left == {f"{ADDRESSES}/foreign"}
    elsewhere = f"/subscriptions/{llm.world.simulator.subscription}/resourceGroups/elsewhere"
    assert store.get(f"{elsewhere}/providers/{ADDRESSES}/tagged")
    assert llm.world.clusters.caught_up()
    assert llm.world.cluster is None
    assert llm.world.databases.servers == {}
    # No role of what is gone stays behind.
    people = {one.object_id for one in llm.world.simulator.principals.everyone()}
    assignments = store.all("Microsoft.Authorization/roleAssignments")
    assert {one["properties"]["principalId"] for one in assignments} <= people
    # Again, with nothing to do; and then a new one under the same name.
    assert not llm.destroy().ok().changed
