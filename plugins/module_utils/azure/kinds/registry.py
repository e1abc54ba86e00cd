# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Container registries."""

from __future__ import annotations

from dataclasses import replace

from ..kind import LOCATION, TAGS, Kind, Params
from ..options import Change, Document, Option, Options, below, dig
from .common import identity, rules, with_default_action

NEW = "Make another registry, or delete this one first, which deletes its images."
STATUS = {"status": Option(choices=("enabled", "disabled"), absent=("disabled",))}

PROPERTIES: Options = {
    "admin_user_enabled": Option("bool"),
    "anonymous_pull_enabled": Option("bool"),
    "data_endpoint_enabled": Option("bool"),
    "public_network_access": Option(choices=("Enabled", "Disabled"), absent=("Enabled",)),
    "network_rule_set": Option(
        "dict",
        options={
            "default_action": Option(choices=("Allow", "Deny"), absent=("Allow",)),
            "ip_rules": Option("list", **rules("value")),
        },
    ),
    "network_rule_bypass_options": Option(choices=("AzureServices", "None"), absent=("AzureServices",)),
    "network_rule_bypass_allowed_for_tasks": Option("bool"),
    "zone_redundancy": Option(choices=("Enabled", "Disabled"), absent=("Disabled",), immutable=NEW),
    "role_assignment_mode": Option(
        choices=("LegacyRegistryPermissions", "AbacRepositoryPermissions"), absent=("LegacyRegistryPermissions",)
    ),
    "policies": Option(
        "dict",
        options={
            "quarantine_policy": Option("dict", options=STATUS),
            "trust_policy": Option("dict", options={**STATUS, "type": Option(choices=("Notary",))}),
            "retention_policy": Option("dict", options={**STATUS, "days": Option("int")}),
            "export_policy": Option(
                "dict", options={"status": Option(choices=("enabled", "disabled"), absent=("enabled",))}
            ),
            "azure_ad_authentication_as_arm_policy": Option(
                "dict",
                azure="azureADAuthenticationAsArmPolicy",
                options={"status": Option(choices=("enabled", "disabled"), absent=("enabled",))},
            ),
        },
    ),
    "encryption": Option(
        "dict",
        options={
            "status": replace(STATUS["status"], immutable=NEW),
            "key_vault_properties": Option("dict", options={"key_identifier": Option(), "identity": Option()}),
        },
    ),
}
OPTIONS: Options = {
    "resource_group": Option(azure="-", required=True),
    "name": Option(azure="-", required=True),
    "location": LOCATION,
    **TAGS,
    "sku": Option("dict", options={"name": Option(choices=("Basic", "Standard", "Premium"), required=True)}),
    "identity": identity(),
    **below("properties", PROPERTIES),
}


class ContainerRegistry(Kind):
    """A registry."""

    noun = "container registry"
    path = "{group}/providers/Microsoft.ContainerRegistry/registries/{name}"
    api_version = "2025-11-01"
    options = OPTIONS
    read_only = (*Kind.read_only, "sku.tier")
    read_only_properties = (
        "provisioningState", "creationDate", "loginServer", "status", "dataEndpointHostNames",
        "privateEndpointConnections", "policies.*.lastUpdatedTime", "encryption.keyVaultProperties.keyRotationEnabled",
        "encryption.keyVaultProperties.lastKeyRotationTimestamp",
        "encryption.keyVaultProperties.versionedKeyIdentifier",
        # Of older versions of the API.
        "policies.softDeletePolicy", "networkRuleSet.virtualNetworkRules",
    )  # fmt: skip

    def defaults(self, params: Params) -> Document:
        """Return what a new registry has: nobody signs in with a password."""
        return {"sku": {"name": "Standard"}, "properties": {"adminUserEnabled": False}}

    def adapt(self, params: Params, found: Document) -> Params:
        """Let new rules of who may connect forbid the rest."""
        there = dig(found, ("properties", "networkRuleSet"))
        return with_default_action(super().adapt(params, found), "network_rule_set", there)

    def fixed(self, change: Change) -> bool:
        """Return whether Azure cannot make a change. It tells everything about a registry, as far as it is set."""
        return bool(change.option.immutable)
