# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role-based access: who may do what, where, and from when on."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .arm import GATEWAY, AzureError, ResourceId, resource_id
from .roles import BUILTIN, IDS

if TYPE_CHECKING:
    from .principals import Principal
    from .simulator import Simulator

ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
DEFINITIONS = "Microsoft.Authorization/roleDefinitions"


@dataclass
class Delays:
    """How long Azure takes to spread what it has already confirmed, in its own seconds.

    Seen in azure-service-operator's and azure-cli's recordings: 30 answers PrincipalNotFound against 44 successes.
    The time that a grant takes is second-hand: usually a few minutes, documented as up to ten.
    """

    # Until role assignments know a new managed identity.
    identity: float = 25.0
    # Until a role assignment lets one in, in Resource Manager and in the data planes.
    grant: float = 60.0
    data_grant: float = 300.0


NO_DELAYS = Delays(0, 0, 0)


@lru_cache(maxsize=4096)
def _pattern(action: str) -> re.Pattern[str]:
    return re.compile(re.escape(action).replace(r"\*", ".*"), re.IGNORECASE)


def _listed(action: str, patterns: list[str]) -> bool:
    return any(_pattern(one).fullmatch(action) for one in patterns)


class Access:
    """Reads the assignments and custom roles that the provider Microsoft.Authorization keeps in the store."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def definition(self, name: str) -> dict[str, Any] | None:
        """Find a role definition by its id (with or without a scope before it), or by its plain name."""
        last = name.rstrip("/").split("/")[-1].lower()
        found = BUILTIN.get(IDS.get(name, last))
        if found is not None:
            return found
        custom = self._simulator.store.all(DEFINITIONS)
        return next(
            (one for one in custom if last == one["name"].lower() or name == one["properties"]["roleName"]), None
        )

    def allowed(self, principal: Principal, action: str, scope: ResourceId | str, *, data: bool = False) -> bool:
        """Whether it may: some role of its allows the action and does not take it back."""
        scope = resource_id(scope)
        yes, no = ("dataActions", "notDataActions") if data else ("actions", "notActions")
        for assignment in self._assignments(principal, scope, data=data):
            definition = self.definition(assignment["properties"]["roleDefinitionId"])
            for permission in definition["properties"]["permissions"] if definition else ():
                if _listed(action, permission.get(yes) or []) and not _listed(action, permission.get(no) or []):
                    return True
        return False

    def require(self, principal: Principal, action: str, scope: ResourceId | str) -> None:
        """Raise 403 AuthorizationFailed, in Azure's words, if it is not allowed."""
        if not self.allowed(principal, action, scope):
            client = principal.app_id or principal.name
            message = (
                f"The client '{client}' with object id '{principal.object_id}' does not have authorization to perform "
                f"action '{action}' over scope '{scope}' or the scope is invalid. "
                "If access was recently granted, please refresh your credentials."
            )
            raise AzureError(403, "AuthorizationFailed", message, headers=GATEWAY)

    def effective(self) -> dict[str, float]:
        """Give the private keys of an assignment that is made now: from when on it works."""
        now, delays = self._simulator.clock.now(), self._simulator.delays
        return {"_effective": now + delays.grant, "_data_effective": now + delays.data_grant}

    def grant(self, principal: Principal, role: str, scope: ResourceId | str) -> dict[str, Any]:
        """For tests: an assignment that works at once."""
        name = str(uuid.UUID(int=self._simulator.rng.getrandbits(128), version=4))
        rid = resource_id(scope).child(ASSIGNMENTS, name)
        now = self._simulator.clock.text()
        properties = {
            "roleDefinitionId": f"{resource_id(scope).subscription_id}/providers/{DEFINITIONS}/{IDS.get(role, role)}",
            "principalId": principal.object_id,
            "principalType": principal.kind,
            "scope": str(scope),
            "condition": None,
            "conditionVersion": None,
            "createdOn": now,
            "updatedOn": now,
            "createdBy": "",
            "updatedBy": "",
            "delegatedManagedIdentityResourceId": None,
            "description": None,
        }
        return self._simulator.store.put(
            rid, {"properties": properties, "id": str(rid), "type": ASSIGNMENTS, "name": name}
        )

    def _assignments(self, principal: Principal, scope: ResourceId, *, data: bool) -> list[dict[str, Any]]:
        """List what has been assigned to a principal or one of its groups, at a scope or above it."""
        who = self._simulator.principals.groups_of(principal.object_id)
        key = "_data_effective" if data else "_effective"
        passed = self._simulator.clock.passed
        return [
            one
            for one in self._simulator.store.all(ASSIGNMENTS)
            if one["properties"]["principalId"] in who
            and scope.within(one["properties"]["scope"])
            and passed(one.get(key, 0))
        ]
