# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lives of a group, of storage, of a registry and of an address."""

from __future__ import annotations

from modules.harness import Case, Mutation
from simulator.simulator import SUBSCRIPTION

GROUP = ("resource_group", {"name": "tea", "location": "westeurope"})
PLACE = {"resource_group": "tea", "location": "westeurope"}


def sent(path: str) -> set[str]:
    return {f"properties.{path}"}


BLOBS = "blob_service_properties.default.properties."
IDENTITIES = [("user_assigned_identity", {**PLACE, "name": name}) for name in ("sugar", "milk")]


def identities(*names: str) -> dict[str, object]:
    where = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/tea/providers/Microsoft.ManagedIdentity/"
    return {
        "type": "UserAssigned",
        "user_assigned_identities": [f"{where}userAssignedIdentities/{name}" for name in names],
    }


def blobs(**options: object) -> dict[str, object]:
    return {"blob_service_properties": options}


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
            Mutation({"ddos_settings": {"protection_mode": "Disabled"}}, sent("ddosSettings.protectionMode")),
        ],
        immutable=[
            ({"location": "northeurope"}, "moves nothing to another region"),
            ({"zones": ["2"]}, "Make another address"),
            ({"sku": {"tier": "Global"}}, "Make another address"),
            ({"public_ip_address_version": "IPv6"}, "Make another address"),
        ],
        absent={"resource_group": "tea", "name": "door"},
    ),
    Case(
        "storage_account",
        {**PLACE, "name": "teastorage"},
        setup=[GROUP, *IDENTITIES],
        mutations=[
            Mutation({"tags": {"team": "tea"}}, {"tags"}),
            Mutation({"tags": {"cost": "1"}, "append_tags": False}, {"tags"}),
            Mutation({"sku": {"name": "Standard_GRS"}}, {"sku.name"}),
            Mutation({"access_tier": "Cool"}, sent("accessTier")),
            Mutation({"minimum_tls_version": "TLS1_1"}, sent("minimumTlsVersion")),
            Mutation({"supports_https_traffic_only": False}, sent("supportsHttpsTrafficOnly")),
            Mutation({"allow_shared_key_access": True}, sent("allowSharedKeyAccess")),
            Mutation({"allow_blob_public_access": True}, sent("allowBlobPublicAccess")),
            Mutation({"allow_cross_tenant_replication": True}, sent("allowCrossTenantReplication")),
            Mutation({"default_to_o_auth_authentication": True}, sent("defaultToOAuthAuthentication")),
            Mutation({"network_acls": {"ip_rules": ["192.0.2.0/24", "198.51.100.7"]}}, sent("networkAcls.ipRules")),
            Mutation({"network_acls": {"default_action": "Deny"}}, sent("networkAcls.defaultAction")),
            Mutation({"network_acls": {"bypass": ["Metrics"]}}, sent("networkAcls.bypass")),
            Mutation({"network_acls": {"ip_rules": []}}, sent("networkAcls.ipRules")),
            Mutation({"public_network_access": "Disabled"}, sent("publicNetworkAccess")),
            Mutation({"key_policy": {"key_expiration_period_in_days": 30}}, sent("keyPolicy")),
            Mutation(
                {"sas_policy": {"sas_expiration_period": "1.00:00:00", "expiration_action": "Log"}}, sent("sasPolicy")
            ),
            Mutation({"identity": {"type": "SystemAssigned"}}, {"identity.type"}),
            Mutation({"identity": identities("sugar", "milk")}, {"identity"}),
            Mutation({"identity": identities("milk")}, {"identity.userAssignedIdentities"}),
            Mutation({"identity": {"type": "None"}}, {"identity.type"}),
            Mutation(blobs(is_versioning_enabled=True), {BLOBS + "isVersioningEnabled"}),
            Mutation(blobs(delete_retention_policy={"enabled": True}), {BLOBS + "deleteRetentionPolicy"}),
            Mutation(
                blobs(container_delete_retention_policy={"enabled": True, "days": 3}),
                {BLOBS + "containerDeleteRetentionPolicy"},
            ),
            Mutation(blobs(change_feed={"enabled": True, "retention_in_days": 5}), {BLOBS + "changeFeed"}),
            Mutation(
                blobs(
                    change_feed={"enabled": True, "retention_in_days": 5},
                    cors_rules=[
                        {
                            "allowed_origins": ["https://example.com"],
                            "allowed_methods": ["GET"],
                            "allowed_headers": [],
                            "exposed_headers": [],
                            "max_age_in_seconds": 60,
                        }
                    ],
                ),
                {BLOBS + "cors.corsRules"},
            ),
            Mutation(blobs(change_feed={"enabled": False}), {BLOBS + "changeFeed.enabled"}),
            Mutation({"containers": [{"name": "leaves"}]}, {"containers.leaves"}),
            Mutation(
                {"containers": [{"name": "cups", "metadata": {"a": "b"}, "public_access": "Blob"}]}, {"containers.cups"}
            ),
            Mutation(
                {"containers": [{"name": "cups", "metadata": {"c": "d"}}, {"name": "leaves"}]},
                {"containers.cups.properties.metadata"},
            ),
            Mutation(
                {"containers": [{"name": "cups", "public_access": "None"}]},
                {"containers.cups.properties.publicAccess"},
            ),
            Mutation({"containers": [{"name": "leaves", "state": "absent"}]}, {"containers.leaves"}),
        ],
        immutable=[
            ({"location": "northeurope"}, "moves nothing to another region"),
            ({"kind": "BlobStorage"}, "can become StorageV2"),
            ({"is_hns_enabled": True}, "Make another account"),
            ({"encryption": {"require_infrastructure_encryption": True}}, "Make another account"),
            (
                {"containers": [{"name": "cups", "default_encryption_scope": "other"}]},
                r"container 'cups' of the storage account 'teastorage'.*Make another container",
            ),
        ],
        absent={"resource_group": "tea", "name": "teastorage"},
    ),
    Case(
        "storage_account",
        {
            **PLACE,
            "name": "teapot",
            "kind": "Storage",
            "sku": {"name": "Standard_RAGRS"},
            "identity": identities("sugar"),
            "network_acls": {"ip_rules": ["192.0.2.0/24"]},
            "blob_service_properties": {"delete_retention_policy": {"enabled": True, "days": 9}},
            "containers": [{"name": "leaves", "metadata": {"a": "b"}}, {"name": "cups"}],
        },
        setup=[GROUP, *IDENTITIES],
        mutations=[
            Mutation({"kind": "StorageV2", "access_tier": "Hot"}, {"kind", "properties.accessTier"}),
            Mutation(blobs(delete_retention_policy={"enabled": False}), {BLOBS + "deleteRetentionPolicy.enabled"}),
        ],
        absent={"resource_group": "tea", "name": "teapot"},
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
            Mutation({"public_network_access": "Disabled"}, sent("publicNetworkAccess")),
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
        ],
        absent={"resource_group": "tea", "name": "tearegistry"},
    ),
]
