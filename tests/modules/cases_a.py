# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lives of a group, of an address and of a registry; and of storage."""

from __future__ import annotations

from modules import cases_storage
from modules.cases_common import GROUP, IDENTITIES, IN_GROUP, PLACE, identities, sent
from modules.harness import Case, Mutation, Of

CASES = [
    Case(
        "resource_group",
        {"name": "cup", "location": "West Europe", "managed_by": "somebody"},
        mutations=[
            Mutation({"tags": {"team": "tea"}}, {"tags"}),
            Mutation({"tags": {"cost": "1"}}, {"tags"}),
            Mutation({"tags": {"cost": "1"}, "append_tags": False}, {"tags"}),
        ],
        immutable=[
            ({"location": "northeurope"}, "moves nothing to another region"),
            ({"managed_by": "other"}, "delete it first"),
        ],
        absent={"name": "cup"},
    ),
    Case(
        "public_ip_address",
        {**PLACE, "name": "door", "zones": ["3", "1"]},
        setup=[GROUP],
        mutations=[
            Mutation({"tags": {"team": "tea"}}, {"tags"}),
            Mutation({"idle_timeout_in_minutes": 10}, sent("idleTimeoutInMinutes")),
            Mutation({"dns_settings": {"domain_name_label": "tea"}}, sent("dnsSettings.domainNameLabel")),
            Mutation(
                {"dns_settings": {"reverse_fqdn": "tea.westeurope.cloudapp.azure.com"}}, sent("dnsSettings.reverseFqdn")
            ),
            Mutation({"ddos_settings": {"protection_mode": "Disabled"}}, sent("ddosSettings.protectionMode")),
            Mutation({"ddos_settings": {"protection_mode": "Enabled"}}, sent("ddosSettings.protectionMode")),
            Mutation(
                {"ddos_settings": {"ddos_protection_plan": f"{IN_GROUP}Microsoft.Network/ddosProtectionPlans/hat"}},
                sent("ddosSettings.ddosProtectionPlan"),
            ),
        ],
        immutable=[
            ({"location": "northeurope"}, "moves nothing to another region"),
            ({"zones": ["2"]}, "Make another address"),
            ({"sku": {"tier": "Global"}}, "Make another address"),
            ({"ip_tags": [{"ip_tag_type": "RoutingPreference", "tag": "Internet"}]}, "Make another address"),
            ({"public_ip_address_version": "IPv6"}, "Make another address"),
        ],
        absent={"resource_group": "tea", "name": "door"},
    ),
    Case(
        "container_registry",
        {**PLACE, "name": "tearegistry", "sku": {"name": "Basic"}},
        setup=[GROUP, *IDENTITIES],
        mutations=[
            Mutation({"tags": {"team": "tea"}}, {"tags"}),
            Mutation({"sku": {"name": "Premium"}}, {"sku.name"}),
            Mutation({"admin_user_enabled": True}, sent("adminUserEnabled")),
            Mutation({"anonymous_pull_enabled": True}, sent("anonymousPullEnabled")),
            Mutation({"data_endpoint_enabled": True}, sent("dataEndpointEnabled")),
            Mutation({"network_rule_set": {"ip_rules": ["192.0.2.0/24"]}}, sent("networkRuleSet.ipRules")),
            Mutation({"network_rule_set": {"default_action": "Deny"}}, sent("networkRuleSet.defaultAction")),
            Mutation({"network_rule_bypass_options": "None"}, sent("networkRuleBypassOptions")),
            Mutation({"network_rule_bypass_allowed_for_tasks": True}, sent("networkRuleBypassAllowedForTasks")),
            Mutation({"public_network_access": "Disabled"}, sent("publicNetworkAccess")),
            Mutation(
                {"policies": {"quarantine_policy": {"status": "enabled"}}}, sent("policies.quarantinePolicy.status")
            ),
            Mutation(
                {"policies": {"trust_policy": {"status": "enabled", "type": "Notary"}}},
                sent("policies.trustPolicy.status"),
            ),
            Mutation({"policies": {"export_policy": {"status": "disabled"}}}, sent("policies.exportPolicy.status")),
            Mutation(
                {"policies": {"retention_policy": {"status": "enabled", "days": 30}}}, sent("policies.retentionPolicy")
            ),
            Mutation(
                {"policies": {"azure_ad_authentication_as_arm_policy": {"status": "disabled"}}},
                sent("policies.azureADAuthenticationAsArmPolicy.status"),
            ),
            Mutation({"role_assignment_mode": "AbacRepositoryPermissions"}, sent("roleAssignmentMode")),
            Mutation({"identity": {"type": "SystemAssigned"}}, {"identity.type"}),
            Mutation({"identity": identities("sugar", "milk")}, {"identity"}),
            Mutation({"identity": identities("milk")}, {"identity.userAssignedIdentities"}),
            Mutation({"identity": {"type": "None"}}, {"identity.type"}),
        ],
        immutable=[
            ({"location": "northeurope"}, "moves nothing to another region"),
            ({"zone_redundancy": "Enabled"}, "Make another registry"),
            ({"encryption": {"status": "enabled"}}, "Make another registry"),
        ],
        absent={"resource_group": "tea", "name": "tearegistry"},
    ),
    Case(
        "container_registry",
        {
            **PLACE,
            "name": "teacaddy",
            "sku": {"name": "Premium"},
            "identity": identities("milk"),
            "encryption": {
                "status": "enabled",
                "key_vault_properties": {
                    "key_identifier": "https://tea.vault.azure.net/keys/tea",
                    "identity": Of("user_assigned_identity", "properties.clientId"),
                },
            },
        },
        setup=[GROUP, *IDENTITIES],
        mutations=[
            Mutation(
                {"encryption": {"key_vault_properties": {"key_identifier": "https://tea.vault.azure.net/keys/cocoa"}}},
                sent("encryption.keyVaultProperties.keyIdentifier"),
            ),
            Mutation({"identity": {**identities("milk"), "type": "SystemAssigned, UserAssigned"}}, {"identity"}),
            Mutation(
                {"encryption": {"key_vault_properties": {"identity": "system"}}},
                sent("encryption.keyVaultProperties.identity"),
            ),
        ],
        immutable=[({"encryption": {"status": "disabled"}}, "Make another registry")],
        absent={"resource_group": "tea", "name": "teacaddy"},
    ),
    *cases_storage.CASES,
]
