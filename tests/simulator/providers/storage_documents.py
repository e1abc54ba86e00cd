# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A storage account as a document: its defaults, what a request changes in it, and how an API version shows it.

Defaults and keys are as recorded (API 2019-06-01 to 2023-01-01).
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from .documents import azure_time, merged, properties, without_nulls

TYPE = "Microsoft.Storage/storageAccounts"
# The API version that first shows a property.
SINCE = {
    "keyCreationTime": "2021-02-01",
    "allowCrossTenantReplication": "2021-04-01",
    "publicNetworkAccess": "2021-06-01",
}
# Which services have an endpoint, and so which kinds can hold what.
SERVICES = {
    "Storage": ("blob", "queue", "table", "file"),
    "StorageV2": ("dfs", "web", "blob", "queue", "table", "file"),
    "BlobStorage": ("dfs", "blob", "table"),
    "BlockBlobStorage": ("dfs", "web", "blob"),
    "FileStorage": ("file",),
}
PREMIUM_SERVICES = {"Storage": ("blob",), "StorageV2": ("web", "blob")}
ACCESS_TIERS = {"StorageV2": "Hot", "BlobStorage": "Hot", "FileStorage": "Hot", "BlockBlobStorage": "Premium"}
# Where Azure keeps the second copy; its partner is mutual.
_PAIRS = (
    ("westus", "eastus"), ("westus2", "westcentralus"), ("eastus2", "centralus"), ("northeurope", "westeurope"),
    ("southcentralus", "northcentralus"), ("southeastasia", "eastasia"), ("eastus2euap", "centraluseuap"),
    ("uksouth", "ukwest"), ("germanywestcentral", "germanynorth"), ("francecentral", "francesouth"),
    ("switzerlandnorth", "switzerlandwest"), ("norwayeast", "norwaywest"), ("japaneast", "japanwest"),
    ("australiaeast", "australiasoutheast"), ("canadacentral", "canadaeast"), ("koreacentral", "koreasouth"),
    ("swedencentral", "swedensouth"), ("centralindia", "southindia"),
)  # fmt: skip
PAIRS = dict(_PAIRS) | {second: first for first, second in _PAIRS}
ENABLED = {"keyType": "Account", "enabled": True}
ACLS = {"bypass": "AzureServices", "virtualNetworkRules": [], "ipRules": [], "defaultAction": "Allow"}
DOMAIN = "example.onmicrosoft.com"
DIRECTORY = ("domainName", "netBiosDomainName", "forestName", "domainGuid", "domainSid", "azureStorageSid")
# Written as Azure writes them, whatever the request's case.
_WORDS = ("Allow", "Deny", "None", "Logging", "Metrics", "AzureServices")


def services(kind: str, sku: str) -> tuple[str, ...]:
    if sku.startswith("Premium") and kind in PREMIUM_SERVICES:
        return PREMIUM_SERVICES[kind]
    return SERVICES.get(kind, SERVICES["StorageV2"])


def created(rid: Any, body: dict[str, Any], version: str, now: float, keys: list[str]) -> dict[str, Any]:
    """Make the document of a new account."""
    stamp = azure_time(now)
    asked = properties(body)
    kind, name = body["kind"], str(rid.names[-1])
    defaults: dict[str, Any] = {
        "keyCreationTime": {"key1": stamp, "key2": stamp},
        "allowCrossTenantReplication": False,
        "privateEndpointConnections": [],
        "allowBlobPublicAccess": False,
        "networkAcls": deepcopy(ACLS),
        "supportsHttpsTrafficOnly": True,
        "encryption": {"services": _services(now), "keySource": "Microsoft.Storage"},
    }
    if version >= "2020-08":  # before, an account had no floor unless it asked for one
        defaults["minimumTlsVersion"] = "TLS1_0"
    if kind in ACCESS_TIERS:
        defaults["accessTier"] = ACCESS_TIERS[kind]
    document = {
        "sku": {},
        "kind": kind,
        "id": str(rid),
        "name": name,
        "type": TYPE,
        "location": body["location"],
        "tags": {},
        "properties": {
            **defaults,
            "provisioningState": "Creating",
            "creationTime": stamp,
            "primaryLocation": body["location"],
            "statusOfPrimary": "available",
        },
        "_keys": [
            {"keyName": f"key{n}", "value": key, "permissions": "FULL", "creationTime": stamp}
            for n, key in enumerate(keys, 1)
        ],
    }
    if "extendedLocation" in body:
        document["extendedLocation"] = body["extendedLocation"]
        document["properties"]["primaryExtendedLocation"] = body["extendedLocation"]
    return changed(document, {**body, "properties": asked}, now)


def _services(now: float) -> dict[str, Any]:
    return {name: {**ENABLED, "lastEnabledTime": azure_time(now)} for name in ("file", "blob")}


def changed(current: dict[str, Any], body: dict[str, Any], now: float) -> dict[str, Any]:
    """Do what a PUT or PATCH asks for; both leave alone what they do not name (an identity, say)."""
    document = deepcopy(current)
    asked = dict(properties(body))
    own = document["properties"]
    for name in ("networkAcls", "encryption"):
        part = asked.pop(name, None)
        if part:
            own[name] = _acls(own[name], part) if name == "networkAcls" else _encryption(own[name], part, now)
    # These are replaced as a whole; the rest is merged.
    document["properties"] = merged(own, asked)
    for name in ("tags", "kind"):
        if body.get(name) is not None:
            document[name] = without_nulls(body[name])
    sku = (body.get("sku") or {}).get("name") or document["sku"].get("name")
    document["sku"] = {"name": sku, "tier": sku.split("_")[0].removesuffix("V2")}
    _join_directory(document["properties"].get("azureFilesIdentityBasedAuthentication") or {})
    _locate(document)
    return document


def _join_directory(files: dict[str, Any]) -> None:
    """Name the domain that shares trust, and fill what was left out of it with blanks."""
    if files.get("directoryServiceOptions") == "AADDS":
        files["activeDirectoryProperties"] = {"domainName": DOMAIN}
    elif files.get("activeDirectoryProperties"):
        blank = dict.fromkeys(DIRECTORY, " ")
        files["activeDirectoryProperties"] = {**blank, **files["activeDirectoryProperties"]}


def _word(value: str) -> str:
    return ", ".join(next((w for w in _WORDS if w.lower() == v.strip().lower()), v) for v in value.split(","))


def _acls(current: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    acls = {**current, **without_nulls(asked)}
    for name in ("bypass", "defaultAction"):
        acls[name] = _word(acls[name])
    acls["ipRules"] = [{"action": "Allow", **rule} for rule in acls["ipRules"]]
    acls["virtualNetworkRules"] = [
        {"action": "Allow", **rule, "state": "Succeeded"} for rule in acls["virtualNetworkRules"]
    ]
    return acls


def _encryption(current: dict[str, Any], asked: dict[str, Any], now: float) -> dict[str, Any]:
    result = merged(current, {k: v for k, v in asked.items() if k != "services"})
    for name, service in (asked.get("services") or {}).items():
        if service is not None and name not in result["services"]:
            result["services"][name] = {**ENABLED, **without_nulls(service), "lastEnabledTime": azure_time(now)}
    vault = result.get("keyvaultproperties")
    if vault and result["keySource"] != "Microsoft.Storage":
        uri, key = str(vault.get("keyvaulturi", "")).rstrip("/"), vault.get("keyname", "")
        vault["currentVersionedKeyIdentifier"] = f"{uri}/keys/{key}/{vault.get('keyversion') or '0' * 32}"
        vault["lastKeyRotationTimestamp"] = azure_time(now)
        vault["currentVersionedKeyExpirationTimestamp"] = "1970-01-01T00:00:00.0000000Z"
    elif vault:
        del result["keyvaultproperties"]
    return result


def _locate(document: dict[str, Any]) -> None:
    """Endpoints and the second region follow from kind and SKU."""
    name, own, sku = document["name"], document["properties"], document["sku"]["name"]
    names = services(document["kind"], sku)
    zone = "z13." if own.get("dnsEndpointType") != "AzureDnsZone" else "z1."

    def endpoint(service: str, suffix: str = "") -> str:
        return f"https://{name}{suffix}.{zone if service == 'web' else ''}{service}.core.windows.net/"

    def endpoints(suffix: str, kept: tuple[str, ...]) -> dict[str, Any]:
        routing, found = own.get("routingPreference") or {}, {}
        if routing.get("publishInternetEndpoints"):
            routed = [s for s in kept if s in ("blob", "file", "dfs", "web")]
            found["internetEndpoints"] = {s: endpoint(s, f"-internetrouting{suffix}") for s in routed}
        if routing.get("publishMicrosoftEndpoints"):
            found["microsoftEndpoints"] = {s: endpoint(s, f"-microsoftrouting{suffix}") for s in kept}
        return {**found, **{s: endpoint(s, suffix) for s in kept}}

    own["primaryEndpoints"] = endpoints("", names)
    for key in ("secondaryLocation", "statusOfSecondary", "secondaryEndpoints"):
        own.pop(key, None)
    if "GRS" in sku or "GZRS" in sku:
        own["secondaryLocation"] = PAIRS.get(own["primaryLocation"], "westus")
        own["statusOfSecondary"] = "available"
    if "_RA" in sku:
        own["secondaryEndpoints"] = endpoints("-secondary", tuple(s for s in names if s != "file"))


def shown(document: dict[str, Any], version: str, now: float, expand: str = "") -> dict[str, Any]:
    """Show the account as an API version answers it."""
    body = {key: deepcopy(value) for key, value in document.items() if not key.startswith("_")}
    own = body["properties"]
    for name, since in SINCE.items():
        if version < since:
            own.pop(name, None)
    if version >= "2023":
        own["networkAcls"]["ipv6Rules"] = own["networkAcls"].get("ipv6Rules", [])
    if "georeplicationstats" in expand.lower() and "secondaryLocation" in own:
        own["geoReplicationStats"] = {
            "status": "Live",
            "lastSyncTime": azure_time(now)[:19] + "Z",
            "canFailover": True,
            "canPlannedFailover": True,
            "postFailoverRedundancy": "Standard_LRS",
            "postPlannedFailoverRedundancy": document["sku"]["name"],
        }
    return body
