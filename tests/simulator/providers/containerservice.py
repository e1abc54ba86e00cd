# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft.ContainerService, as recorded; what is second-hand says so where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import containerservice_children, containerservice_snapshots
from .containerservice_clusters import ManagedClusters
from .containerservice_pools import AgentPools

if TYPE_CHECKING:
    from ..arm import ResourceType

TYPES: list[ResourceType] = [
    ManagedClusters(),
    AgentPools(),
    *containerservice_children.TYPES,
    *containerservice_snapshots.TYPES,
]
