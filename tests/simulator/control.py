# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control API, for what drives the simulator from another process: POST /_simulator/NAME with a JSON object."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .arm import Answer, AzureError, Request
from .faults import Faults

if TYPE_CHECKING:
    from .simulator import Simulator


class Control:
    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def handle(self, request: Request) -> Answer:
        """Call the method that the path names, with the body's members."""
        name = request.path.removeprefix("/_simulator/")
        try:
            request.parse()
            known = {"GET": self._gets, "POST": self._posts}.get(request.method, {})
            if name not in known:
                return Answer(404, {"error": {"code": "NotFound", "message": f"There is no {request.path}."}})
            with self._simulator.lock:
                return Answer(200, known[name](**(request.body or {})))
        except AzureError as error:
            return error.answer()
        except (TypeError, ValueError, KeyError) as error:
            return Answer(400, {"error": {"code": "BadRequest", "message": str(error)}})

    @property
    def _gets(self) -> dict[str, Any]:
        return {"log": lambda: list(self._simulator.log), "faults": self.happened, "environment": self.owner}

    @property
    def _posts(self) -> dict[str, Any]:
        return {
            "reset": self.reset,
            "advance": self.advance,
            "faults": self.faults,
            "principals": self.principal,
            "grants": self.grant,
            "unregister": self.unregister,
        }

    def happened(self) -> list[Any]:
        return list(self._simulator.faults.happened)

    def owner(self) -> dict[str, str]:
        """Return the built-in service principal, which is the subscription's owner."""
        simulator = self._simulator
        secret = {"client_id": simulator.owner.app_id, "client_secret": simulator.owner.secret}
        return {"tenant_id": simulator.tenant, "subscription_id": simulator.subscription, **secret}

    def reset(self) -> dict[str, Any]:
        self._simulator.reset()
        return {}

    def advance(self, seconds: float) -> dict[str, Any]:
        self._simulator.clock.advance(float(seconds))
        self._simulator.operations.settle()
        return {"now": self._simulator.clock.now()}

    def faults(self, **script: Any) -> dict[str, Any]:
        """Set a script: {"seed", "rate", "rules": [{"fault", "method", "path", "nth", "times", "options"}]}."""
        self._simulator.faults = Faults(**script)
        return {}

    def principal(self, kind: str, name: str, **more: Any) -> dict[str, Any]:
        """Make a User, a Group (`members`: object ids) or a ServicePrincipal (`secret`)."""
        directory = self._simulator.principals
        if kind == "User":
            made = directory.add_user(name)
        elif kind == "Group":
            made = directory.add_group(name)
            made.members |= set(more.get("members", ()))
        else:
            made = directory.add_service_principal(name, **more)
        return {**asdict(made), "members": sorted(made.members)}

    def grant(self, principal: str, role: str, scope: str) -> dict[str, Any]:
        """Assign a role, by its name or id, to the principal with an object id. It works at once."""
        found = self._simulator.principals.get(principal)
        if found is None:
            raise ValueError(f"There is no principal {principal}.")
        return self._simulator.access.grant(found, role, scope)

    def unregister(self, namespace: str) -> dict[str, Any]:
        self._simulator.unregister(namespace)
        return {}
