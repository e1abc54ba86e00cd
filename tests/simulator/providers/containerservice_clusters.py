# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft.ContainerService/managedClusters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..arm import GATEWAY, Answer, AzureError, ResourceType
from . import containerservice_actions as actions
from . import containerservice_body as body
from . import containerservice_checks as checks
from . import containerservice_network as network
from . import containerservice_operations as operations
from . import containerservice_pools as pools
from . import containerservice_settle as settle
from . import containerservice_versions as versions
from .containerservice_keys import cluster as known_keys
from .containerservice_values import drop_empty, location
from .documents import guid

if TYPE_CHECKING:
    from ..arm import Request, ResourceId


def refused(request: Request) -> set[str]:
    """Return the clusters that the service refused to make: the gateway believes that they are there."""
    found: set[str] = vars(request.simulator.store).setdefault("refused_clusters", set())
    return found


class ManagedClusters(ResourceType):
    type = "Microsoft.ContainerService/managedClusters"

    def load(self, request: Request, rid: ResourceId) -> dict[str, Any] | None:
        found = super().load(request, rid)
        if found is None and request.method == "GET" and rid.key in refused(request):
            message = (
                f"Could not find managed cluster resource: {rid.name} in subscription: {rid.subscription}, "
                f"resourceGroup: {rid.group}."
            )
            raise operations.not_found(
                "GetManagedCluster", "Managed Cluster not found", message, more="_HCPServerError"
            )
        return found

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        try:
            return self.write(request, rid, current)
        except AzureError as error:
            if current is None and not error.wrapped:
                refused(request).add(rid.key)
            raise

    def write(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        sent = checks.body(request.body)
        place = self.place(request, rid, current)
        before = current["properties"] if current else None
        sku = self.sku(request.body.get("sku"), current)
        if not checks.CLUSTER_NAME.fullmatch(rid.name):
            raise checks.invalid("resourceName", "Please see https://aka.ms/aks-naming-rules for more details.")
        checks.cluster(request, sent, before, sku)
        existing = pools.stored(request.simulator, rid)
        if current:
            operations.need_idle(current, existing)
            operations.need_running(current, "updating")
        names = body.Names(rid, place, request.simulator.tenant, request.simulator.rng)
        automatic = sku["name"] == "Automatic"
        properties = body.normalised(sent, before, names, automatic=automatic)
        plan = pools.plan(request, sent.get("agentPoolProfiles"), existing, properties)
        checks.some_system([pool["properties"] for pool in plan.documents(existing)], automatic)
        document = self.document(request, rid, current, place=place, sku=sku, properties=properties)
        properties["provisioningState"] = "Updating" if current else "Creating"
        kinds = [pool["properties"]["type"] for pool in plan.documents(existing)]
        properties["maxAgentPools"] = 1 if "AvailabilitySet" in kinds else 100
        request.simulator.store.put(rid, document)
        pools.apply(request, rid, document, plan, properties["provisioningState"])
        properties["_chosen"] = before.get("_chosen", []) if before else checks.chosen(sent, checks.FIXED)
        operation = self.begin(request, rid, operations.UPDATE if current else operations.CREATE, plan.removed)
        headers = operations.headers(rid, place, operation, result=False)
        return Answer(200 if current else 201, self.shown(request, rid, document, put=True), headers)

    def place(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> str:
        """Return the region: it must be given, and cannot be changed."""
        place = location(request.body.get("location") or "")
        if not place:
            message = "The location property is required for this definition."
            raise AzureError(400, "LocationRequired", message, headers=GATEWAY)
        if current and current["location"] != place:
            message = (
                f"The resource '{rid.name}' already exists in location '{current['location']}' in resource group "
                f"'{rid.group}'. A resource with the same name cannot be created in location '{place}'. "
                "Please select a new resource name."
            )
            raise AzureError(409, "InvalidResourceLocation", message, headers=GATEWAY)
        return place

    def sku(self, sent: dict[str, Any] | None, current: dict[str, Any] | None) -> dict[str, Any]:
        before = (current or {}).get("sku") or {}
        found = {**before, **{name: value for name, value in (sent or {}).items() if value}}
        automatic = found.get("name") == "Automatic"
        return {
            "name": "Automatic" if automatic else "Base",
            "tier": found.get("tier") or ("Standard" if automatic else "Free"),
        }

    def document(
        self,
        request: Request,
        rid: ResourceId,
        current: dict[str, Any] | None,
        *,
        place: str,
        sku: dict[str, Any],
        properties: dict[str, Any],
    ) -> dict[str, Any]:
        sent = request.body
        document = {
            # AKS writes the group's part with a small g.
            "id": f"/subscriptions/{rid.subscription}/resourcegroups/{rid.group}/providers/{self.type}/{rid.name}",
            "name": rid.name,
            "type": "Microsoft.ContainerService/ManagedClusters",
            "location": place,
            "kind": "Base",
            "sku": sku,
            "tags": {name: value or "" for name, value in (sent.get("tags") or {}).items()},
            "eTag": guid(request.simulator.rng),
            "properties": properties,
        }
        if current:
            document |= {name: current[name] for name in ("id", "name", "_settled") if name in current}
        if sent.get("extendedLocation"):
            document["extendedLocation"] = sent["extendedLocation"]
        before = (current or {}).get("identity")
        document["identity"], document["_identity"] = settle.identity(request, rid, sent.get("identity") or {}, before)
        drop_empty(document, "tags", "identity", "_identity")
        if "identity" in document and "servicePrincipalProfile" not in properties:
            properties["servicePrincipalProfile"] = {"clientId": "msi"}
        return document

    def begin(self, request: Request, rid: ResourceId, seconds: float, removed: list[str]) -> Any:
        simulator = request.simulator

        def ended(state: str) -> dict[str, Any] | None:
            document = simulator.store.get(rid)
            if document is None:
                return None
            document["properties"]["provisioningState"] = state
            document["eTag"] = guid(simulator.rng)
            for pool in pools.stored(simulator, rid):
                pool["properties"]["provisioningState"] = state
            return document

        def done() -> None:
            for name in removed:
                simulator.store.delete(rid.child("agentPools", name))
            document = ended(operations.SUCCEEDED)
            if document is not None:
                settle.settle(request, rid, document, pools.stored(simulator, rid))

        def failed(status: str, error: dict[str, Any]) -> None:
            document = ended(status)
            if document is not None:
                document["properties"]["status"] = {"provisioningError": error}

        return operations.begin(request, rid, seconds, done, failed)

    def update(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        """PATCH knows tags alone."""
        operations.need_idle(current, [])
        tags = (request.body or {}).get("tags")
        if tags is not None:
            current["tags"] = tags
            drop_empty(current, "tags")
            current["eTag"] = guid(request.simulator.rng)
        return Answer(200, self.present(request, rid, current))

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        if current is None:
            return Answer(204)
        simulator = request.simulator
        if operations.busy(current) and current["properties"]["provisioningState"] != "Deleting":
            raise operations.etag_mismatch(rid)
        current["properties"]["provisioningState"] = "Deleting"
        for pool in pools.stored(simulator, rid):
            pool["properties"]["provisioningState"] = "Deleting"

        def done() -> None:
            settle.forget(simulator, rid, current)
            simulator.store.delete(rid)

        def failed(status: str, _error: dict[str, Any]) -> None:
            current["properties"]["provisioningState"] = status

        operation = operations.begin(request, rid, operations.DELETE, done, failed)
        return Answer(202, None, operations.headers(rid, current["location"], operation, result=True))

    def action(self, request: Request, rid: ResourceId, current: dict[str, Any], name: str) -> Answer:
        return actions.run(self, request, rid, current, name)

    def etag(self, current: dict[str, Any]) -> str | None:
        return current.get("eTag")

    def precondition_failed(self, request: Request, current: dict[str, Any] | None) -> AzureError:
        del request, current
        return operations.stale_etag()

    def collection(self, request: Request, rid_parent: ResourceId, items: list[dict[str, Any]]) -> Answer:
        return super().collection(request, rid_parent, sorted(items, key=lambda item: item["name"].lower()))

    def present(self, request: Request, rid: ResourceId, stored: dict[str, Any]) -> dict[str, Any]:
        return self.shown(request, rid, stored)

    def shown(self, request: Request, rid: ResourceId, stored: dict[str, Any], *, put: bool = False) -> dict[str, Any]:
        """Return a cluster with its pools, as the API version knows it."""
        answer = known_keys(stored, request.api_version)
        properties = answer["properties"]
        settled = properties["provisioningState"] in checks.SETTLED
        shown = network.shown(properties["networkProfile"], request.api_version, settled=settled)
        properties["networkProfile"] = shown
        if "privateFQDN" in properties:
            properties["privateLinkResources"] = [settle.private_link(stored, put=put)]
        proxy = properties.get("httpProxyConfig")
        if proxy and request.api_version < body.OWN_NO_PROXY_SINCE:
            proxy["noProxy"] = proxy["effectiveNoProxy"]
        properties["agentPoolProfiles"] = [
            {"name": pool["name"], **pools.properties(pool, request.api_version, put=put)}
            for pool in pools.stored(request.simulator, rid)
        ]
        return answer

    def location_route(self, request: Request, location: str, rest: list[str]) -> Answer | None:
        what, more = rest[0].lower(), rest[1:]
        if what == "operations" and more:
            return operations.polled(request, more[0])
        if what == "operationresults" and more:
            return operations.result(request, more[0])
        if what == "kubernetesversions":
            return Answer(200, versions.kubernetes_versions())
        if what == "orchestrators":
            return Answer(200, versions.orchestrators(request.path))
        if what == "trustedaccessroles":
            return Answer(200, {"value": actions.ROLES})
        return actions.location_more(what, location, request.path)
