# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container registry as a document: its defaults, what a request changes in it, and how an API version shows it.

Defaults and keys are as recorded (API 2019-05-01 to 2022-02-01-preview); those of later versions are from the type
definitions of 2025-11-01. Refusals are second-hand; a code that no public report shows is marked.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

from ..arm import AzureError
from .documents import azure_time, merged, properties, without_nulls

TYPE = "Microsoft.ContainerRegistry/registries"
NAME = re.compile(r"[a-zA-Z0-9]{5,50}")
SKUS = ("Basic", "Standard", "Premium")
# The API version that first shows a property.
SINCE = dict.fromkeys(
    ("encryption", "dataEndpointEnabled", "dataEndpointHostNames", "privateEndpointConnections", "publicNetworkAccess",
     "networkRuleBypassOptions", "zoneRedundancy", "anonymousPullEnabled"),
    "2020-11",
) | {"roleAssignmentMode": "2024-11", "networkRuleBypassAllowedForTasks": "2025-05"}  # fmt: skip
POLICIES_SINCE = {
    "exportPolicy": "2021-06",
    "azureADAuthenticationAsArmPolicy": "2022-02",
    "softDeletePolicy": "2022-02",
}
ENUMS = {
    "publicNetworkAccess": ("Enabled", "Disabled"),
    "networkRuleBypassOptions": ("AzureServices", "None"),
    "zoneRedundancy": ("Enabled", "Disabled"),
    "roleAssignmentMode": ("AbacRepositoryPermissions", "LegacyRegistryPermissions"),
}
# What only the dearest SKU has.
PREMIUM = {
    "publicNetworkAccess": "Disabled",
    "zoneRedundancy": "Enabled",
    "dataEndpointEnabled": True,
    "networkRuleBypassOptions": "None",
}
# A change of these takes a while; the others are done at once.
SLOW = ("anonymousPullEnabled", "encryption", "zoneRedundancy", "roleAssignmentMode")


def created(rid: Any, body: dict[str, Any], now: float, system: dict[str, Any]) -> dict[str, Any]:
    stamp = azure_time(now, "+00:00")
    name = rid.name
    document = {
        "sku": {},
        "type": TYPE,
        "id": str(rid),
        "name": name,
        "location": body["location"],
        "tags": {},
        "systemData": system,
        "properties": {
            "loginServer": f"{name.lower()}.azurecr.io",
            "creationDate": azure_time(now),
            "provisioningState": "Creating",
            "adminUserEnabled": False,
            "networkRuleSet": {"defaultAction": "Allow", "virtualNetworkRules": [], "ipRules": []},
            "policies": {
                "quarantinePolicy": {"status": "disabled"},
                "trustPolicy": {"type": "Notary", "status": "disabled"},
                "retentionPolicy": {"days": 7, "lastUpdatedTime": stamp, "status": "disabled"},
                "exportPolicy": {"status": "enabled"},
                "azureADAuthenticationAsArmPolicy": {"status": "enabled"},
                "softDeletePolicy": {"retentionDays": 7, "lastUpdatedTime": stamp, "status": "disabled"},
            },
            "encryption": {"status": "disabled"},
            "dataEndpointEnabled": False,
            "privateEndpointConnections": [],
            "publicNetworkAccess": "Enabled",
            "networkRuleBypassOptions": "AzureServices",
            "networkRuleBypassAllowedForTasks": False,
            "zoneRedundancy": "Disabled",
            "anonymousPullEnabled": False,
            "roleAssignmentMode": "LegacyRegistryPermissions",
        },
    }
    return changed(document, body, now)


def changed(current: dict[str, Any], body: dict[str, Any], now: float) -> dict[str, Any]:
    """Do what PUT and PATCH ask for: merge, but replace tags and lists of rules."""
    document = deepcopy(current)
    asked = properties(body)
    own = merged(document["properties"], asked)
    rules = own["networkRuleSet"]
    rules["ipRules"] = [{"action": "Allow", **rule} for rule in rules["ipRules"]]
    rules["virtualNetworkRules"] = [{"action": "Allow", **rule} for rule in rules["virtualNetworkRules"]]
    for name in ("retentionPolicy", "softDeletePolicy"):
        if name in (asked.get("policies") or {}):
            own["policies"][name]["lastUpdatedTime"] = azure_time(now, "+00:00")
    vault = own["encryption"].get("keyVaultProperties")
    if vault:
        key = vault.get("keyIdentifier", "")
        versioned = len(key.split("/")) > 5
        vault["versionedKeyIdentifier"] = key if versioned else f"{key}/{'0' * 32}"
        vault["keyRotationEnabled"] = not versioned
        vault["lastKeyRotationTimestamp"] = azure_time(now, "+00:00")
    document["properties"] = own
    if body.get("tags") is not None:
        document["tags"] = without_nulls(body["tags"])
    sku = (body.get("sku") or {}).get("name") or document["sku"].get("name")
    document["sku"] = {"name": sku, "tier": sku}
    return document


def check(name: str, body: dict[str, Any], current: dict[str, Any] | None) -> None:
    """Refuse what a registry cannot become."""
    if not NAME.fullmatch(name):
        raise AzureError(400, "NameInvalid", bad_name(name))  # code: none recorded
    sku = (body.get("sku") or {}).get("name") or (current or {}).get("sku", {}).get("name")
    if sku not in SKUS:
        text = f"The SKU '{sku}' is not supported. Supported SKUs are: {', '.join(SKUS)}."
        raise AzureError(400, "SkuNotSupported", text)  # code: none recorded
    asked = properties(body)
    for key, values in ENUMS.items():
        if asked.get(key) is not None and asked[key] not in values:
            raise AzureError(400, "InvalidParameter", f"The value '{asked[key]}' of property '{key}' is invalid.")
    _check_sku(sku, asked)
    if current:
        _check_immutable(name, body, current)


def _check_sku(sku: str, asked: dict[str, Any]) -> None:
    wanted = [key for key, value in PREMIUM.items() if asked.get(key) == value]
    if (asked.get("encryption") or {}).get("status") == "enabled":
        wanted.append("encryption")
    acls = asked.get("networkRuleSet") or {}
    if acls.get("defaultAction") == "Deny" or acls.get("ipRules"):
        wanted.append("networkRuleSet")
    if wanted and sku != "Premium":
        text = f"The property '{wanted[0]}' is not supported for the SKU {sku}. It needs the SKU Premium."
        raise AzureError(400, "FeatureNotSupportedForSku", text)  # code: none recorded
    if asked.get("anonymousPullEnabled") and sku == "Basic":
        text = f"The property 'anonymousPullEnabled' is not supported for the SKU {sku}."
        raise AzureError(400, "FeatureNotSupportedForSku", text)


def _check_immutable(name: str, body: dict[str, Any], current: dict[str, Any]) -> None:
    here, there = (str(place or "").replace(" ", "").lower() for place in (current["location"], body.get("location")))
    if there and here != there:
        raise AzureError(
            409,
            "InvalidResourceLocation",
            f"The resource '{name}' already exists in location '{here}' in resource group "
            f"'{current['id'].split('/')[4]}'. A resource with the same name cannot be created in location '{there}'. "
            "Please select a new resource name.",
        )
    zones = properties(body).get("zoneRedundancy")
    if zones and zones != current["properties"]["zoneRedundancy"]:
        text = "The zone redundancy of a registry cannot be changed after it was created."
        raise AzureError(409, "ZoneRedundancyUpdateNotAllowed", text)  # code: none recorded


def bad_name(name: str) -> str:
    return (
        f"The specified registry name '{name}' is invalid. Registry names may contain alpha numeric characters only "
        "and must be between 5 and 50 characters."
    )


def is_slow(current: dict[str, Any], body: dict[str, Any]) -> bool:
    sku = (body.get("sku") or {}).get("name")
    asked = properties(body)
    return bool(
        body.get("identity")
        or (sku and sku != current["sku"]["name"])
        or any(key in asked and asked[key] != current["properties"].get(key) for key in SLOW)
    )


def shown(document: dict[str, Any], version: str, regions: list[str]) -> dict[str, Any]:
    body = {key: deepcopy(value) for key, value in document.items() if not key.startswith("_")}
    own = body["properties"]
    own["dataEndpointHostNames"] = (
        [f"{own['loginServer'].split('.')[0]}.{region}.data.azurecr.io" for region in regions]
        if own["dataEndpointEnabled"]
        else []
    )
    for name, since in SINCE.items():
        if version < since:
            own.pop(name, None)
    for name, since in POLICIES_SINCE.items():
        if version < since:
            own["policies"].pop(name, None)
    if not version.endswith("-preview"):
        own["policies"].pop("softDeletePolicy", None)
    if version >= "2022":
        own["networkRuleSet"].pop("virtualNetworkRules", None)
    if document["sku"]["name"] != "Premium":
        del own["networkRuleSet"]
    if version < "2020-11":
        del body["systemData"]
    return body
