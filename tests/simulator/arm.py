# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What providers are written against: requests, answers, ids, operations, and the resource type that they subclass."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import GATEWAY, Answer, AzureError, DropConnectionError
from .ids import ResourceId, resource_id
from .operations import CANCELED, FAILED, IN_PROGRESS, SUCCEEDED, Operation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .principals import Principal
    from .simulator import Simulator

__all__ = [
    "ARM",
    "CANCELED",
    "FAILED",
    "GATEWAY",
    "IN_PROGRESS",
    "SUCCEEDED",
    "Answer",
    "AzureError",
    "DropConnectionError",
    "Operation",
    "Request",
    "ResourceId",
    "ResourceType",
    "resource_id",
]

ARM = "https://management.azure.com"


@dataclass
class Request:
    """What a provider sees. Header names and the names of `query` are in lower case."""

    simulator: Simulator
    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes = b""
    host: str = "management.azure.com"
    # As it came, with the query.
    target: str = ""
    # Came over plain HTTP: nobody asks for a token, and `principal` stays None, which may do all.
    plain: bool = False
    principal: Principal | None = None
    body: Any = None
    # The fault, with its options, that is to spoil the answer.
    spoilt: tuple[str, dict[str, Any]] | None = None

    @property
    def api_version(self) -> str:
        return self.query.get("api-version", "")

    def parse(self) -> None:
        """Read the JSON body."""
        if not self.raw.strip():
            return
        try:
            self.body = json.loads(self.raw)
        except ValueError as error:
            message = f"The request content was invalid and could not be deserialized: '{error}'."
            raise AzureError(400, "InvalidRequestContent", message, headers=GATEWAY) from None

    def url(self, path: str) -> str:
        """Write a URL of this API for a header, with the request's api-version."""
        return f"{ARM}{path}?api-version={self.api_version}"


class ResourceType:
    """One resource type. A provider subclasses it and lists an instance in its module's TYPES.

    `current` is the stored document or None. The core has already made sure that the caller may do it, that the
    resource group and the parent are there, and (for all but PUT and DELETE) that the resource is.
    """

    # In canonical case; children are "Microsoft.X/things/parts".
    type = ""
    # The API versions that the type knows; empty: any date will do.
    api_versions: tuple[str, ...] = ()
    # Whether it can be put upon any other resource.
    extension = False
    # Whether the core looks for the parent of a nested resource.
    needs_parent = True

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        """PUT."""
        raise self.no_such_method(request, rid, current)

    def update(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        """PATCH."""
        raise self.no_such_method(request, rid, current)

    def read(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        """GET."""
        return Answer(200, self.present(request, rid, current))

    def head(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        """HEAD."""
        del request, rid, current
        return Answer(204)

    def collection(self, request: Request, rid_parent: ResourceId, items: list[dict[str, Any]]) -> Answer:
        """GET of all in a subscription, a group or below a parent, whose id is given."""
        del rid_parent
        return Answer(200, {"value": [self.present(request, ResourceId(item["id"]), item) for item in items]})

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        """DELETE."""
        if current is None:
            return Answer(204)
        request.simulator.store.delete(rid)
        return Answer(200)

    def action(self, request: Request, rid: ResourceId, current: dict[str, Any], name: str) -> Answer:
        """POST (or whatever else) …/name. A name can have slashes, where no type of its own is known for them."""
        del current, name
        raise self.no_such_type(request, rid)

    def present(self, request: Request, rid: ResourceId, stored: dict[str, Any]) -> dict[str, Any]:
        """Show the stored document as the answer's body: without private keys, and as the API version has it."""
        del request, rid
        return {key: value for key, value in stored.items() if not key.startswith("_")}

    def load(self, request: Request, rid: ResourceId) -> dict[str, Any] | None:
        """Get the stored document. Override it for what nobody has to make, such as blobServices/default."""
        return request.simulator.store.get(rid)

    def etag(self, current: dict[str, Any]) -> str | None:
        """Get the entity tag that If-Match and If-None-Match are compared with; None: the type knows none."""
        del current
        return None

    def location_route(self, request: Request, location: str, rest: list[str]) -> Answer | None:
        """/subscriptions/S/providers/NAMESPACE/locations/LOCATION/rest…, asked of every type; None: not mine."""
        del request, location, rest
        return None

    def provider_route(self, request: Request, rest: list[str]) -> Answer | None:
        """[/subscriptions/S[/resourceGroups/G]]/providers/NAMESPACE/rest…, where no type matches; None: not mine."""
        del request, rest
        return None

    def not_found(self, rid: ResourceId) -> AzureError:
        namespace, *types = self.type.split("/")
        return resource_not_found("/".join((namespace, *_interleave(types, rid.names))), rid.group)

    def parent_not_found(self, request: Request, rid: ResourceId, parent: ResourceId) -> AzureError:
        kind = "/".join(self.type.split("/")[1:])
        verb = {"DELETE": "delete", "PUT": "write", "PATCH": "write"}.get(request.method, "read")
        message = (
            f"Failed to perform '{verb}' on resource(s) of type '{kind}', because the parent resource "
            f"'{parent}' could not be found."
        )
        if verb == "read":
            return resource_not_found("/".join((parent.provider, *_interleave(parent.types, parent.names))), rid.group)
        return AzureError(404, "ParentResourceNotFound", message, headers=GATEWAY)

    def precondition_failed(self, request: Request, current: dict[str, Any] | None) -> AzureError:
        """Refuse a request whose If-Match or If-None-Match does not hold."""
        del request, current
        return AzureError(
            412, "PreconditionFailed", "The condition specified using HTTP conditional header(s) is not met."
        )

    def no_such_type(self, request: Request, rid: ResourceId) -> AzureError:
        return invalid_resource_type(rid.provider, request.api_version)

    def no_such_method(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> AzureError:
        del current
        message = f"The requested resource does not support http method '{request.method}'."
        return AzureError(405, "HttpMethodNotAllowed", message, target=str(rid))


def _interleave(types: Any, names: Any) -> list[str]:
    """Canonical types with the caller's names: things/NAME/parts/NAME."""
    pairs: list[str] = []
    for number, name in enumerate(names):
        pairs += [types[number] if number < len(types) else "", name]
    return pairs


def resource_not_found(what: str, group: str) -> AzureError:
    """Say that `what` (Microsoft.X/things/NAME) is not there."""
    message = (
        f"The Resource '{what}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    )
    return AzureError(404, "ResourceNotFound", message, headers=GATEWAY)


def group_not_found(group: str) -> AzureError:
    return AzureError(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.", headers=GATEWAY)


def invalid_resource_type(namespace: str, api_version: str) -> AzureError:
    message = f"The resource type could not be found in the namespace '{namespace}' for api version '{api_version}'."
    return AzureError(404, "InvalidResourceType", message, headers=GATEWAY)
