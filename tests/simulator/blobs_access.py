# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a caller of the blob service must be allowed to do, by request. Second-hand: from public documentation.

Containers are made and deleted by *actions*, which an Owner has; what is in them is read and written by *data actions*,
which an Owner does not have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
BLOBS = f"{CONTAINERS}/blobs"


def needed(method: str, path: str, query: Mapping[str, str]) -> tuple[str, str, str]:
    """Return ("action" or "data", its name, the container or "" for the account)."""
    container, _, blob = path.strip("/").partition("/")
    comp = query.get("comp", "")
    if not container or (container == "$root" and not blob):
        return _account(comp)
    if not blob:
        return (*_container(method, comp), container)
    return "data", _blob(method, comp), container


def _account(comp: str) -> tuple[str, str, str]:
    if comp == "userdelegationkey" or comp.startswith("userdelegation"):
        return "action", "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action", ""
    if comp == "blobs":
        return "data", f"{BLOBS}/filter/action", ""
    if comp == "list":
        return "action", f"{CONTAINERS}/read", ""
    return "action", "Microsoft.Storage/storageAccounts/blobServices/read", ""


def _container(method: str, comp: str) -> tuple[str, str]:
    if comp == "list":
        return "data", f"{BLOBS}/read"
    if comp == "batch":
        return "data", f"{BLOBS}/delete"
    if method in {"GET", "HEAD"}:
        return "action", f"{CONTAINERS}/{'getAcl/action' if comp == 'acl' else 'read'}"
    if method == "DELETE":
        return "action", f"{CONTAINERS}/delete"
    return "action", f"{CONTAINERS}/{'setAcl/action' if comp == 'acl' else 'write'}"


def _blob(method: str, comp: str) -> str:
    if comp == "tags":
        return f"{BLOBS}/tags/{'read' if method == 'GET' else 'write'}"
    if method in {"GET", "HEAD"}:
        return f"{BLOBS}/read"
    if method == "DELETE":
        return f"{BLOBS}/delete"
    return f"{BLOBS}/write"
