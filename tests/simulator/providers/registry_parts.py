# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies below a registry. All parts are alike: facts of their own, and writes that last or are done at once."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from ..arm import Answer, AzureError, Request, ResourceId, ResourceType
from . import registry_operations as operations
from .documents import azure_time, guid, merged, properties, system_data, without_nulls
from .identities import assigned
from .registry_documents import TYPE

SECONDS = 10


class _NotFoundError(AzureError):
    """Scope maps and tokens say beside the error that they failed."""

    def answer(self) -> Answer:
        answer = super().answer()
        answer.body["status"] = "Failed"
        return answer


class Part(ResourceType):
    put_lasts = patch_lasts = delete_lasts = True
    located = False
    dated = True
    seconds = SECONDS

    def facts(self, request: Request, rid: ResourceId, registry: dict[str, Any]) -> dict[str, Any]:
        """Say which properties a new one has without being asked."""
        del request, rid, registry
        return {}

    def normalize(self, request: Request, rid: ResourceId, own: dict[str, Any], registry: dict[str, Any]) -> None:
        """Refuse, or add what follows from what was asked."""

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        registry = request.simulator.store.get(rid.parent())
        body = request.body if isinstance(request.body, dict) else {}
        if current is not None:
            return self._change(request, rid, current, lasts=self.put_lasts)
        own = {**self.facts(request, rid, registry)}
        if self.dated:
            own["creationDate"] = azure_time(request.simulator.clock.now(), "+00:00")
        part: dict[str, Any] = {"type": self.type, "id": str(rid), "name": rid.name}
        if self.located:
            part |= {"location": body.get("location") or registry["location"], "tags": body.get("tags") or {}}
        if body.get("identity"):
            identity = assigned(request, rid, body["identity"], None)
            part["identity"] = {**identity, "type": identity["type"][:1].lower() + identity["type"][1:]}
        part["systemData"] = system_data(request)
        part["properties"] = merged(own, properties(body))
        self.normalize(request, rid, part["properties"], registry)
        return self._written(request, rid, part, "Creating", lasts=self.put_lasts)

    def update(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        return self._change(request, rid, current, lasts=self.patch_lasts)

    def _change(self, request: Request, rid: ResourceId, current: dict[str, Any], *, lasts: bool) -> Answer:
        body = request.body if isinstance(request.body, dict) else {}
        part = deepcopy(current)
        part["properties"] = merged(part["properties"], properties(body))
        if body.get("tags") is not None:
            part["tags"] = without_nulls(body["tags"])
        part["systemData"] = system_data(request, part["systemData"])
        self.normalize(request, rid, part["properties"], request.simulator.store.get(rid.parent()))
        return self._written(request, rid, part, "Updating", lasts=lasts)

    def _written(self, request: Request, rid: ResourceId, part: dict[str, Any], state: str, *, lasts: bool) -> Answer:
        part["properties"]["provisioningState"] = state if lasts else "Succeeded"
        request.simulator.store.put(rid, part)
        if not lasts:
            return Answer(200, self.present(request, rid, part))

        def finish() -> None:
            part["properties"]["provisioningState"] = "Succeeded"
            self.finished(request, part)

        operation = operations.begin(request, rid, self.seconds, finish)
        return Answer(201, self.present(request, rid, part), operations.status_header(request, rid, operation))

    def finished(self, request: Request, part: dict[str, Any]) -> None:
        """When a write has ended."""

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        if current is None or not self.delete_lasts:
            return super().delete(request, rid, current)
        current["properties"]["provisioningState"] = "Deleting"
        operation = operations.begin(request, rid, self.seconds, lambda: request.simulator.store.delete(rid) and None)
        place = current.get("location") or request.simulator.store.get(rid.parent())["location"].upper()
        return Answer(202, self.deleting(request, rid, current), operations.result_header(request, place, operation))

    def deleting(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Any:
        """Answer a deletion that lasts."""
        del request, rid, current

    def action(self, request: Request, rid: ResourceId, current: dict[str, Any], name: str) -> Answer:
        first, _, rest = name.partition("/")
        if first.lower() == "operationstatuses" and rest:
            return operations.status(request, rid, rest, current["properties"]["provisioningState"])
        return super().action(request, rid, current, name)


class Replications(Part):
    type = f"{TYPE}/replications"
    located, dated, seconds = True, False, 30

    def facts(self, request: Request, rid: ResourceId, registry: dict[str, Any]) -> dict[str, Any]:
        if registry["sku"]["name"] != "Premium":
            text = "Geo-replication is not supported for the SKU of the registry. It needs the SKU Premium."
            raise AzureError(400, "FeatureNotSupportedForSku", text)  # code: none recorded
        home = rid.parent().child("replications", registry["location"])
        if request.simulator.store.get(home) is None and rid != home:
            request.simulator.store.put(home, self._home(request, home, registry))
        return self._facts(request)

    @staticmethod
    def _facts(request: Request) -> dict[str, Any]:
        status = {"timestamp": azure_time(request.simulator.clock.now())}
        return {"status": status, "regionEndpointEnabled": True, "zoneRedundancy": "Disabled"}

    def _home(self, request: Request, home: ResourceId, registry: dict[str, Any]) -> dict[str, Any]:
        own = {"provisioningState": "Succeeded", **self._facts(request)}
        own["status"]["displayStatus"] = "Ready"
        place = {"location": registry["location"], "tags": {}, "systemData": system_data(request)}
        return {"type": self.type, "id": str(home), "name": home.name, **place, "properties": own}

    def finished(self, request: Request, part: dict[str, Any]) -> None:
        stamp = azure_time(request.simulator.clock.now())
        part["properties"]["status"] = {"displayStatus": "Ready", "timestamp": stamp}


class Webhooks(Part):
    """What it is given for the receiver alone, it shows to nobody but him who asks for the configuration."""

    type = f"{TYPE}/webhooks"
    put_lasts = patch_lasts = delete_lasts = False
    located, dated = True, False

    def facts(self, request: Request, rid: ResourceId, registry: dict[str, Any]) -> dict[str, Any]:
        del request, rid, registry
        return {"status": "enabled", "scope": ""}

    def present(self, request: Request, rid: ResourceId, stored: dict[str, Any]) -> dict[str, Any]:
        body = super().present(request, rid, stored)
        hidden = ("serviceUri", "customHeaders")
        body["properties"] = {k: v for k, v in body["properties"].items() if k not in hidden}
        if request.api_version < "2020":
            body.pop("systemData")
        return body

    def action(self, request: Request, rid: ResourceId, current: dict[str, Any], name: str) -> Answer:
        own = current["properties"]
        if name.lower() == "getcallbackconfig":
            return Answer(200, {key: own[key] for key in ("serviceUri", "customHeaders") if key in own})
        if name.lower() == "ping":
            event = guid(request.simulator.rng)
            current.setdefault("_events", []).insert(0, self._event(request, own, event))
            return Answer(200, {"id": event})
        if name.lower() == "listevents":
            return Answer(200, {"value": current.get("_events", [])})
        return super().action(request, rid, current, name)

    @staticmethod
    def _event(request: Request, own: dict[str, Any], event: str) -> dict[str, Any]:
        content = {"id": event, "timestamp": azure_time(request.simulator.clock.now()), "action": "ping"}
        headers = {**(own.get("customHeaders") or {}), "Content-Type": "application/json; charset=utf-8"}
        headers |= {"traceparent": "", "Content-Length": "104"}
        sent = {"content": content, "headers": headers, "method": "POST", "requestUri": own.get("serviceUri", "")}
        got = {"content": "", "headers": {}, "reasonPhrase": "OK", "statusCode": "200", "version": "1.1"}
        return {"eventRequestMessage": {**sent, "version": "1.1"}, "eventResponseMessage": got, "id": event}


class _Missed(Part):
    def not_found(self, rid: ResourceId) -> AzureError:
        return _NotFoundError(404, "ResourceNotFound", f"The resource {rid.name} could not be found.")


class ScopeMaps(_Missed):
    type = f"{TYPE}/scopeMaps"
    put_lasts = False

    def facts(self, request: Request, rid: ResourceId, registry: dict[str, Any]) -> dict[str, Any]:
        del request, rid, registry
        return {"type": "UserDefined"}


class Tokens(_Missed):
    type = f"{TYPE}/tokens"

    def facts(self, request: Request, rid: ResourceId, registry: dict[str, Any]) -> dict[str, Any]:
        del request, rid, registry
        return {"credentials": {"passwords": []}, "status": "enabled"}


class CacheRules(Part):
    type = f"{TYPE}/cacheRules"


class CredentialSets(Part):
    type = f"{TYPE}/credentialSets"

    def normalize(self, request: Request, rid: ResourceId, own: dict[str, Any], registry: dict[str, Any]) -> None:
        # Its secrets lie in a vault that nobody has let it into.
        del request, rid, registry
        health = {"status": "Unhealthy", "errorCode": "unauthorized_client", "errorMessage": "AADSTS700016"}
        for credential in own.get("authCredentials") or []:
            credential["credentialHealth"] = dict(health)


class ConnectedRegistries(Part):
    type = f"{TYPE}/connectedRegistries"
    put_lasts = patch_lasts = delete_lasts = False
    dated = False

    def facts(self, request: Request, rid: ResourceId, registry: dict[str, Any]) -> dict[str, Any]:
        del request, rid, registry
        quiet = {"logLevel": "Information", "auditLogStatus": "Disabled"}
        login = {"tls": {"certificate": {}}}
        activation = {"status": "Inactive"}
        return {"connectionState": "Offline", "activation": activation, "loginServer": login, "logging": quiet}

    def normalize(self, request: Request, rid: ResourceId, own: dict[str, Any], registry: dict[str, Any]) -> None:
        del request, rid
        words = {"readwrite": "ReadWrite", "readonly": "ReadOnly", "registry": "Registry", "mirror": "Mirror"}
        own["mode"] = words.get(str(own.get("mode", "")).lower(), own.get("mode"))
        parent = own.get("parent") or {}
        if not parent.get("id") and parent.get("syncProperties"):
            server = registry["properties"]["loginServer"].split(".")[0]
            gateway = f"{server}.{registry['location']}.data.azurecr.io"
            parent["syncProperties"]["gatewayEndpoint"] = gateway

    def action(self, request: Request, rid: ResourceId, current: dict[str, Any], name: str) -> Answer:
        if name.lower() == "deactivate":
            current["properties"]["activation"] = {"status": "Inactive"}
            return Answer(200)
        return super().action(request, rid, current, name)


class AgentPools(Part):
    type = f"{TYPE}/agentPools"
    located, dated, seconds = True, False, 300

    def facts(self, request: Request, rid: ResourceId, registry: dict[str, Any]) -> dict[str, Any]:
        del request, rid, registry
        return {"count": 1, "tier": "S1", "os": "Linux"}

    def present(self, request: Request, rid: ResourceId, stored: dict[str, Any]) -> dict[str, Any]:
        body = super().present(request, rid, stored)
        body.pop("tags")
        return body

    def deleting(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Any:
        return self.present(request, rid, current)


class PrivateEndpointConnections(Part):
    type = f"{TYPE}/privateEndpointConnections"
    dated = False

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        if current is None:
            raise self.not_found(rid)
        return super().create_or_update(request, rid, current)


TYPES = [
    Replications(),
    Webhooks(),
    ScopeMaps(),
    Tokens(),
    CacheRules(),
    CredentialSets(),
    ConnectedRegistries(),
    AgentPools(),
    PrivateEndpointConnections(),
]
