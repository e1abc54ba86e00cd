# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documents of all resources, by id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .ids import ResourceId, resource_id

if TYPE_CHECKING:
    from collections.abc import Iterator


class Store:
    """Documents are handed out as they are, not copied: who changes one has changed what is stored."""

    def __init__(self) -> None:
        self._types: dict[str, dict[str, dict[str, Any]]] = {}
        # Of database servers, for what stands outside: no document has one.
        self.passwords: dict[str, str] = {}

    def get(self, rid: ResourceId | str) -> dict[str, Any] | None:
        rid = resource_id(rid)
        return self._types.get(rid.type.lower(), {}).get(rid.key)

    def put(self, rid: ResourceId | str, document: dict[str, Any]) -> dict[str, Any]:
        rid = resource_id(rid)
        self._types.setdefault(rid.type.lower(), {})[rid.key] = document
        return document

    def delete(self, rid: ResourceId | str) -> bool:
        """Delete a resource and all below it. Whether it was there."""
        rid = resource_id(rid)
        below = rid.key + "/"
        found = False
        for documents in list(self._types.values()):
            for key in [key for key in documents if key == rid.key or key.startswith(below)]:
                found = found or key == rid.key
                del documents[key]
        return found

    def children(self, rid: ResourceId | str, kind: str) -> list[dict[str, Any]]:
        """List the resources of a type below an id. `kind` is a child's plain type ("agentPools") or a full one."""
        rid = resource_id(rid)
        full = kind if "/" in kind else f"{rid.type}/{kind}"
        below = rid.key + "/"
        return [document for key, document in list(self._types.get(full.lower(), {}).items()) if key.startswith(below)]

    def all(self, kind: str, subscription: str | None = None, group: str | None = None) -> list[dict[str, Any]]:
        """List all resources of a full type, of one subscription and one resource group if these are given."""
        start = f"/subscriptions/{subscription.lower()}/" if subscription else "/"
        start += f"resourcegroups/{group.lower()}/" if group else ""
        return [document for key, document in list(self._types.get(kind.lower(), {}).items()) if key.startswith(start)]

    def within(self, rid: ResourceId | str) -> Iterator[tuple[ResourceId, dict[str, Any]]]:
        """Every resource below an id, of whatever type."""
        below = resource_id(rid).key + "/"
        for documents in list(self._types.values()):
            for key, document in list(documents.items()):
                if key.startswith(below):
                    yield ResourceId(document.get("id") or key), document
