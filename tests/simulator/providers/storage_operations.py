# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where storage accounts' long operations are polled, and how many accounts a location has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..arm import Answer, AzureError, Request
from .documents import retry_after
from .storage_documents import TYPE

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 17


def operation_headers(request: Request, location: str, operation: Any) -> dict[str, str]:
    subscription = request.path.split("/")[2]
    url = (
        f"https://management.azure.com/subscriptions/{subscription}/providers/Microsoft.Storage/locations/{location}"
        f"/asyncoperations/{operation.id}?monitor=true&api-version={request.api_version}"
    )
    return {"Location": url, **retry_after(request, SECONDS)}


def poll(request: Request, location: str, name: str, last_made: Callable[[], Any]) -> Answer:
    operation = request.simulator.operations.find(name)
    if operation is None:
        text = f"The async operation {name} could not be found."
        raise AzureError(404, "AsyncOperationNotFound", text)
    if not operation.done:
        return Answer(202, None, operation_headers(request, location, operation))
    if operation.error:
        raise AzureError(409, operation.error["code"], operation.error["message"])
    # A replay polls an id that was recorded: taken for that of the last account.
    replay = request.simulator.clock.instant and not operation.kind
    return Answer(200, last_made() if replay else operation.result)


def usages(request: Request, location: str) -> Answer:
    accounts = [a for a in request.simulator.store.all(TYPE) if a["location"] == location]
    zones = [a for a in accounts if a["properties"].get("dnsEndpointType") == "AzureDnsZone"]
    rows = [("StorageAccounts", "Storage Accounts", len(accounts) - len(zones), 250)]
    if request.api_version >= "2021-09":
        rows.append(("StorageAccounts-AzureDNSZone", "AzureDNSZone Storage Accounts", len(zones), 5000))
    value = [
        {"unit": "Count", "currentValue": n, "limit": limit, "name": {"value": name, "localizedValue": text}}
        for name, text, n, limit in rows
    ]
    return Answer(200, {"value": value})
