# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of resources of all types, and the filters and pages of Microsoft.Resources. Second-hand: documentation."""

from __future__ import annotations

import re
from typing import Any

from ..arm import ARM, GATEWAY, Answer, AzureError, Request, ResourceId

_TERM = re.compile(r"\s*(\w+)\s+(eq|ne)\s+'((?:[^']|'')*)'\s*|\s*(startswith)\((\w+),\s*'([^']*)'\)\s*", re.IGNORECASE)
_SHOWN = ("id", "name", "type", "kind", "location", "tags", "sku", "identity", "managedBy", "zones", "plan")
PAGE = 1000


def fits(wanted: str, resource: dict[str, Any]) -> bool:
    """Whether a resource fits a $filter: comparisons joined by `and`, or by `or` (which Azure binds less)."""
    if not wanted.strip():
        return True
    return any(
        _all(re.split(r"\s+and\s+", part, flags=re.IGNORECASE), resource)
        for part in re.split(r"\s+or\s+", wanted, flags=re.IGNORECASE)
    )


def _all(terms: list[str], resource: dict[str, Any]) -> bool:
    tag = None
    for text in terms:
        found = _TERM.fullmatch(text.strip("() ") + (")" if "startswith(" in text else ""))
        if found is None:
            message = f"Invalid $filter '{text}' specified in the query string."
            raise AzureError(400, "InvalidFilterInQueryString", message, headers=GATEWAY)
        if found.group(4):
            if not _value(found.group(5), resource).startswith(found.group(6).lower()):
                return False
            continue
        name, operator, value = found.group(1).lower(), found.group(2).lower(), found.group(3).replace("''", "'")
        if name == "tagname":
            tag = value
            same = _tag(resource, tag) is not None
        elif name == "tagvalue":
            same = _tag(resource, tag or "") == value
        else:
            same = _value(name, resource) == value.lower()
        if same != (operator == "eq"):
            return False
    return True


def _tag(resource: dict[str, Any], name: str) -> str | None:
    """Get a tag. Its name's case does not matter, its value's does."""
    tags = resource.get("tags") or {}
    return next((value for key, value in tags.items() if key.lower() == name.lower()), None)


def _value(name: str, resource: dict[str, Any]) -> str:
    if name.lower() == "resourcegroup":
        return ResourceId(resource["id"]).group.lower()
    key = {"resourcetype": "type", "managedby": "managedBy"}.get(name.lower(), name.lower())
    return str(resource.get(key, "")).lower()


def resources(request: Request, scope: ResourceId) -> Answer:
    """List everything with a place that lies in a subscription or a group, and that the caller may read."""
    simulator, wanted = request.simulator, request.query.get("$filter", "")
    who = request.principal
    found = []
    for rid, document in simulator.store.within(scope):
        if not rid.provider or "location" not in document or not fits(wanted, document):
            continue
        if who is not None and not simulator.access.allowed(who, f"{rid.type}/read", rid):
            continue
        item = {key: document[key] for key in _SHOWN if key in document}
        if "provisioningstate" in request.query.get("$expand", "").lower():
            item["provisioningState"] = document.get("properties", {}).get("provisioningState", "Succeeded")
        found.append(item)
    return Answer(200, paged(request, found))


def paged(request: Request, items: list[dict[str, Any]]) -> dict[str, Any]:
    """Cut a list into pages, each of which names the next."""
    size = min(int(request.query.get("$top") or PAGE), PAGE)
    start = int(request.query.get("$skiptoken") or 0)
    page: dict[str, Any] = {"value": items[start : start + size]}
    if start + size < len(items) and "$top" not in request.query:
        rest = "&".join(f"{name}={value}" for name, value in request.query.items() if name != "$skiptoken")
        page["nextLink"] = f"{ARM}{request.path}?{rest}&$skiptoken={start + size}"
    return page
