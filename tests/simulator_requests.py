# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""For tests of the simulator's providers: requests without a network, and a sign-in for Azure's own SDKs."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from azure.identity import ClientSecretCredential

from simulator.arm import Request
from simulator.simulator import Simulator, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from simulator.arm import Answer
    from simulator.principals import Principal

GROUP = "rg"
SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"
GROUP_ID = f"{SUBSCRIPTION}/resourceGroups/{GROUP}"
ACCOUNTS = f"{GROUP_ID}/providers/Microsoft.Storage/storageAccounts"


class Requests:
    """Resource Manager as one principal sees it, or as nobody who may do all. A resource group is there."""

    version = ""

    def __init__(self, **settings: Any) -> None:
        self.simulator = Simulator(**settings)
        self.principal: Principal | None = None
        make_group(self.simulator)

    def call(self, method: str, path: str, body: Any = None, version: str = "", **query: str) -> Answer:
        request = Request(self.simulator, method, path, {"api-version": version or self.version, **query})
        request.plain, request.principal = True, self.principal
        if body is not None:
            request.raw = json.dumps(body).encode()
        return self.simulator.handle(request)


class Storage(Requests):
    """Requests for storage accounts."""

    version = "2023-01-01"

    def account(self, name: str = "teas", **body: Any) -> Answer:
        asked = {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, **body}
        return self.call("PUT", f"{ACCOUNTS}/{name}", asked)

    def ready(self, name: str = "teas", **body: Any) -> str:
        """Make one, and return its id when that is done."""
        assert self.account(name, **body).status == 202
        self.simulator.clock.advance(18)
        return f"{ACCOUNTS}/{name}"


def make_group(simulator: Simulator, name: str = GROUP) -> None:
    request = Request(simulator, "PUT", f"{SUBSCRIPTION}/resourceGroups/{name}", {"api-version": "2021-04-01"})
    request.plain, request.raw = True, b'{"location": "westeurope"}'
    assert simulator.handle(request).status == 201


def code(answer: Answer) -> str:
    """Return the code of an error."""
    return str(answer.body["error"]["code"])


@contextmanager
def signed_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ClientSecretCredential, Simulator]]:
    """Yield the owner's credential, and the simulator that every SDK finds behind its production host names."""
    with running() as run:
        for name, value in run.environment.items():
            monkeypatch.setenv(name, value)
        simulator, owner = run.simulator, run.simulator.owner
        make_group(simulator)
        with ClientSecretCredential(simulator.tenant, owner.app_id, owner.secret) as credential:
            yield credential, simulator
