# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory: users, groups, service principals and managed identities."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .simulator import Simulator

USER, GROUP, SERVICE_PRINCIPAL = "User", "Group", "ServicePrincipal"


@dataclass
class Principal:
    """Who asks. A managed identity is a service principal whose `resource` is the identity's (or its owner's) id."""

    object_id: str
    kind: str
    name: str
    app_id: str = ""
    secret: str = ""
    resource: str = ""
    members: set[str] = field(default_factory=set)
    # Federated credentials of an app: {"issuer", "subject", "audiences"}. Those of an identity are in the store.
    federated: list[dict[str, Any]] = field(default_factory=list)
    # From when on role assignments know it.
    known_from: float = 0.0


class Directory:
    """All principals. Ids are drawn from the simulator's seeded generator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._all: dict[str, Principal] = {}
        self._apps: dict[str, Principal] = {}

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._simulator.rng.getrandbits(128), version=4))

    def _add(self, principal: Principal) -> Principal:
        self._all[principal.object_id] = principal
        if principal.app_id:
            self._apps[principal.app_id] = principal
        return principal

    def add_user(self, name: str) -> Principal:
        return self._add(Principal(self._new_id(), USER, name))

    def add_group(self, name: str, members: Iterable[Principal] = ()) -> Principal:
        return self._add(Principal(self._new_id(), GROUP, name, members={one.object_id for one in members}))

    def add_service_principal(self, name: str, secret: str = "", app_id: str = "") -> Principal:
        """Add an app registration with its service principal, known everywhere at once."""
        return self._add(Principal(self._new_id(), SERVICE_PRINCIPAL, name, app_id or self._new_id(), secret))

    def add_managed_identity(self, name: str, object_id: str = "", app_id: str = "", resource: Any = "") -> Principal:
        """Add the service principal of a managed identity, which role assignments know only after a while.

        `resource` is the identity's id, below which its federated credentials are.
        """
        known_from = self._simulator.clock.now() + self._simulator.delays.identity
        ids = (object_id or self._new_id(), SERVICE_PRINCIPAL, name, app_id or self._new_id())
        return self._add(Principal(*ids, resource=str(resource), known_from=known_from))

    def remove(self, object_id: str) -> None:
        gone = self._all.pop(object_id, None)
        if gone is not None:
            self._apps.pop(gone.app_id, None)

    def get(self, object_id: str) -> Principal | None:
        return self._all.get(object_id.lower())

    def everyone(self) -> list[Principal]:
        return list(self._all.values())

    def by_app(self, app_id: str) -> Principal | None:
        return self._apps.get(app_id.lower())

    def by_resource(self, resource: Any) -> Principal | None:
        key = str(resource).lower()
        return next((one for one in self._all.values() if one.resource.lower() == key), None)

    def known(self, object_id: str) -> bool:
        """Whether a role can be assigned to it by now: what is not known gets 400 PrincipalNotFound."""
        principal = self.get(object_id)
        return principal is not None and self._simulator.clock.passed(principal.known_from)

    def groups_of(self, object_id: str) -> set[str]:
        """List the principal itself and all groups that it is in, through other groups as well."""
        found = {object_id}
        while True:
            more = {one.object_id for one in self._all.values() if one.members & found} - found
            if not more:
                return found
            found |= more
