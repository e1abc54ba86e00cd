# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metadata service of a virtual machine (IMDS): what the machine is, and tokens of its identities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import Answer
from .federation import EntraError

if TYPE_CHECKING:
    from .arm import Request
    from .principals import Principal
    from .simulator import Simulator

_NAMES = {"client_id": "app_id", "object_id": "object_id", "mi_res_id": "resource", "msi_res_id": "resource"}


def refusal(status: int, error: str, text: str) -> Answer:
    return Answer(status, {"error": error, "error_description": text}, {"Content-Type": "application/json"})


class Machine:
    """The machine that the tests run on, as Azure would see it. Without identities, it gives no token."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self.name = "simulator-vm"
        self.group = "simulator-vm"
        self.location = "westeurope"
        self.identities: list[Principal] = []

    def handle(self, request: Request) -> Answer:
        if request.headers.get("metadata", "").lower() != "true":
            return refusal(400, "invalid_request", "Required metadata header not specified")
        if "x-forwarded-for" in request.headers:
            return refusal(400, "invalid_request", "The request was forwarded")
        if not request.api_version:
            return refusal(400, "invalid_request", "Required query variable 'api-version' is missing")
        if request.path == "/metadata/instance":
            return Answer(200, self._instance())
        if request.path == "/metadata/identity/oauth2/token":
            return self._token(request)
        return refusal(404, "not_found", f"The requested resource '{request.path}' was not found")

    def _token(self, request: Request) -> Answer:
        resource = request.query.get("resource", "")
        if not resource:
            return refusal(400, "invalid_request", "Required query variable 'resource' is missing")
        asked = [(_NAMES[name], value) for name, value in request.query.items() if name in _NAMES]
        fits = [one for one in self.identities if all(getattr(one, key).lower() == v.lower() for key, v in asked)]
        if not fits:
            return refusal(400, "invalid_request", "Identity not found")
        if len(fits) > 1:
            text = "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity "
            text += "in the token request"
            return refusal(400, "invalid_request", text)
        try:
            return Answer(200, self._simulator.tokens.for_machine(fits[0], resource))
        except EntraError as error:
            return error.answer(self._simulator)

    def _instance(self) -> dict[str, Any]:
        subscription = self._simulator.subscription
        prefix = f"/subscriptions/{subscription}/resourceGroups/{self.group}/providers/Microsoft.Compute"
        compute = {
            "azEnvironment": "AzurePublicCloud",
            "location": self.location,
            "name": self.name,
            "osType": "Linux",
            "provider": "Microsoft.Compute",
            "resourceGroupName": self.group,
            "resourceId": f"{prefix}/virtualMachines/{self.name}",
            "subscriptionId": subscription,
            "tags": "",
            "tagsList": [],
            "vmId": "02aab8a4-74ef-476e-8182-f6d2ba4166a6",
            "vmSize": "Standard_D2s_v5",
            "zone": "1",
        }
        return {"compute": compute, "network": {"interface": []}}
