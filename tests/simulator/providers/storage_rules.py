# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a storage account refuses.

As recorded: AccountNameInvalid, InvalidValuesForRequestParameters, InvalidStorageAccountImmutabilityPolicy. The codes
and texts of a name that is taken, of a kind, SKU or property that cannot be changed, and of a public container are
second-hand, from bug reports against Azure's public repositories.
"""

from __future__ import annotations

import re
from typing import Any

from ..arm import AzureError
from .documents import properties

NAME = re.compile(r"[a-z0-9]{3,24}")
CONTAINER = re.compile(r"(?=.{3,63}$)(?:\$root|\$web|\$logs|[a-z0-9](?:-?[a-z0-9])+)$")
KINDS = ("Storage", "StorageV2", "BlobStorage", "FileStorage", "BlockBlobStorage")
SKUS = (
    "Standard_LRS", "Standard_GRS", "Standard_RAGRS", "Standard_ZRS", "Standard_GZRS", "Standard_RAGZRS",
    "Premium_LRS", "Premium_ZRS", "StandardV2_LRS", "StandardV2_GRS", "StandardV2_ZRS", "StandardV2_GZRS",
    "PremiumV2_LRS", "PremiumV2_ZRS",
)  # fmt: skip
ENUMS = {
    "minimumTlsVersion": ("TLS1_0", "TLS1_1", "TLS1_2", "TLS1_3"),
    "accessTier": ("Hot", "Cool", "Premium", "Cold", "Smart"),
    "publicNetworkAccess": ("Enabled", "Disabled", "SecuredByPerimeter"),
    "largeFileSharesState": ("Enabled", "Disabled"),
    "dnsEndpointType": ("Standard", "AzureDnsZone"),
    "allowedCopyScope": ("PrivateLink", "AAD", "All"),
    "networkAcls.defaultAction": ("Allow", "Deny"),
    "encryption.keySource": ("Microsoft.Storage", "Microsoft.Keyvault"),
    "sasPolicy.expirationAction": ("Log", "Block"),
}
READ_ONLY = ("isHnsEnabled", "isNfsV3Enabled", "dnsEndpointType")
IMMUTABLE_ENCRYPTION = "requireInfrastructureEncryption"


def invalid(*names: str) -> AzureError:
    text = f"Values for request parameters are invalid: {', '.join(names)}."
    return AzureError(400, "InvalidValuesForRequestParameters", text)


def taken(name: str) -> AzureError:
    return AzureError(409, "StorageAccountAlreadyTaken", f"The storage account named {name} is already taken.")


def bad_name(name: str) -> str:
    return (
        f"{name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in "
        "length and use numbers and lower-case letters only."
    )


def check_new(name: str, body: dict[str, Any]) -> None:
    if not NAME.fullmatch(name):
        raise AzureError(400, "AccountNameInvalid", bad_name(name))
    if not body.get("location"):
        raise AzureError(400, "LocationRequired", "The location property is required for this definition.")
    check_values(body)
    if not (body.get("sku") or {}).get("name"):
        raise invalid("sku")
    if body.get("kind") not in KINDS:
        raise invalid("kind")
    kind, sku = body["kind"], body["sku"]["name"]
    if (kind in ("BlockBlobStorage", "FileStorage")) != sku.startswith("Premium") and kind not in (
        "Storage",
        "StorageV2",
    ):
        raise invalid("sku" if kind == "BlobStorage" else "kind")
    check_immutability(properties(body))
    if properties(body).get("isHnsEnabled") and kind not in ("StorageV2", "BlockBlobStorage"):
        raise invalid("isHnsEnabled")


def check_values(body: dict[str, Any]) -> None:
    """Check enumerations and the key policy, in the order in which Azure looks."""
    sku = (body.get("sku") or {}).get("name")
    if sku is not None and sku not in SKUS:
        raise invalid("sku.name")
    asked = properties(body)
    for path, values in ENUMS.items():
        value: Any = asked
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None and str(value).lower() not in [v.lower() for v in values]:
            raise invalid(path)
    days = (asked.get("keyPolicy") or {}).get("keyExpirationPeriodInDays")
    if days is not None and days < 0:
        raise invalid("keyPolicy.keyExpirationPeriodInDays")


def check_immutability(asked: dict[str, Any], current: dict[str, Any] | None = None) -> None:
    """Check the account's default immutability policy: Disabled or Unlocked, then Locked for good."""
    versions = asked.get("immutableStorageWithVersioning") or {}
    policy = versions.get("immutabilityPolicy")
    before = (current or {}).get("immutableStorageWithVersioning") or {}
    if not policy:
        return
    if not versions.get("enabled", before.get("enabled")):
        raise _worm("Storage account level default immutability policy cannot be set as account level WORM is disabled")
    old = before.get("immutabilityPolicy")
    if old and old["state"] == "Locked":
        _check_locked(old, policy)
        return
    days = "immutabilityPeriodSinceCreationInDays"
    if not old and (policy.get("state") is None or policy.get(days) is None):
        raise _worm(f"The required property immutabilityPolicy.state, immutabilityPolicy.{days} is missing.")
    if policy.get("state") == "Locked" and (not old or old["state"] != "Unlocked"):
        raise _worm(
            'Storage account immutability policy state can be set to "Unlocked, Disabled". Note that the immutability '
            "state can either be Disabled or Unlocked during account creation."
        )


def _check_locked(old: dict[str, Any], policy: dict[str, Any]) -> None:
    days, appends = "immutabilityPeriodSinceCreationInDays", "allowProtectedAppendWrites"
    if policy.get("state") not in (None, "Locked"):
        raise _worm("The immutability policy state cannot be changed once Locked.")
    if policy.get(days) is not None and policy[days] < old[days]:
        raise _worm(f"The {days} can only be extended for a Locked policy.")
    if policy.get(appends) is not None and policy[appends] != old.get(appends, False):
        raise _worm(f"Request parameters are invalid: {appends}.")


def _worm(text: str) -> AzureError:
    return AzureError(400, "InvalidStorageAccountImmutabilityPolicy", text)


def check_change(current: dict[str, Any], body: dict[str, Any], *, put: bool) -> None:
    """Refuse what an account that exists cannot become."""
    name, own, asked = current["name"], current["properties"], properties(body)
    location = body.get("location")
    if location and _plain(location) != _plain(current["location"]):
        raise AzureError(
            409,
            "InvalidResourceLocation",
            f"The resource '{name}' already exists in location '{_plain(current['location'])}' in resource group "
            f"'{current['id'].split('/')[4]}'. A resource with the same name cannot be created in location "
            f"'{_plain(location)}'. Please select a new resource name.",
        )
    check_values(body)
    check_immutability(asked, own)
    kind = body.get("kind") or current["kind"]
    upgrade = not put and current["kind"] in ("Storage", "BlobStorage") and kind == "StorageV2"
    if kind != current["kind"] and not upgrade:
        raise invalid("kind")
    for key in READ_ONLY:
        if key in asked and asked[key] is not None and asked[key] != own.get(key):
            raise _read_only(key)
    secret = asked.get("encryption") or {}
    if secret.get(IMMUTABLE_ENCRYPTION) not in (None, own["encryption"].get(IMMUTABLE_ENCRYPTION, False)):
        raise _read_only(IMMUTABLE_ENCRYPTION)
    _check_sku(current["sku"]["name"], (body.get("sku") or {}).get("name"))


def _read_only(name: str) -> AzureError:
    return AzureError(
        409,
        "AccountPropertyCannotBeUpdated",
        f"The property '{name}' was specified in the input, but it cannot be updated as it is read-only. "
        "For more information, see - https://aka.ms/storageaccountupdate",
    )


def _check_sku(current: str, asked: str | None) -> None:
    """Refuse another performance; ZRS is left and reached by a migration only."""
    if asked in (None, current):
        return
    zonal = {name: "ZRS" in name for name in (current, asked)}
    if current.split("_", maxsplit=1)[0] != asked.split("_")[0] or zonal[current] != zonal[asked]:
        text = f"Storage account type {current} cannot be changed to {asked}."
        raise AzureError(409, "StorageAccountTypeConversionNotAllowed", text)


def _plain(location: str) -> str:
    return location.replace(" ", "").lower()


def public_refused(request_id: str, stamp: str) -> AzureError:
    text = f"Public access is not permitted on this storage account.\nRequestId:{request_id}\nTime:{stamp}"
    return AzureError(409, "PublicAccessNotPermitted", text)
