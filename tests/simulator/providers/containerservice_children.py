# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hangs on a cluster beside its pools: maintenance windows, role bindings of trusted access, and their like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..arm import Answer, AzureError, ResourceType
from . import containerservice_checks as checks
from . import containerservice_operations as operations
from .containerservice_values import drop_empty, short_times
from .documents import guid, without_nulls

if TYPE_CHECKING:
    from ..arm import Request, ResourceId

CLUSTERS = "Microsoft.ContainerService/managedClusters"
WINDOWS = ("default", "aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule")


class Child(ResourceType):
    """A resource below a cluster, whose id is written as the client wrote it."""

    noun = ""
    words = ""

    def not_found(self, rid: ResourceId) -> AzureError:
        where = f"in subscription: {rid.subscription}, resourceGroup: {rid.group}, clusterName: {rid.names[0]}"
        message = f"Could not find the {self.words} {rid.name} {where}."
        return operations.not_found(f"Get{self.noun}", f"{self.noun} not found", message)

    def parent_not_found(self, request: Request, rid: ResourceId, parent: ResourceId) -> AzureError:
        return operations.cluster_not_found(super().parent_not_found(request, rid, parent), request, parent)

    def document(self, rid: ResourceId, properties: dict[str, Any]) -> dict[str, Any]:
        cluster = f"/subscriptions/{rid.subscription}/resourceGroups/{rid.group}/providers/{CLUSTERS}/{rid.names[0]}"
        name = self.type.rsplit("/", maxsplit=1)[-1]
        return {"id": f"{cluster}/{name}/{rid.name}", "name": rid.name, "type": self.type, "properties": properties}

    def location(self, request: Request, rid: ResourceId) -> str:
        above = rid.parent()
        cluster = request.simulator.store.get(above) if above else None
        return str(cluster["location"]) if cluster else ""


class Maintenance(Child):
    type = f"{CLUSTERS}/maintenanceConfigurations"
    noun, words = "MaintenanceConfiguration", "maintenance configuration"

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        sent = short_times(without_nulls(checks.body(request.body)))
        if rid.name not in WINDOWS:
            names = ", ".join(WINDOWS)
            raise checks.invalid("maintenanceConfiguration.name", f"'{rid.name}' isn't one of {names}.")
        self.check(rid.name, sent)
        window = sent.get("maintenanceWindow")
        if window:
            window.setdefault("utcOffset", "+00:00")
            window.setdefault("startDate", request.simulator.clock.text()[:10])
            drop_empty(window, "notAllowedDates")
        drop_empty(sent, "notAllowedTime", "timeInWeek")
        document = self.document(rid, sent)
        del document["type"], current
        request.simulator.store.put(rid, document)
        return Answer(200, self.present(request, rid, document))

    def check(self, name: str, sent: dict[str, Any]) -> None:
        """Second-hand: the default one is of hours of a week, the others of a window of four hours and more."""
        window = sent.get("maintenanceWindow")
        if name == "default":
            if window:
                raise checks.invalid(
                    "maintenanceConfiguration.maintenanceWindow", "It isn't of the default configuration."
                )
            return
        if not window:
            raise checks.invalid("maintenanceConfiguration.maintenanceWindow", "It is required.")
        if not 4 <= window.get("durationHours", 0) <= 24:
            raise checks.invalid("maintenanceConfiguration.maintenanceWindow.durationHours", "It must be from 4 to 24.")
        if len(window.get("schedule") or {}) != 1:
            raise checks.invalid("maintenanceConfiguration.maintenanceWindow.schedule", "Exactly one must be given.")


class Slow(Child):
    """One that is made and deleted by a long operation."""

    during = "Updating"
    status_created = 201

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        document = self.document(rid, {**without_nulls(checks.body(request.body)), "provisioningState": self.during})
        for name in ("location", "tags"):
            if request.body.get(name):
                document[name] = request.body[name]
        document["eTag"] = guid(request.simulator.rng)
        del current
        request.simulator.store.put(rid, document)

        def ended(state: str) -> None:
            document["properties"]["provisioningState"] = state

        operation = operations.begin(request, rid, operations.BINDING, lambda: ended(operations.SUCCEEDED),
                                     lambda status, _error: ended(status))  # fmt: skip
        headers = operations.headers(rid, self.location(request, rid), operation, result=False)
        return Answer(self.status_created, self.present(request, rid, document), headers)

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        if current is None:
            return Answer(204)
        current["properties"]["provisioningState"] = "Deleting"
        store = request.simulator.store
        operation = operations.begin(request, rid, operations.BINDING, lambda: store.delete(rid), lambda *_: None)
        headers = operations.headers(rid, self.location(request, rid), operation, result=True)
        return Answer(202, None, headers)

    def present(self, request: Request, rid: ResourceId, stored: dict[str, Any]) -> dict[str, Any]:
        shown = super().present(request, rid, stored)
        if request.api_version < "2024-06-02":
            shown.pop("eTag", None)
        return shown


class RoleBindings(Slow):
    type = f"{CLUSTERS}/trustedAccessRoleBindings"
    noun, words = "TrustedAccessRoleBinding", "trusted access role binding"

    def present(self, request: Request, rid: ResourceId, stored: dict[str, Any]) -> dict[str, Any]:
        shown = super().present(request, rid, stored)
        shown.pop("eTag", None)
        return shown


class IdentityBindings(Slow):
    type = f"{CLUSTERS}/identityBindings"
    noun, words = "IdentityBinding", "identity binding"


class Authenticators(Slow):
    type = f"{CLUSTERS}/jwtAuthenticators"
    noun, words = "JWTAuthenticator", "JWT authenticator"

    def not_found(self, rid: ResourceId) -> AzureError:
        error = super().not_found(rid)
        error.details = [
            {"code": "Unspecified", "message": "rpc error: code = NotFound desc = JWT authenticator not found"}
        ]
        error.more["subcode"] += "_HCPServerError"
        return error


class Namespaces(Slow):
    """The gateway knows these: it says itself that one isn't there."""

    type = f"{CLUSTERS}/managedNamespaces"

    def not_found(self, rid: ResourceId) -> AzureError:
        return ResourceType.not_found(self, rid)


class LoadBalancers(Slow):
    type = f"{CLUSTERS}/loadBalancers"
    noun, words = "LoadBalancer", "load balancer"


TYPES: list[ResourceType] = [
    Maintenance(),
    RoleBindings(),
    IdentityBindings(),
    Authenticators(),
    Namespaces(),
    LoadBalancers(),
]
