# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a path to the provider that answers for it, by way of everything that Azure checks before."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .arm import (
    GATEWAY,
    Answer,
    AzureError,
    Request,
    ResourceId,
    ResourceType,
    group_not_found,
    invalid_resource_type,
)

if TYPE_CHECKING:
    from typing import Any

    from .simulator import Simulator

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview|-alpha|-beta|-privatepreview)?", re.IGNORECASE)
_REGISTRATION = {"register", "unregister"}
_VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}


class Router:
    """Knows all types. `route` finds what a request is for, and calls it."""

    def __init__(self, simulator: Simulator, types: list[ResourceType]) -> None:
        self._simulator = simulator
        self.types = {one.type.lower(): one for one in types}
        self.namespaces: dict[str, list[ResourceType]] = {}
        for one in types:
            self.namespaces.setdefault(one.type.split("/")[0].lower(), []).append(one)

    def route(self, request: Request) -> Answer:
        self._check_version(request)
        request.parse()
        whole = ResourceId(request.path)
        self._check_subscription(request, whole)
        if not whole.provider:
            return self._without_provider(request, whole)
        if not whole.types or (whole.subscription and len(whole.segments) == 5 and whole.types[-1] in _REGISTRATION):
            return self._platform(request, whole)
        self._need_group(request, whole)
        if not whole.group and whole.types[0].lower() == "locations" and len(whole.segments) > 5:
            return self._location(request, whole)
        return self._resource(request, whole)

    def namespace(self, name: str) -> str:
        """Write a namespace in its canonical case."""
        known = self.namespaces.get(name.lower())
        return known[0].type.split("/")[0] if known else name

    # -- the kinds of path

    def _without_provider(self, request: Request, whole: ResourceId) -> Answer:
        groups = self.types["microsoft.resources/resourcegroups"]
        if len(whole.segments) == 4 and whole.group:
            return self._instance(request, groups, whole, "")
        if len(whole.segments) == 3 and whole.segments[2].lower() == "resourcegroups":
            return self._list(request, groups, whole.subscription_id, nested=False)
        return self._platform(request, whole)

    def _platform(self, request: Request, whole: ResourceId) -> Answer:
        """Subscriptions, locations, providers and their registration: what belongs to no resource type."""
        answer = None
        if request.method in {"GET", "POST"}:
            if request.method == "POST" and whole.provider:
                self._authorize(request, f"{self.namespace(whole.provider)}/register/action", whole.subscription_id)
            answer = self.types["microsoft.resources/subscriptions"].provider_route(request, list(whole.segments))
        if answer is None:
            raise invalid_resource_type(whole.provider or "Microsoft.Resources", request.api_version)
        return answer

    def _location(self, request: Request, whole: ResourceId) -> Answer:
        location, rest = whole.names[0], list(whole.segments[6:])
        self._authorize(request, f"{whole.type}/{_VERBS.get(request.method, 'action')}", whole.subscription_id)
        for one in self.namespaces.get(whole.provider.lower(), []):
            answer = one.location_route(request, location, rest)
            if answer is not None:
                return answer
        return self._provider(request, whole)

    def _provider(self, request: Request, whole: ResourceId) -> Answer:
        start = len(whole.scope.segments) + 2
        for one in self.namespaces.get(whole.provider.lower(), []):
            answer = one.provider_route(request, list(whole.segments[start:]))
            if answer is not None:
                return answer
        raise invalid_resource_type(whole.provider, request.api_version)

    def _resource(self, request: Request, whole: ResourceId) -> Answer:
        """Take the longest beginning of the path that is a known type; what follows it is an action's name."""
        names = list(whole.segments[len(whole.scope.segments) + 2 :])
        namespace = whole.provider.lower()
        for used in range(len(names), 0, -1):
            kind = self.types.get("/".join((namespace, *(part.lower() for part in names[0:used:2]))))
            if kind is None:
                continue
            rid = ResourceId("/".join(whole.segments[: len(whole.segments) - len(names) + used]))
            if used % 2 == 0:
                return self._instance(request, kind, rid, "/".join(names[used:]))
            if used == len(names):
                return self._collection(request, kind, rid)
        return self._provider(request, whole)

    def _collection(self, request: Request, kind: ResourceType, path: ResourceId) -> Answer:
        above = ResourceId("/".join(path.segments[:-1])) if len(path.types) > 1 else path.scope
        if request.method != "GET":
            self._authorize(request, f"{kind.type}/action", above)
        if len(path.types) > 1 and kind.needs_parent:
            self._need_parent(request, kind, path, above)
        if kind.extension:
            self._need_scope(request, above)
        if request.method != "GET":
            return kind.action(request, above, {}, path.types[-1])
        return self._list(request, kind, above, nested=len(path.types) > 1 or kind.extension)

    def _list(self, request: Request, kind: ResourceType, above: ResourceId, *, nested: bool) -> Answer:
        """List what the caller may read. Who may read nothing of it is refused."""
        store, access, who = self._simulator.store, self._simulator.access, request.principal
        items = store.children(above, kind.type) if nested else store.all(kind.type, above.subscription, above.group)
        action = f"{self._operation(kind)}/read"
        if who is not None and not access.allowed(who, action, above):
            items = [one for one in items if access.allowed(who, action, one["id"])]
            if not items:
                access.require(who, action, above)
        return kind.collection(request, above, items)

    @staticmethod
    def _operation(kind: ResourceType) -> str:
        """Name a type as roles do."""
        return kind.type.replace("Microsoft.Resources/", "Microsoft.Resources/subscriptions/")

    def _instance(self, request: Request, kind: ResourceType, rid: ResourceId, action: str) -> Answer:
        verb = f"{action.split('/', maxsplit=1)[0]}/action" if action else _VERBS.get(request.method, "action")
        self._authorize(request, f"{self._operation(kind)}/{verb}", rid)
        if kind.extension:
            self._need_scope(request, rid.scope)
        parent = rid.parent()
        if parent and kind.needs_parent:
            self._need_parent(request, kind, rid, parent)
        if request.method == "PUT":
            self._need_registration(rid)
        current = kind.load(request, rid)
        if current is None and (action or request.method not in {"PUT", "DELETE"}):
            error = kind.not_found(rid)
            if request.method == "HEAD":
                return Answer(404, None, GATEWAY)
            raise error
        self._check_etag(request, kind, current)
        if action:
            return kind.action(request, rid, current or {}, action)
        return _METHODS.get(request.method, ResourceType.no_such_method)(kind, request, rid, current)

    # -- what is checked

    def _check_subscription(self, request: Request, whole: ResourceId) -> None:
        if not request.plain and whole.subscription.lower() not in {"", self._simulator.subscription}:
            message = f"The subscription '{whole.subscription}' could not be found."
            raise AzureError(404, "SubscriptionNotFound", message, headers=GATEWAY)

    def _need_group(self, request: Request, whole: ResourceId) -> None:
        if not whole.group:
            return
        group = self._simulator.store.get(whole.group_id)
        if group is None:
            self._authorize(request, f"{whole.type}/{_VERBS.get(request.method, 'action')}", whole.scope)
            parent, kind = whole.parent(), self.types.get(whole.type.lower())
            if request.method == "DELETE" and parent and kind:
                # As recorded: a part's deletion looks for the parent, not for the group that both went with.
                raise kind.parent_not_found(request, whole, parent)
            raise group_not_found(whole.group)
        if request.method in {"PUT", "PATCH"} and group["properties"].get("provisioningState") == "Deleting":
            message = (
                f"The resource group '{whole.group}' is in deprovisioning state and cannot perform this operation."
            )
            raise AzureError(409, "ResourceGroupBeingDeleted", message, headers=GATEWAY)

    def _check_version(self, request: Request) -> None:
        if not request.api_version:
            message = "The api-version query parameter (?api-version=) is required for all requests."
            raise AzureError(400, "MissingApiVersionParameter", message, headers=GATEWAY)
        if not _VERSION.fullmatch(request.api_version):
            message = f"The api-version '{request.api_version}' is invalid. The supported versions are '2021-04-01'."
            raise AzureError(400, "InvalidApiVersionParameter", message, headers=GATEWAY)

    def _authorize(self, request: Request, action: str, scope: ResourceId) -> None:
        if request.principal is not None:
            self._simulator.access.require(request.principal, action, scope)

    def _need_parent(self, request: Request, kind: ResourceType, rid: ResourceId, parent: ResourceId) -> None:
        above = self.types.get(parent.type.lower())
        if above is not None and above.load(request, parent) is None:
            raise kind.parent_not_found(request, rid, parent)

    def _need_scope(self, request: Request, scope: ResourceId) -> None:
        above = self.types.get(scope.type.lower()) if scope.names else None
        if above is not None and above.load(request, scope) is None:
            raise above.not_found(scope)

    def _need_registration(self, rid: ResourceId) -> None:
        namespace = self.namespace(rid.provider)
        if rid.provider and self._simulator.registration(namespace) != "Registered":
            message = (
                f"The subscription is not registered to use namespace '{namespace}'. "
                "See https://aka.ms/rps-not-found for how to register subscriptions."
            )
            details = [{"code": "MissingSubscriptionRegistration", "target": namespace, "message": message}]
            raise AzureError(409, "MissingSubscriptionRegistration", message, headers=GATEWAY, details=details)

    def _check_etag(self, request: Request, kind: ResourceType, current: dict[str, Any] | None) -> None:
        if_match, if_none = request.headers.get("if-match"), request.headers.get("if-none-match")
        if not (if_match or if_none) or request.method == "GET":
            return
        tag = kind.etag(current) if current is not None else None
        if current is not None and tag is None:
            return
        wrong = if_match and not _matches(if_match, tag, current)
        if wrong or (if_none and _matches(if_none, tag, current)):
            raise kind.precondition_failed(request, current)


def _matches(header: str, tag: str | None, current: dict[str, Any] | None) -> bool:
    if current is None:
        return False
    return any(one.strip() in {"*", tag, f'"{tag}"'} for one in header.split(","))


_METHODS: dict[str, Any] = {
    "GET": lambda kind, *rest: kind.read(*rest),
    "HEAD": lambda kind, *rest: kind.head(*rest),
    "PUT": lambda kind, *rest: kind.create_or_update(*rest),
    "PATCH": lambda kind, *rest: kind.update(*rest),
    "DELETE": lambda kind, *rest: kind.delete(*rest),
}
