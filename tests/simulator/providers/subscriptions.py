# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subscriptions, tenants, locations, resource providers and their registration. Second-hand: documentation."""

from __future__ import annotations

from typing import Any

from ..arm import GATEWAY, Answer, AzureError, Request, ResourceId, ResourceType
from .regions import GROUP_REGIONS, WITHOUT_ZONES, display_name
from .resource_lists import resources
from .resources import operation_result

REGISTRATION_SECONDS = 60.0


class Subscriptions(ResourceType):
    """`provider_route` is given the whole path: /subscriptions/S/…, /tenants, /providers/NAMESPACE."""

    type = "Microsoft.Resources/subscriptions"

    def provider_route(self, request: Request, rest: list[str]) -> Answer | None:
        start, *more = [part.lower() for part in rest] or [""]
        if start == "tenants" and not more:
            tenant = request.simulator.tenant
            value = {"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": "Simulator", "countryCode": "NL"}
            return Answer(200, {"value": [{**value, "tenantCategory": "Home"}]})
        if start == "providers":
            return self._namespace(request, request.simulator.subscription, rest[1:])
        if start != "subscriptions":
            return None
        if not more:
            return Answer(200, {"value": [subscription(request)]})
        scope = ResourceId("/".join(rest[:2]))
        if len(rest) == 2:
            return Answer(200, subscription(request))
        return self._below(request, scope, rest[2:])

    def _below(self, request: Request, scope: ResourceId, rest: list[str]) -> Answer | None:
        kind = rest[0].lower()
        if kind == "resources" and len(rest) == 1:
            return resources(request, scope)
        if kind == "resourcegroups" and len(rest) == 3 and rest[2].lower() == "resources":
            group = ResourceId(f"{scope}/resourceGroups/{rest[1]}")
            if request.simulator.store.get(group) is None:
                raise request.simulator.router.types["microsoft.resources/resourcegroups"].not_found(group)
            return resources(request, group)
        if kind == "operationresults" and len(rest) == 2:
            return operation_result(request, scope.subscription, rest[1])
        if kind == "locations":
            return Answer(200, {"value": [_location(scope, one) for one in GROUP_REGIONS]})
        return self._namespace(request, scope.subscription, rest[1:]) if kind == "providers" else None

    def _namespace(self, request: Request, owner: str, rest: list[str]) -> Answer | None:
        """Answer for /subscriptions/S/providers[/NAMESPACE[/register]]."""
        router = request.simulator.router
        if not rest:
            return Answer(200, {"value": [_provider(request, owner, one) for one in router.namespaces]})
        if rest[0].lower() not in router.namespaces:
            message = f"The resource provider '{rest[0]}' could not be found."
            raise AzureError(404, "InvalidResourceNamespace", message, headers=GATEWAY)
        action = rest[1].lower() if len(rest) > 1 else ""
        if action == "register" and request.method == "POST":
            request.simulator.register(rest[0], REGISTRATION_SECONDS)
        elif action == "unregister" and request.method == "POST":
            request.simulator.unregister(rest[0])
        elif action or request.method != "GET":
            return None
        return Answer(200, _provider(request, owner, rest[0]))


def subscription(request: Request) -> dict[str, Any]:
    identifier = request.simulator.subscription
    return {
        "id": f"/subscriptions/{identifier}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": identifier,
        "tenantId": request.simulator.tenant,
        "displayName": "Simulator",
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }


def _location(scope: ResourceId, region: str) -> dict[str, Any]:
    shown = display_name(region)
    found: dict[str, Any] = {
        "id": f"{scope}/locations/{region}",
        "name": region,
        "type": "Region",
        "displayName": shown,
    }
    found["regionalDisplayName"] = shown
    found["metadata"] = {"regionType": "Physical", "regionCategory": "Recommended", "physicalLocation": shown}
    if region not in WITHOUT_ZONES:
        zones = [{"logicalZone": str(n), "physicalZone": f"{region}-az{n}"} for n in (1, 2, 3)]
        found["availabilityZoneMappings"] = zones
    return found


def _provider(request: Request, owner: str, namespace: str) -> dict[str, Any]:
    router = request.simulator.router
    name = router.namespace(namespace)
    types = [
        {
            "resourceType": one.type.split("/", 1)[1],
            "locations": [display_name(region) for region in GROUP_REGIONS],
            "apiVersions": list(one.api_versions),
            "capabilities": "None",
        }
        for one in router.namespaces[namespace.lower()]
    ]
    return {
        "id": f"/subscriptions/{owner}/providers/{name}",
        "namespace": name,
        "resourceTypes": types,
        "registrationState": request.simulator.registration(namespace),
        "registrationPolicy": "RegistrationRequired",
    }


TYPES = [Subscriptions()]
