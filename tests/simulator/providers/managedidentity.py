# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft.ManagedIdentity: user-assigned identities and their federated credentials.

Statuses, headers and keys are as recorded. What is refused of federated credentials (two writes at a time, the same
issuer and subject, more than twenty) is second-hand, from bug reports and documentation; the code of the last two is
not known from either.
"""

from __future__ import annotations

import re
import time
from typing import Any

from ..arm import Answer, AzureError, Request, ResourceId, ResourceType
from .documents import properties, without_nulls
from .managedidentity_documents import TYPE, new_identity, written_id

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,127}")
CREDENTIAL_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,119}")
MOST_CREDENTIALS = 20
# How long a write of a federated credential keeps others out, in real time.
WRITE_SECONDS = 0.03


def bad_request(text: str) -> AzureError:
    return AzureError(400, "BadRequest", text)


class Identities(ResourceType):
    type = TYPE

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        body = request.body if isinstance(request.body, dict) else {}
        location, tags = body.get("location"), without_nulls(body.get("tags") or {})
        if not NAME.fullmatch(rid.name):
            raise bad_request(f"The identity name '{rid.name}' is invalid.")
        if current is not None:
            return self._change(request, rid, current, body)
        if not location:
            raise AzureError(400, "LocationRequired", "The location property is required for this definition.")
        identity = new_identity(request, rid, location, tags)
        identity["properties"] |= self._asked(body)
        return Answer(201, self.present(request, rid, identity), {"Location": identity["id"]})

    @staticmethod
    def _asked(body: dict[str, Any]) -> dict[str, Any]:
        scope = properties(body).get("isolationScope")
        return {"isolationScope": scope} if scope else {}

    def update(self, request: Request, rid: ResourceId, current: dict[str, Any]) -> Answer:
        body = request.body if isinstance(request.body, dict) else {}
        return self._change(request, rid, current, body)

    def _change(self, request: Request, rid: ResourceId, current: dict[str, Any], body: dict[str, Any]) -> Answer:
        here, there = (str(p or "").replace(" ", "").lower() for p in (current["location"], body.get("location")))
        if there and here != there:
            text = (
                f"The resource '{rid.name}' already exists in location '{here}' in resource group '{rid.group}'. A "
                f"resource with the same name cannot be created in location '{there}'. Please select a new resource "
                "name."
            )
            raise AzureError(409, "InvalidResourceLocation", text)
        if body.get("tags") is not None:
            current["tags"] = without_nulls(body["tags"])
        current["properties"] |= self._asked(body)
        return Answer(200, self.present(request, rid, current))

    def present(self, request: Request, rid: ResourceId, stored: dict[str, Any]) -> dict[str, Any]:
        body = super().present(request, rid, stored)
        if request.api_version.endswith("-preview") and request.api_version < "2022":
            own = body["properties"]
            query = f"tid={own['tenantId']}&oid={own['principalId']}&aid={own['clientId']}"
            url = f"https://control-{stored['location']}.identity.azure.net{stored['id']}/credentials?{query}"
            body["properties"] = {**own, "clientSecretUrl": url}
        return body

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        if current is not None:
            request.simulator.principals.remove(current["properties"]["principalId"])
        return super().delete(request, rid, current)

    def action(self, request: Request, rid: ResourceId, current: dict[str, Any], name: str) -> Answer:
        if name.lower() == "listassociatedresources":
            return Answer(200, {"totalCount": 0, "value": []})
        return super().action(request, rid, current, name)


class FederatedCredentials(ResourceType):
    type = f"{TYPE}/federatedIdentityCredentials"

    def not_found(self, rid: ResourceId) -> AzureError:
        return AzureError(404, "NotFound", f"Resource '{written_id(rid)}' was not found.")

    def create_or_update(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        own = properties(request.body)
        if not CREDENTIAL_NAME.fullmatch(rid.name):
            raise bad_request(f"The federated identity credential name '{rid.name}' is invalid.")
        for key in ("issuer", "subject", "audiences"):
            if not own.get(key):
                raise bad_request(f"The federated identity credential has no {key}.")
        if len(own["audiences"]) != 1:
            raise bad_request("Federated identity credential must have exactly 1 audience.")
        self._alone(request, rid)
        self._check_others(request, rid, own, current)
        document = {
            "id": written_id(rid),
            "name": rid.name,
            "type": self.type,
            "properties": {key: own[key] for key in ("issuer", "subject", "audiences")},
        }
        request.simulator.store.put(rid, document)
        if current is not None:
            return Answer(200, document)
        return Answer(201, document, {"Location": document["id"]})

    def delete(self, request: Request, rid: ResourceId, current: dict[str, Any] | None) -> Answer:
        if current is not None:
            self._alone(request, rid)
        return super().delete(request, rid, current)

    def _check_others(
        self, request: Request, rid: ResourceId, own: dict[str, Any], current: dict[str, Any] | None
    ) -> None:
        others = request.simulator.store.children(rid.parent(), self.type)
        others = [other for other in others if other["name"].lower() != rid.name.lower()]
        for other in others:
            if all(other["properties"][key] == own[key] for key in ("issuer", "subject")):
                raise bad_request("Issuer and subject combination already exists for this Managed Identity.")
        if current is None and len(others) >= MOST_CREDENTIALS:
            raise bad_request(f"Too many Federated Identity Credentials: an identity can have {MOST_CREDENTIALS}.")

    @staticmethod
    def _alone(request: Request, rid: ResourceId) -> None:
        """Let others in while this write lasts; who then wants to write to the same identity is refused."""
        simulator = request.simulator
        identity = simulator.store.get(rid.parent())
        if identity.get("_writing"):
            text = (
                "Too many Federated Identity Credentials are written concurrently for the managed identity "
                f"'{written_id(rid.parent())}'. Concurrent Federated Identity Credentials writes under the same "
                "managed identity are not supported."
            )
            raise AzureError(409, "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity", text)
        if simulator.clock.instant:
            return
        identity["_writing"] = True
        simulator.lock.release()
        try:
            time.sleep(WRITE_SECONDS)
        finally:
            simulator.lock.acquire()
            del identity["_writing"]


TYPES = [Identities(), FederatedCredentials()]
