# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry's long operations: a resource's writes have operationStatuses below it, deletions operationResults."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from ..arm import Answer, AzureError, Operation, Request, ResourceId

if TYPE_CHECKING:
    from collections.abc import Callable


def begin(request: Request, rid: ResourceId, seconds: float, on_done: Callable[[], Any], verb: str = "") -> Operation:
    """Begin an operation on what is stored. When it fails, the resource says so; an action (`verb`) leaves it alone."""
    simulator = request.simulator

    def fail(state: str, error: dict[str, Any]) -> None:
        del error
        document = simulator.store.get(rid)
        if document is not None and not verb:
            document["properties"]["provisioningState"] = state

    noun = rid.types[-1].lower()
    name = f"{noun}-{uuid.UUID(int=simulator.rng.getrandbits(128), version=4)}"
    kind = f"{rid.type} {verb or request.method}"
    return simulator.operations.start(seconds, kind=kind, on_done=on_done, on_failed=fail, resource=rid, id=name)


def status_header(request: Request, rid: ResourceId, operation: Operation) -> dict[str, str]:
    return {"Azure-AsyncOperation": request.url(f"{rid}/operationStatuses/{operation.id}")}


def result_header(request: Request, location: str, operation: Operation) -> dict[str, str]:
    path = f"/subscriptions/{request.path.split('/')[2]}/providers/Microsoft.ContainerRegistry/locations/{location}"
    return {"Location": request.url(f"{path}/operationResults/{operation.id}")}


def _find(request: Request, name: str) -> Operation:
    operation = request.simulator.operations.find(name)
    if operation is None:
        raise AzureError(404, "ResourceNotFound", f"The resource {name} could not be found.")
    return operation


def status(request: Request, rid: ResourceId, name: str, state: str) -> Answer:
    """While it lasts, the status is the resource's own (Creating, Updating)."""
    operation = _find(request, name)
    body: dict[str, Any] = {"status": operation.status if operation.done else state}
    if operation.error:
        body["error"] = operation.error
    return Answer(200, body, status_header(request, rid, operation))


def result(request: Request, location: str, name: str) -> Answer:
    operation = _find(request, name)
    if not operation.done:
        return Answer(202, {"status": "Accepted"}, result_header(request, location, operation))
    if operation.error:
        raise AzureError(400, operation.error["code"], operation.error["message"])
    return Answer(200, operation.result)
