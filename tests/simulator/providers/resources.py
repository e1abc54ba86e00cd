# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft.Resources: resource groups, as recorded; and the lists of what is in them.

Recorded: statuses, bodies, headers, ResourceGroupNotFound, LocationNotAvailableForResourceGroup.
Second-hand: InvalidResourceGroupLocation, LocationRequired, ResourceGroupDeletionBlocked, the poll's answers.
"""

from __future__ import annotations

import re
from typing import Any

from ..arm import GATEWAY, SUCCEEDED, Answer, AzureError, Operation, Request, ResourceId, ResourceType, group_not_found
from .places import plain
from .regions import GROUP_REGIONS
from .resource_lists import fits, paged

_NAME = re.compile(r"[-\w.()]{0,89}[-\w()]")
# After the last of its resources has gone.
DELETION_SECONDS = 15
RETRY_AFTER = "15"


class ResourceGroups(ResourceType):
    type = "Microsoft.Resources/resourceGroups"

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        body = request.body if isinstance(request.body, dict) else {}
        location = self._location(rid, body, current)
        document = {
            "id": f"/subscriptions/{rid.subscription}/resourceGroups/{rid.group}",
            "name": rid.group,
            "type": self.type,
            "location": location,
            "properties": {"provisioningState": "Succeeded"},
        }
        document |= {key: body[key] for key in ("managedBy", "tags") if body.get(key) is not None}
        if current is not None:
            # The id keeps the case of the first PUT.
            document |= {key: current[key] for key in ("id", "name")}
        request.simulator.store.put(rid, document)
        return Answer(201 if current is None else 200, self.present(request, rid, document))

    def _location(self, rid: ResourceId, body: dict[str, Any], current: dict[str, Any] | None) -> str:
        location = body.get("location")
        if not _NAME.fullmatch(rid.group):
            message = f"The provided resource group name '{rid.group}' is not valid."
            raise AzureError(400, "InvalidResourceGroupName", message, headers=GATEWAY)
        if not isinstance(location, str) or not location:
            message = "The location property is required for this definition."
            raise AzureError(400, "LocationRequired", message, headers=GATEWAY)
        if plain(location) not in GROUP_REGIONS:
            message = (
                f"The provided location '{location}' is not available for resource group. "
                f"List of available regions is '{','.join(GROUP_REGIONS)}'."
            )
            raise AzureError(400, "LocationNotAvailableForResourceGroup", message, headers=GATEWAY)
        if current is not None and current["location"] != plain(location):
            message = (
                f"Invalid resource group location '{plain(location)}'. The Resource group already exists in location "
                f"'{current['location']}'."
            )
            raise AzureError(409, "InvalidResourceGroupLocation", message, headers=GATEWAY)
        return plain(location)

    def update(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        body = request.body if isinstance(request.body, dict) else {}
        current |= {key: body[key] for key in ("managedBy", "tags") if key in body}
        return Answer(200, self.present(request, rid, current))

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        if current is None:
            raise self.not_found(rid)
        running = request.simulator.operations.pending(rid)
        operation = running[0] if running else self._begin_deletion(request, rid, current)
        return poll_again(request, rid.subscription, operation)

    def _begin_deletion(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Operation:
        """Delete every resource by its own provider; when the last one has gone, the group goes."""
        simulator = request.simulator
        current["properties"] = {"provisioningState": "Deleting"}
        blocked = [str(inner) for inner in _outermost(request, rid) if not _deleted(request, inner)]
        ends = [operation.ends for operation in simulator.operations.within(rid)]

        def done() -> None:
            if blocked:
                raise _blocked(rid, blocked)
            for operation in simulator.operations.within(rid):
                simulator.operations.cancel(operation)
            simulator.store.delete(rid)

        def failed(*_: Any) -> None:
            current["properties"] = {"provisioningState": "Succeeded"}

        seconds = max(ends, default=simulator.clock.now()) - simulator.clock.now() + DELETION_SECONDS
        kind = f"{self.type} DELETE"
        return simulator.operations.start(seconds, kind=kind, on_done=done, on_failed=failed, resource=rid)

    def collection(self, request: Request, rid_parent: ResourceId, items: list[dict[str, Any]]) -> Answer:
        wanted = [
            self.present(request, rid_parent, one) for one in items if fits(request.query.get("$filter", ""), one)
        ]
        return Answer(200, paged(request, wanted))

    def not_found(self, rid: ResourceId) -> AzureError:
        return group_not_found(rid.group)


def _outermost(request: Request, group: ResourceId) -> list[ResourceId]:
    """Find the resources that lie in a group itself: neither below nor upon another one."""
    found = [rid for rid, _ in request.simulator.store.within(group)]
    types = request.simulator.router.types
    return [rid for rid in found if rid.parent() is None and not rid.scope.provider and not _extends(types, rid)]


def _extends(types: dict[str, ResourceType], rid: ResourceId) -> bool:
    kind = types.get(rid.type.lower())
    return kind is None or kind.extension


def _deleted(request: Request, rid: ResourceId) -> bool:
    """Whether the deletion of a resource has begun. What was under way on it is over."""
    simulator = request.simulator
    document = simulator.store.get(rid)
    if document is None:
        return True
    for operation in simulator.operations.pending(rid):
        simulator.operations.cancel(operation)
    try:
        simulator.router.types[rid.type.lower()].delete(request, rid, document)
    except AzureError:
        return False
    return True


def _blocked(rid: ResourceId, resources: list[str]) -> AzureError:
    names = ", ".join(one.split("/providers/", 1)[-1] for one in resources)
    message = (
        f"Deletion of resource group '{rid.group}' failed as resources with identifiers '{names}' could not be "
        "deleted. The provisioning state of the resource group will be rolled back. Please check audit logs for more "
        "details."
    )
    return AzureError(409, "ResourceGroupDeletionBlocked", message)


def poll_again(request: Request, subscription: str, operation: Operation) -> Answer:
    url = request.url(f"/subscriptions/{subscription}/operationresults/{operation.id}")
    return Answer(202, None, {"Location": url, "Retry-After": RETRY_AFTER})


def operation_result(request: Request, subscription: str, identifier: str) -> Answer:
    """Answer the poll of a group's deletion."""
    operation = request.simulator.operations.find(identifier)
    if operation is None:
        message = f"The operation result '{identifier}' could not be found."
        raise AzureError(404, "OperationResultNotFound", message, headers=GATEWAY)
    if not operation.done:
        return poll_again(request, subscription, operation)
    if operation.status != SUCCEEDED:
        return Answer(409, {"error": operation.error})
    return Answer(200)


TYPES = [ResourceGroups()]
