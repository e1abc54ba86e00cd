# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A MySQL Flexible Server as a document: defaults, what may be asked for, what may be changed, what is answered.

Defaults, the number of IOPS and the shape of answers are as recorded (API 2021-05-01 to 2023-06-30). Newer properties
come from the type definitions of API 2024-12-30. Limits and the codes of refusals are second-hand: from public
documentation and from bug reports.
"""

from __future__ import annotations

import copy
import re
from typing import Any

from ..arm import AzureError

ZERO = "00000000-0000-0000-0000-000000000000"
VERSIONS = ("5.7", "8.0.21", "8.4")
FULL_VERSIONS = {"5.7": "5.7.44", "8.0.21": "8.0.42", "8.4": "8.4.5"}
SMALLEST_GB, LARGEST_GB = 20, 32768
NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]")
RESERVED_LOGINS = {"azure_superuser", "admin", "administrator", "root", "guest", "public", "mysql", "sa"}
# Memory in GiB of the burstable sizes; the others have a fixed ratio to their cores.
_BURSTABLE = {"b1s": 1, "b1ms": 2, "b2s": 4, "b2ms": 8, "b4ms": 16, "b8ms": 32, "b12ms": 48, "b16ms": 64, "b20ms": 80}
_SERIES = {"Burstable": "B", "GeneralPurpose": "D", "MemoryOptimized": "E"}
_MOST_IOPS = {
    1: 640,
    2: 3200,
    4: 6400,
    8: 12800,
    16: 20000,
    20: 20000,
    32: 20000,
    48: 20000,
    64: 20000,
    80: 48000,
    96: 48000,
}
_ENUMS = {
    "storage.autoGrow": ("Enabled", "Disabled"),
    "storage.autoIoScaling": ("Enabled", "Disabled"),
    "storage.logOnDisk": ("Enabled", "Disabled"),
    "storage.storageRedundancy": ("LocalRedundancy", "ZoneRedundancy"),
    "backup.geoRedundantBackup": ("Enabled", "Disabled"),
    "highAvailability.mode": ("Disabled", "ZoneRedundant", "SameZone"),
    "dataEncryption.type": ("AzureKeyVault", "SystemManaged"),
    "network.publicNetworkAccess": ("Enabled", "Disabled"),
    "replicationRole": ("None", "Source", "Replica"),
    "version": VERSIONS,
}
# Since which API version a property is answered.
_SINCE = {
    "storage.autoIoScaling": "2021-12-01",
    "storage.logOnDisk": "2022-09-30",
    "privateEndpointConnections": "2022-09-30",
    "fullVersion": "2024-10-01",
    "databasePort": "2024-10-01",
    "maintenancePolicy": "2024-10-01",
    "maintenanceWindow.batchOfMaintenance": "2024-10-01",
    "storage.storageRedundancy": "2024-10-01",
    "backup.backupIntervalHours": "2024-10-01",
}


_WORDS = (
    r"southeast|northeast|southwest|northwest|east|west|north|south|central|us|uk|uae|europe|asia|africa|australia|"
    r"brazil|canada|chile|china|euap|france|germany|india|indonesia|israel|italy|japan|jio|korea|malaysia|mexico|norway|"
    r"poland|qatar|spain|sweden|switzerland|taiwan|\d+|.+"
)


def display_name(location: str) -> str:
    """Name a location as recorded: what was asked for as eastus comes back as "East US"."""
    words = re.findall(_WORDS, location.replace(" ", "").lower())
    return " ".join(word.upper() if word in {"us", "uk", "uae", "euap"} else word.title() for word in words)


def invalid(parameter: str, message: str = "") -> AzureError:
    text = message or f"Invalid value given for parameter {parameter}. Specify a valid parameter value."
    return AzureError(400, "InvalidParameterValue", text)


def cores(size: str) -> int:
    return int(re.fullmatch(r"Standard_[A-Z](\d+)\w*", size)[1])  # type: ignore[index]


def memory_gib(size: str) -> float:
    short = size.removeprefix("Standard_").lower()
    return _BURSTABLE.get(short) or cores(size) * {"D": 4, "E": 8}.get(size[9], 4)


def most_iops(size: str) -> int:
    return _MOST_IOPS.get(cores(size), 20000)


def lookup(document: Any, path: str) -> Any:
    for key in path.split("."):
        document = document.get(key) if isinstance(document, dict) else None
    return document


def check_sku(sku: dict[str, Any]) -> None:
    size, tier = sku.get("name") or "", sku.get("tier") or ""
    if tier not in _SERIES:
        raise invalid("sku.tier")
    if not re.fullmatch(r"Standard_[A-Z]\d+\w*", size):
        raise invalid("sku.name")
    if size[9] != _SERIES[tier]:
        text = f"Specified server edition '{tier}' is incompatible with SKU name '{size}'."
        raise AzureError(400, "ServerEditionIncompatibleWithSkuSize", text)


def check_password(password: Any, login: str, *, stand_in: bool) -> None:
    """`stand_in`: a recording has no password, only something in its place, that need not be complex."""
    if not isinstance(password, str) or not 8 <= len(password) <= 128:
        raise invalid("administratorLoginPassword")
    kinds = sum(bool(re.search(kind, password)) for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]"))
    if not stand_in and (kinds < 3 or login.lower() in password.lower()):
        text = (
            "Password is not complex enough. It must have characters from three of English uppercase letters, English "
            "lowercase letters, numbers and non-alphanumeric characters, and must not contain the login name."
        )
        raise AzureError(400, "PasswordNotComplex", text)


def check_values(properties: dict[str, Any]) -> None:
    """Check what may stand in a request at all, new server or not."""
    for path, allowed in _ENUMS.items():
        value = lookup(properties, path)
        if value not in (None, *allowed):
            raise invalid(path.rsplit(".", maxsplit=1)[-1])
    size = lookup(properties, "storage.storageSizeGB")
    if size is not None and not (isinstance(size, int) and SMALLEST_GB <= size <= LARGEST_GB):
        raise invalid("StorageSizeGB")
    days = lookup(properties, "backup.backupRetentionDays")
    if days is not None and not (isinstance(days, int) and 1 <= days <= 35):
        raise invalid("backupRetentionDays")


def check_change(old: dict[str, Any], new: dict[str, Any], sku: dict[str, Any]) -> None:
    """Refuse what an existing server refuses. `old` and `new` are properties, `sku` is the one asked for."""
    login = new.get("administratorLogin")
    if login and login != old["administratorLogin"]:
        raise invalid(
            "administratorLogin", "The administrator login name cannot be changed after the server was created."
        )
    if lookup(new, "storage.storageSizeGB") and new["storage"]["storageSizeGB"] < old["storage"]["storageSizeGB"]:
        text = "Storage size can only be increased: the storage of a server cannot be scaled down."
        raise invalid("StorageSizeGB", text)
    version = new.get("version")
    if version and VERSIONS.index(version) < VERSIONS.index(old["version"]):
        raise invalid("version", f"The server's version {old['version']} cannot be downgraded to {version}.")
    for path in ("backup.geoRedundantBackup", "network.delegatedSubnetResourceId", "availabilityZone"):
        wanted = lookup(new, path)
        if wanted is not None and wanted != lookup(old, path):
            raise invalid(path, f"{path.rsplit('.', maxsplit=1)[-1]} cannot be changed after the server was created.")
    check_availability({**old, **new}, sku)


def check_availability(properties: dict[str, Any], sku: dict[str, Any]) -> None:
    if lookup(properties, "highAvailability.mode") in {"ZoneRedundant", "SameZone"} and sku["tier"] == "Burstable":
        text = "High availability is not supported for the Burstable service tier."
        raise AzureError(400, "HighAvailabilityNotSupportedForBurstable", text)


def check_encryption(properties: dict[str, Any], identity: dict[str, Any] | None) -> None:
    """Refuse keys of one's own that are incomplete, that no identity of the server may use, or that are none."""
    asked = properties.get("dataEncryption") or {}
    if asked.get("type") != "AzureKeyVault":
        # `az` empties each of them, to have Azure's own keys again.
        kept = [key for key, value in asked.items() if key != "type" and value]
        if kept:
            raise invalid(f"dataEncryption.{kept[0]}")
        return
    users = (identity or {}).get("userAssignedIdentities") or {}
    known = {name.lower() for name, value in users.items() if value is not None}
    elsewhere = lookup(properties, "backup.geoRedundantBackup") == "Enabled"
    for place in ("primary", "geoBackup") if elsewhere else ("primary",):
        if not asked.get(f"{place}KeyURI"):
            raise invalid(f"dataEncryption.{place}KeyURI")
        if str(asked.get(f"{place}UserAssignedIdentityId")).lower() not in known:
            raise invalid(f"dataEncryption.{place}UserAssignedIdentityId")


def iops(size: str, gigabytes: int) -> int:
    """Return 684 for 128 GB, as recorded. Everything has 300, and 3 more for each GB."""
    return min(most_iops(size), 300 + 3 * gigabytes)


def defaults(name: str, size: str, zone: str, restorable: str, gigabytes: int) -> dict[str, Any]:
    """Return the properties of a new server for which nothing else was asked."""
    return {
        "administratorLogin": "",
        "storage": {
            "storageSizeGB": gigabytes,
            "iops": iops(size, gigabytes),
            "autoGrow": "Enabled",
            "autoIoScaling": "Disabled",
            "storageSku": "Premium_LRS",
            "logOnDisk": "Disabled",
            "storageRedundancy": "LocalRedundancy",
        },
        "version": "8.0.21",
        "fullVersion": "",
        "state": "Updating",
        "fullyQualifiedDomainName": f"{name}.mysql.database.azure.com",
        "databasePort": 3306,
        "availabilityZone": zone,
        "maintenancePolicy": {"patchStrategy": "Regular"},
        "maintenanceWindow": {
            "customWindow": "Disabled",
            "dayOfWeek": 0,
            "startHour": 0,
            "startMinute": 0,
            "batchOfMaintenance": "Default",
        },
        "replicationRole": "None",
        "replicaCapacity": 10,
        "network": {"publicNetworkAccess": "Enabled"},
        "backup": {
            "backupRetentionDays": 7,
            "backupIntervalHours": 24,
            "geoRedundantBackup": "Disabled",
            "earliestRestoreDate": restorable,
        },
        "highAvailability": {"mode": "Disabled", "state": "NotEnabled", "standbyAvailabilityZone": ""},
        "privateEndpointConnections": [],
    }


_NEVER_ANSWERED = ("administratorLoginPassword", "createMode", "restorePointInTime", "importSourceProperties")


def settle(properties: dict[str, Any], size: str) -> dict[str, Any]:
    """Add what follows from the rest: the exact version, the IOPS, whether there is a standby, whether it is public."""
    settled = {k: v for k, v in properties.items() if k not in _NEVER_ANSWERED}
    settled["fullVersion"] = FULL_VERSIONS[settled["version"]]
    least = iops(size, settled["storage"]["storageSizeGB"])
    settled["storage"]["iops"] = min(max(settled["storage"].get("iops") or 0, least), most_iops(size))
    available = settled["highAvailability"]
    on = available["mode"] != "Disabled"
    available["state"] = "Healthy" if on else "NotEnabled"
    if not on:
        available["standbyAvailabilityZone"] = ""
    elif not available.get("standbyAvailabilityZone"):
        zone = settled["availabilityZone"]
        available["standbyAvailabilityZone"] = zone if available["mode"] == "SameZone" else str(int(zone) % 3 + 1)
    if lookup(settled, "dataEncryption.type") == "SystemManaged":
        settled["dataEncryption"] = {"type": "SystemManaged"}
    if settled["network"].get("delegatedSubnetResourceId"):
        settled["network"]["publicNetworkAccess"] = "Disabled"
    return settled


def as_of(properties: dict[str, Any], api_version: str) -> dict[str, Any]:
    """Return the properties that this API version knows."""
    shown = copy.deepcopy(properties)
    for path, since in _SINCE.items():
        if api_version and api_version < since:
            *outer, last = path.split(".")
            holder = lookup(shown, ".".join(outer)) if outer else shown
            holder.pop(last, None)
    return shown


def lower_group(identity: str) -> str:
    """Write an id as recorded: Azure answers ids of identities with `resourcegroups` in lower case."""
    return re.sub("/resourceGroups/", "/resourcegroups/", identity, flags=re.IGNORECASE)
