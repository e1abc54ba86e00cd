# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Container registries."""

from __future__ import annotations

from typing import Any

from ..arm import Answer, AzureError, Request, ResourceId, ResourceType
from . import registry_documents as documents
from . import registry_operations as operations
from .documents import azure_time, secret, system_data
from .identities import assigned, forget

SECONDS = 10
IMPORT_SECONDS = 30


class Registries(ResourceType):
    type = documents.TYPE

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        body = request.body if isinstance(request.body, dict) else {}
        if current is not None:
            return self._change(request, rid, current, slow=True)
        documents.check(rid.name, body, None)
        if not body.get("location"):
            raise AzureError(400, "LocationRequired", "The location property is required for this definition.")
        self._check_free(request, rid)
        simulator = request.simulator
        identity = assigned(request, rid, body.get("identity"), None)
        registry = documents.created(rid, body, simulator.clock.now(), system_data(request))
        if identity:
            registry["identity"] = _cased(identity)
        registry["_passwords"] = [secret(simulator.rng, 39), secret(simulator.rng, 39)]
        simulator.store.put(rid, registry)
        if request.api_version < "2020":  # the old API waits itself
            registry["properties"]["provisioningState"] = "Succeeded"
            return Answer(200, self.present(request, rid, registry))
        return self._later(request, rid, registry)

    def update(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        return self._change(request, rid, current, slow=documents.is_slow(current, request.body or {}))

    def _change(self, request: Request, rid: ResourceId, current: dict[str, Any], *, slow: bool) -> Answer:
        body = request.body if isinstance(request.body, dict) else {}
        if current["properties"]["provisioningState"] in ("Creating", "Updating", "Deleting"):
            state = current["properties"]["provisioningState"].lower()
            text = f"The resource {rid} is {state}; another operation on it is in progress."
            raise AzureError(409, "RegistryStatusConflict", text)  # code: none recorded
        documents.check(rid.name, body, current)
        registry = documents.changed(current, body, request.simulator.clock.now())
        if body.get("identity"):
            identity = assigned(request, rid, body["identity"], current.get("identity"))
            registry["identity"] = _cased(identity)
            if identity["type"] == "None":
                del registry["identity"]
        registry["systemData"] = system_data(request, current["systemData"])
        request.simulator.store.put(rid, registry)
        slow = slow and request.api_version >= "2020"
        registry["properties"]["provisioningState"] = "Updating" if slow else "Succeeded"
        if slow:
            return self._later(request, rid, registry)
        return Answer(200, self.present(request, rid, registry))

    def _later(self, request: Request, rid: ResourceId, registry: dict[str, Any]) -> Answer:
        def finish() -> None:
            registry["properties"]["provisioningState"] = "Succeeded"

        operation = operations.begin(request, rid, SECONDS, finish)
        return Answer(201, self.present(request, rid, registry), operations.status_header(request, rid, operation))

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        if current is None:
            return Answer(204)
        forget(request, current)
        if not request.simulator.store.children(rid, "replications"):
            return super().delete(request, rid, current)
        # One that was ever replicated has the copy at home to take down, too.
        current["properties"]["provisioningState"] = "Deleting"
        body = self.present(request, rid, current)
        operation = operations.begin(request, rid, SECONDS, lambda: request.simulator.store.delete(rid) and None)
        return Answer(202, body, operations.result_header(request, current["location"], operation))

    @staticmethod
    def _check_free(request: Request, rid: ResourceId) -> None:
        name = rid.name.lower()
        if any(other["name"].lower() == name for other in request.simulator.store.all(documents.TYPE)):
            text = (
                f"The registry DNS name {name}.azurecr.io is already in use. You can check if the name is already "
                "claimed using following API: "
                "https://docs.microsoft.com/en-us/rest/api/containerregistry/registries/checknameavailability"
            )
            raise AzureError(409, "AlreadyInUse", text)

    def present(self, request: Request, rid: ResourceId, stored: dict[str, Any]) -> dict[str, Any]:
        copies = request.simulator.store.children(rid, "replications")
        regions = [copy["location"] for copy in copies] or [stored["location"]]
        return documents.shown(stored, request.api_version, regions)

    def action(self, request: Request, rid: ResourceId, current: dict[str, Any], name: str) -> Answer:
        first, _, rest = name.partition("/")
        actions = {
            "listcredentials": self._credentials,
            "regeneratecredential": self._regenerate,
            "listusages": self._usages,
            "importimage": self._import,
            "generatecredentials": self._generate,
        }
        if first.lower() == "operationstatuses" and rest:
            return operations.status(request, rid, rest, current["properties"]["provisioningState"])
        if first.lower() not in actions:
            return super().action(request, rid, current, name)
        return actions[first.lower()](request, rid, current)

    def _credentials(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        del request
        if not current["properties"]["adminUserEnabled"]:
            text = (
                f"Cannot perform credential operations for {rid} as admin user is disabled. Kindly enable admin user "
                "as per docs: https://docs.microsoft.com/en-us/azure/container-registry/"
                "container-registry-authentication#admin-account"
            )
            raise AzureError(400, "UnAuthorizedForCredentialOperations", text)
        names = ("password", "password2")
        passwords = [{"name": n, "value": v} for n, v in zip(names, current["_passwords"], strict=True)]
        return Answer(200, {"username": current["name"], "passwords": passwords})

    def _regenerate(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        name = str((request.body or {}).get("name", "")).lower()
        if name not in ("password", "password2"):
            raise AzureError(400, "InvalidParameter", "The value of property 'name' is invalid.")
        self._credentials(request, rid, current)
        current["_passwords"][name == "password2"] = secret(request.simulator.rng, 39)
        return self._credentials(request, rid, current)

    def _usages(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        sizes = {"Basic": 10, "Standard": 100, "Premium": 500}
        hooks = {"Basic": 2, "Standard": 10, "Premium": 500}
        sku = current["sku"]["name"]
        maps = {"Basic": 100, "Standard": 500, "Premium": 50000}[sku]

        def count(kind: str) -> int:
            return len(request.simulator.store.children(rid, kind))

        rows = [
            ("Size", sizes[sku] * 1024**3, 0, "Bytes"),
            ("Webhooks", hooks[sku], count("webhooks"), "Count"),
            ("ScopeMaps", maps, count("scopeMaps"), "Count"),
            ("Tokens", maps, count("tokens"), "Count"),
        ]
        if sku == "Premium":
            rows.insert(2, ("Geo-replications", -1, max(1, count("replications")), "Count"))
        value = [{"name": n, "limit": limit, "currentValue": now, "unit": unit} for n, limit, now, unit in rows]
        return Answer(200, {"value": value})

    def _import(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        if not (request.body or {}).get("source"):
            raise AzureError(400, "InvalidParameter", "The property 'source' is required.")
        done = {"status": "Succeeded"}
        operation = operations.begin(request, rid, IMPORT_SECONDS, lambda: done, verb="importImage")
        return Answer(202, None, operations.result_header(request, current["location"].upper(), operation))

    def _generate(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        del rid, current
        body = request.body or {}
        token = request.simulator.store.get(body.get("tokenId", "/"))
        if token is None:
            text = f"The resource {str(body.get('tokenId', '')).split('/')[-1]} could not be found."
            raise AzureError(404, "ResourceNotFound", text)
        wanted = [body["name"]] if body.get("name") else ["password1", "password2"]
        now = azure_time(request.simulator.clock.now(), "+00:00")
        kept = token["properties"]["credentials"]["passwords"]
        kept[:] = [p for p in kept if p["name"] not in wanted]
        made = [{"creationTime": now, "name": name} for name in wanted]
        if body.get("expiry"):
            made = [{**entry, "expiry": body["expiry"]} for entry in made]
        kept += made
        shown = [{**entry, "value": secret(request.simulator.rng, 39)} for entry in made]
        return Answer(200, {"username": token["name"], "passwords": shown})

    def provider_route(self, request: Request, rest: list[str]) -> Answer | None:
        if [part.lower() for part in rest] != ["checknameavailability"] or request.method != "POST":
            return None
        name = str((request.body or {}).get("name", ""))
        if not documents.NAME.fullmatch(name):
            why = {"reason": "Invalid", "message": documents.bad_name(name)}
            return Answer(200, {"nameAvailable": False, **why})
        if any(other["name"].lower() == name.lower() for other in request.simulator.store.all(self.type)):
            why = {"reason": "AlreadyExists", "message": f"The registry {name} is already in use."}
            return Answer(200, {"nameAvailable": False, **why})
        return Answer(200, {"nameAvailable": True})

    def location_route(self, request: Request, location: str, rest: list[str]) -> Answer | None:
        if rest[0].lower() == "operationresults" and len(rest) == 2:
            return operations.result(request, location, rest[1])
        return None


def _cased(identity: dict[str, Any]) -> dict[str, Any]:
    """Begin each word of the type with a small letter, as this provider does."""
    kinds = [part[:1].lower() + part[1:] for part in identity["type"].replace(" ", "").split(",")]
    return {**identity, "type": ", ".join(kinds)}


REGISTRIES = Registries()
