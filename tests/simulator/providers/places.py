# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A resource stays where it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..arm import GATEWAY, AzureError

if TYPE_CHECKING:
    from ..arm import ResourceId


def plain(location: str | None) -> str:
    """East US is eastus."""
    return (location or "").replace(" ", "").lower()


def same_place(rid: ResourceId, current: str, asked: str | None) -> None:
    """Refuse a PUT that names another location than the resource's. Naming none is no other."""
    if asked and plain(asked) != plain(current):
        text = (
            f"The resource '{rid.name}' already exists in location '{plain(current)}' in resource group '{rid.group}'. "
            f"A resource with the same name cannot be created in location '{plain(asked)}'. "
            "Please select a new resource name."
        )
        raise AzureError(409, "InvalidResourceLocation", text, headers=GATEWAY)
