# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft.Compute: which sizes of machines there are and where, and how many cores a subscription may use.

Second-hand, all of it: no recording has a list of sizes, a quota or a restriction. The shape is that of the public REST
reference. A test says what a region lacks with `simulator.compute`, which `reset` forgets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..arm import Answer, Request, ResourceId, ResourceType
from .regions import GROUP_REGIONS, WITHOUT_ZONES
from .sizes import FAMILIES, Size, known_sizes

if TYPE_CHECKING:
    from ..simulator import Simulator

CLUSTERS = "Microsoft.ContainerService/managedClusters"
TOTAL = "cores"


@dataclass
class Compute:
    """What a subscription may not use, by region: sizes (or families), zones of sizes, and limits of cores."""

    # (region, size): the reason, and the zones it holds for; no zones: in the whole region.
    restricted: dict[tuple[str, str], tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    # (region, family or "cores"): how many cores.
    limits: dict[tuple[str, str], int] = field(default_factory=dict)
    # (region, family): cores that something else uses.
    used: dict[tuple[str, str], int] = field(default_factory=dict)

    def restrict(
        self, region: str, size: str, *, zones: tuple[str, ...] = (), reason: str = "NotAvailableForSubscription"
    ) -> None:
        self.restricted[region, size.lower()] = reason, zones

    def limit(self, region: str, family: str) -> int:
        """Look a limit up: 350 cores in all, 100 of a family (none of those with GPUs)."""
        usual = 350 if family == TOTAL else FAMILIES.get(family, (family, 100))[1]
        return self.limits.get((region, family), usual)

    def cores(self, simulator: Simulator, region: str, family: str) -> int:
        """Count the cores in use in a region: those of the nodes of clusters, and what was set."""
        found = self.used.get((region, family), 0)
        for cluster in simulator.store.all(CLUSTERS):
            if cluster["location"] != region:
                continue
            for pool in (cluster.get("properties") or {}).get("agentPoolProfiles") or []:
                size = known_sizes().get(str(pool.get("vmSize", "")).lower())
                if size and family in {TOTAL, size.family}:
                    found += size.cores * int(pool.get("count") or 0)
        return found


class VirtualMachineSizes(ResourceType):
    """Answers for /subscriptions/S/providers/Microsoft.Compute/skus and …/locations/L/usages, …/vmSizes."""

    type = "Microsoft.Compute/virtualMachines"

    def provider_route(self, request: Request, rest: list[str]) -> Answer | None:
        if [part.lower() for part in rest] != ["skus"] or request.method != "GET":
            return None
        wanted = request.query.get("$filter", "").replace('"', "'")
        region = wanted.split("'")[1].lower() if "location eq '" in wanted else ""
        regions = [one for one in GROUP_REGIONS if region in {"", one}]
        value = [_sku(request, one, size) for one in regions for size in known_sizes().values()]
        return Answer(200, {"value": value})

    def location_route(self, request: Request, location: str, rest: list[str]) -> Answer | None:
        kind = rest[0].lower() if len(rest) == 1 and request.method == "GET" else ""
        if kind == "usages":
            return Answer(200, {"value": [_usage(request, location.lower(), name) for name in (TOTAL, *FAMILIES)]})
        if kind == "vmsizes":
            return Answer(200, {"value": [_size(one) for one in known_sizes().values()]})
        return None

    def collection(self, request: Request, rid_parent: ResourceId, items: list[dict[str, Any]]) -> Answer:
        del request, rid_parent, items
        return Answer(200, {"value": []})


def _usage(request: Request, region: str, family: str) -> dict[str, Any]:
    simulator = request.simulator
    shown = "Total Regional vCPUs" if family == TOTAL else FAMILIES[family][0]
    return {
        "limit": simulator.compute.limit(region, family),
        "unit": "Count",
        "currentValue": simulator.compute.cores(simulator, region, family),
        "name": {"value": family, "localizedValue": shown},
    }


def _size(size: Size) -> dict[str, Any]:
    return {
        "name": size.name,
        "numberOfCores": size.cores,
        "osDiskSizeInMB": 1047552,
        "resourceDiskSizeInMB": size.disk * 1024,
        "memoryInMB": int(size.memory * 1024),
        "maxDataDiskCount": min(size.cores * 2, 32),
    }


def _sku(request: Request, region: str, size: Size) -> dict[str, Any]:
    zones = [] if region in WITHOUT_ZONES else ["1", "2", "3"]
    capabilities = {
        "vCPUs": size.cores,
        "MemoryGB": size.memory,
        "MaxResourceVolumeMB": size.disk * 1024,
        "CachedDiskBytes": size.disk * 1024**3,
        "EphemeralOSDiskSupported": size.disk > 0,
        "PremiumIO": True,
        "EncryptionAtHostSupported": True,
        "AcceleratedNetworkingEnabled": True,
        "CpuArchitectureType": size.architecture,
        "GPUs": size.gpus or None,
        "HyperVGenerations": "V2" if size.architecture == "Arm64" else "V1,V2",
    }
    shown = [{"name": name, "value": str(value)} for name, value in capabilities.items() if value is not None]
    return {
        "resourceType": "virtualMachines",
        "name": size.name,
        "tier": "Standard",
        "size": size.name.removeprefix("Standard_"),
        "family": size.family,
        "locations": [region],
        "locationInfo": [{"location": region, "zones": zones, "zoneDetails": []}],
        "capabilities": shown,
        "restrictions": _restrictions(request, region, size, zones),
    }


def _restrictions(request: Request, region: str, size: Size, zones: list[str]) -> list[dict[str, Any]]:
    found = request.simulator.compute.restricted.get((region, size.name.lower()))
    if found is None:
        return []
    reason, some = found
    where: dict[str, Any] = {"locations": [region]}
    by_zone = {"type": "Zone", "values": [region], "reasonCode": reason}
    by_zone["restrictionInfo"] = {**where, "zones": list(some) or zones}
    if some:
        return [by_zone]
    whole = {"type": "Location", "values": [region], "restrictionInfo": where, "reasonCode": reason}
    return [whole, by_zone] if zones else [whole]


TYPES = [VirtualMachineSizes()]
