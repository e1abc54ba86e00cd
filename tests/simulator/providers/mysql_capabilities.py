# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What MySQL Flexible Server offers in a location. Second-hand: from the type definitions and public documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..arm import Answer
from . import mysql_server as server

if TYPE_CHECKING:
    from ..arm import Request

SIZES = {
    "Burstable": ("Standard_B1ms", "Standard_B2s", "Standard_B2ms", "Standard_B4ms", "Standard_B8ms"),
    "GeneralPurpose": (
        "Standard_D2ds_v4",
        "Standard_D4ds_v4",
        "Standard_D8ds_v4",
        "Standard_D2ads_v5",
        "Standard_D4ads_v5",
    ),
    "MemoryOptimized": ("Standard_E2ds_v4", "Standard_E4ds_v4", "Standard_E2ads_v5", "Standard_E4ads_v5"),
}
ZONES = ("1", "2", "3")
_STORAGE = {
    "name": "Premium",
    "minStorageSize": server.SMALLEST_GB * 1024,
    "maxStorageSize": server.LARGEST_GB * 1024,
    "minBackupRetentionDays": 1,
    "maxBackupRetentionDays": 35,
    "minBackupIntervalHours": 24,
    "maxBackupIntervalHours": 24,
}


def _sku(size: str, zones: bool) -> dict[str, Any]:
    cores = server.cores(size)
    memory = int(server.memory_gib(size) * 1024 / cores)
    sku = {"name": size, "vCores": cores, "supportedIops": server.most_iops(size), "supportedMemoryPerVCoreMB": memory}
    return {**sku, "supportedZones": list(ZONES), "supportedHAMode": ["SameZone", "ZoneRedundant"]} if zones else sku


def _zone(zone: str) -> dict[str, Any]:
    editions = [
        {
            "name": tier,
            "supportedStorageEditions": [dict(_STORAGE)],
            "supportedServerVersions": [
                {"name": version, "supportedSkus": [_sku(size, zones=False) for size in sizes]}
                for version in server.VERSIONS
            ],
        }
        for tier, sizes in SIZES.items()
    ]
    return {
        "zone": zone,
        "supportedHAMode": ["SameZone", "ZoneRedundant"],
        "supportedGeoBackupRegions": [],
        "supportedFlexibleServerEditions": editions,
    }


def _set(request: Request, location: str) -> dict[str, Any]:
    editions = [
        {
            "name": tier,
            "defaultSku": sizes[0],
            "defaultStorageSize": server.SMALLEST_GB * 1024,
            "supportedStorageEditions": [dict(_STORAGE)],
            "supportedSkus": [_sku(size, zones=True) for size in sizes],
        }
        for tier, sizes in SIZES.items()
    ]
    subscription = request.path.split("/")[2]
    base = f"/subscriptions/{subscription}/providers/Microsoft.DBforMySQL/locations/{location}/capabilitySets"
    return {
        "id": f"{base}/default",
        "name": "default",
        "type": "Microsoft.DBforMySQL/locations/capabilitySets",
        "properties": {
            "supportedGeoBackupRegions": [],
            "supportedFlexibleServerEditions": editions,
            "supportedServerVersions": [{"name": version} for version in server.VERSIONS],
            "supportedFeatures": [],
        },
    }


def capabilities(request: Request, location: str, what: str, more: list[str]) -> Answer:
    if what == "capabilities":
        return Answer(200, {"value": [_zone(zone) for zone in ("none", *ZONES)]})
    found = _set(request, location)
    return Answer(200, found if more else {"value": [found]})
