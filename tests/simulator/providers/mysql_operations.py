# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long operations of MySQL Flexible Server, and what a server must be like for them to begin.

Recorded: every write is 202 with both polling URLs and Retry-After (60 s, or 15 s for parameters, databases and the
server's own deletion), a body that names the operation, polls that repeat Retry-After even when the operation has
ended, and several operations on parts of one server at the same time. Second-hand: what a busy or stopped server
answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..arm import IN_PROGRESS, Answer, AzureError, ResourceId, ResourceType
from .documents import azure_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..arm import Operation, Request

SERVERS = "Microsoft.DBforMySQL/flexibleServers"
# What is to be asked for every 15 s rather than every minute.
QUICK = {
    f"{SERVERS} DELETE",
    f"{SERVERS}/databases PUT",
    f"{SERVERS}/databases DELETE",
    f"{SERVERS}/configurations PUT",
    f"{SERVERS}/configurations PATCH",
}


class Part(ResourceType):
    """What servers and their parts have in common: a long operation for every write."""

    def begin(  # noqa: PLR0917
        self,
        request: Request,
        owner: dict[str, Any],
        name: str,
        seconds: float,
        on_done: Callable[[], Any],
        on_failed: Callable[..., Any] | None = None,
    ) -> Answer:
        """`owner` is the server, `name` the operation's own, `seconds` Azure's."""

        def done() -> ResourceId | None:
            on_done()
            return ResourceId(request.path) if request.method in {"PUT", "PATCH"} else None

        started = request.simulator.operations.start(
            seconds, kind=f"{self.type} {request.method}", on_done=done, on_failed=on_failed, resource=owner["id"]
        )
        # Recorded: the deletion of a server, and nothing else, names the location as the server shows it.
        location = owner["location"] if started.kind == f"{SERVERS} DELETE" else owner["_location"]
        subscription = owner["id"].split("/")[2]
        place = f"/subscriptions/{subscription}/providers/Microsoft.DBforMySQL/locations/{quote(location)}"
        headers = {
            "Azure-AsyncOperation": request.url(f"{place}/azureAsyncOperation/{started.id}"),
            "Location": request.url(f"{place}/operationResults/{started.id}"),
            "Retry-After": retry_after(started),
        }
        return Answer(202, {"operation": name, "startTime": azure_time(started.started)}, headers)


def retry_after(operation: Operation) -> str:
    return "15" if operation.kind in QUICK else "60"


def ready(server: dict[str, Any], operation: str) -> None:
    state = server["properties"]["state"]
    if state != "Ready":
        text = (
            f"Operation '{operation}' cannot be performed as server '{server['name']}' is currently in state '{state}'."
        )
        raise AzureError(409, "ServerUnavailableForOperation", text)


def idle(request: Request, server: dict[str, Any]) -> None:
    """Refuse while parts are worked on: an operation on the server itself waits for those on its parts."""
    if request.simulator.operations.pending(server["id"]):
        text = f"Server '{server['name']}' is busy with another operation. Please try again later."
        raise AzureError(409, "ServerBusy", text)


def _find(request: Request, name: str) -> Operation:
    operation = request.simulator.operations.find(name)
    if operation is None:
        raise AzureError(404, "ResourceNotFound", f"The requested operation '{name}' was not found.")
    return operation


def poll(request: Request, name: str) -> Answer:
    """GET …/azureAsyncOperation/NAME."""
    operation = _find(request, name)
    body = {"name": name, "status": operation.status, "startTime": azure_time(operation.started)}
    if operation.error:
        body["error"] = operation.error
    return Answer(200, body, {"Retry-After": retry_after(operation)})


def result(request: Request, name: str) -> Answer:
    """GET …/operationResults/NAME: the resource that was written. Second-hand, from what the SDK makes of it."""
    operation = _find(request, name)
    if operation.status == IN_PROGRESS:
        return Answer(202, None, {"Location": request.url(request.path), "Retry-After": retry_after(operation)})
    if operation.error:
        raise AzureError(409, operation.error["code"], operation.error["message"])
    if operation.result is None:
        return Answer(204)
    kind = request.simulator.router.types[operation.result.type.lower()]
    return kind.read(request, operation.result, kind.load(request, operation.result))
