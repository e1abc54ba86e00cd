# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long operations of AKS: how they are begun, polled, and kept from overlapping."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..arm import ARM, CANCELED, IN_PROGRESS, SUCCEEDED, Answer, AzureError, Operation, resource_not_found
from .containerservice_checks import SETTLED, refuse

__all__ = ["CANCELED", "SUCCEEDED"]

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..arm import Request, ResourceId

# Medians of what was recorded, in seconds. What isn't recorded is a guess by what is like it.
CREATE, UPDATE, DELETE, START, STOP, ROTATE, ABORT = 275, 150, 211, 272, 121, 600, 60
POOL, POOL_DELETE, IMAGE, BINDING = 184, 184, 184, 15
POLL_VERSION = "2016-03-30"


def begin(
    request: Request,
    rid: ResourceId,
    seconds: float,
    on_done: Callable[[], Any],
    on_failed: Callable[[str, dict[str, Any]], Any],
    *,
    verb: str = "",
) -> Operation:
    """Begin an operation on a resource; the script of faults knows it as e.g. `…/managedClusters PUT`."""
    kind = f"{rid.type} {verb or request.method}"
    return request.simulator.operations.start(seconds, kind=kind, on_done=on_done, on_failed=on_failed, resource=rid)


def headers(rid: ResourceId, location: str, operation: Operation, *, result: bool) -> dict[str, str]:
    """Say where to poll: a PUT's operation, and for DELETE and POST a Location too. There is never a Retry-After."""
    place = f"{ARM}/subscriptions/{rid.subscription}/providers/Microsoft.ContainerService/locations/{location}"
    found = {"Azure-AsyncOperation": f"{place}/operations/{operation.id}?api-version={POLL_VERSION}"}
    if result:
        found["Location"] = f"{place}/operationresults/{operation.id}?api-version={POLL_VERSION}"
    return found


def polled(request: Request, identifier: str) -> Answer:
    """GET …/operations/ID."""
    operation = find(request, identifier)
    clock = request.simulator.clock
    # The name is the id with the bytes of its first three parts in Windows' order.
    name = identifier
    with suppress(ValueError):
        name = str(uuid.UUID(bytes_le=uuid.UUID(identifier).bytes))
    body: dict[str, Any] = {
        "name": name,
        "status": operation.status,
        "startTime": clock.text(operation.started),
    }
    if operation.ended is not None:
        body["endTime"] = clock.text(operation.ended)
    if operation.error:
        body["error"] = operation.error
    return Answer(200, body)


def result(request: Request, identifier: str) -> Answer:
    """GET …/operationresults/ID: nothing to show, neither before nor after its end."""
    operation = find(request, identifier)
    return Answer(202 if operation.status == IN_PROGRESS else 204, None, {"Location": request.url(request.path)})


def find(request: Request, identifier: str) -> Operation:
    operation = request.simulator.operations.find(identifier)
    if operation is None:
        raise not_found("GetOperation", "Operation not found", f"Could not find the operation {identifier}.")
    return operation


def not_found(subcode: str, what: str, message: str, *, more: str = "") -> AzureError:
    """AKS's own way of saying that something isn't there."""
    details = [{"code": "Unspecified", "message": f"rpc error: code = NotFound desc = {what}"}]
    return AzureError(404, "NotFound", message, wrapped=False, details=details, subcode=f"{subcode}_NotFound{more}")


def busy(document: dict[str, Any]) -> bool:
    return document["properties"].get("provisioningState") not in SETTLED


def need_idle(cluster: dict[str, Any], pools: list[dict[str, Any]]) -> None:
    """Refuse a change while another one is under way on any of these."""
    for document in (cluster, *pools):
        if not busy(document):
            continue
        state = document["properties"]["provisioningState"]
        what = state if document is cluster else f"{document['name']} - {state}"
        message = (
            f"Operation is not allowed: Another operation ({what}) is in progress, please wait for it to finish before "
            "starting a new operation. See https://aka.ms/aks-pending-operation for more details"
        )
        raise refuse(409, "OperationNotAllowed", message)


def need_running(cluster: dict[str, Any], doing: str) -> None:
    """Refuse to change a cluster that is stopped."""
    properties = cluster["properties"]
    if properties["powerState"]["code"] == "Stopped":
        raise wrong_power(properties, doing)


def wrong_power(properties: dict[str, Any], doing: str) -> AzureError:
    message = (
        f"managed cluster is in Provisioning State({properties['provisioningState']}) and "
        f"Power State({properties['powerState']['code']}), {doing} cannot be performed"
    )
    return refuse(400, "OperationNotAllowed", message)


def etag_mismatch(rid: ResourceId) -> AzureError:
    """Return the error of a DELETE while another operation holds the cluster, as recorded."""
    message = (
        f"Failed to save managed cluster {rid.name} in subscription {rid.subscription}, resource group {rid.group}. "
        "Operation is not allowed: Another operation is in progress"
    )
    details = [{"code": "Unspecified", "message": "rpc error: code = FailedPrecondition desc = Etag mismatched"}]
    subcode = "PutManagedClusterAndAgentPools_FailedPrecondition"
    return AzureError(409, "EtagMismatch", message, wrapped=False, details=details, subcode=subcode)


def stale_etag() -> AzureError:
    """Return the error of If-Match with another etag than the resource's. Second-hand."""
    details = [{"code": "Unspecified", "message": "rpc error: code = FailedPrecondition desc = Etag mismatched"}]
    return AzureError(
        412, "EtagMismatch", "The etag of the request doesn't match the resource's.", wrapped=False, details=details
    )


def cluster_not_found(usual: AzureError, request: Request, cluster: ResourceId) -> AzureError:
    """Return the error of a child without a cluster; that of DELETE, as recorded, says that the cluster isn't there."""
    if request.method != "DELETE":
        return usual
    return resource_not_found(f"Microsoft.ContainerService/managedClusters/{cluster.name}", cluster.group)


def abort(request: Request, rid: ResourceId, location: str, shown: dict[str, Any]) -> Answer:
    """Cancel what is under way. It is over for the resource at once, and for the client after a minute."""
    pending = request.simulator.operations.pending(rid)
    if not pending and not request.simulator.clock.instant:
        message = "There is no operation under way that could be aborted."
        raise refuse(409, "OperationNotAllowed", message)

    def done() -> None:
        for operation in pending:
            request.simulator.operations.cancel(operation)

    operation = begin(request, rid, ABORT, done, lambda _status, _error: None, verb="abort")
    return Answer(202, shown, headers(rid, location, operation, result=True))
