# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several cases build on."""

from __future__ import annotations

from simulator.simulator import SUBSCRIPTION

GROUP = ("resource_group", {"name": "tea", "location": "westeurope"})
PLACE = {"resource_group": "tea", "location": "westeurope"}
IN_GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/tea/providers/"
IDENTITIES = [("user_assigned_identity", {**PLACE, "name": name}) for name in ("sugar", "milk")]


def sent(path: str) -> set[str]:
    return {f"properties.{path}"}


def identity_id(name: str) -> str:
    return f"{IN_GROUP}Microsoft.ManagedIdentity/userAssignedIdentities/{name}"


def identities(*names: str) -> dict[str, object]:
    return {"type": "UserAssigned", "user_assigned_identities": [identity_id(name) for name in names]}
