# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lives of storage accounts, one for what each can be only at the cost of something else."""

from __future__ import annotations

from modules.cases_common import GROUP, IDENTITIES, IN_GROUP, PLACE, identities, identity_id, sent
from modules.harness import Case, Mutation

TENANT = "00000000-0000-0000-0000-00000000000"
BLOBS = "blob_service_properties.default.properties."
SUBNET = f"{IN_GROUP}Microsoft.Network/virtualNetworks/garden/subnets/bed"
FILES = "azureFilesIdentityBasedAuthentication"
WORM = "immutableStorageWithVersioning.immutabilityPolicy"
DOMAIN = {
    "domain_name": "tea.example.com",
    "net_bios_domain_name": "TEA",
    "forest_name": "example.com",
    "domain_guid": "12345678-1234-1234-1234-123456789012",
    "domain_sid": "S-1-5-21-1-2-3",
    "azure_storage_sid": "S-1-5-21-1-2-3-4",
}


def blobs(**options: object) -> dict[str, object]:
    return {"blob_service_properties": options}


def keys(**options: object) -> dict[str, object]:
    return {"encryption": {"key_vault_properties": options}}


def files(**options: object) -> dict[str, object]:
    return {"azure_files_identity_based_authentication": options}


def domain(**options: object) -> dict[str, object]:
    return files(active_directory_properties=options)


def worm(**options: object) -> dict[str, object]:
    return {"immutable_storage_with_versioning": {"immutability_policy": options}}


def routing(**options: object) -> dict[str, object]:
    return {"routing_preference": options}


def access(**rule: object) -> dict[str, object]:
    return {"network_acls": {"resource_access_rules": [rule]}}


CASES = [
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
            Mutation({"network_acls": {"ipv6_rules": ["2001:db8::/32"]}}, sent("networkAcls.ipv6Rules")),
            Mutation(access(tenant_id=TENANT + "1", resource_id=SUBNET), sent("networkAcls.resourceAccessRules")),
            Mutation(access(tenant_id=TENANT + "2", resource_id=SUBNET), sent("networkAcls.resourceAccessRules")),
            Mutation(access(tenant_id=TENANT + "2", resource_id="/other"), sent("networkAcls.resourceAccessRules")),
            Mutation({"network_acls": {"virtual_network_rules": [SUBNET]}}, sent("networkAcls.virtualNetworkRules")),
            Mutation({"allowed_copy_scope": "PrivateLink"}, sent("allowedCopyScope")),
            Mutation({"allowed_copy_scope": "All"}, sent("allowedCopyScope")),
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
            ({"encryption": {"services": {"blob": {"key_type": "Service"}}}}, "Make another account"),
            ({"encryption": {"services": {"file": {"key_type": "Service"}}}}, "Make another account"),
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
        "storage_account",
        {
            **PLACE,
            "name": "teablobs",
            **blobs(
                is_versioning_enabled=True,
                change_feed={"enabled": True},
                delete_retention_policy={"enabled": True, "days": 7},
            ),
        },
        setup=[GROUP],
        mutations=[
            Mutation(blobs(delete_retention_policy={"days": 9}), {BLOBS + "deleteRetentionPolicy.days"}),
            Mutation(
                blobs(delete_retention_policy={"allow_permanent_delete": True}),
                {BLOBS + "deleteRetentionPolicy.allowPermanentDelete"},
            ),
            Mutation(
                blobs(delete_retention_policy={"allow_permanent_delete": False}),
                {BLOBS + "deleteRetentionPolicy.allowPermanentDelete"},
            ),
            Mutation(blobs(restore_policy={"enabled": True, "days": 3}), {BLOBS + "restorePolicy"}),
            Mutation(blobs(restore_policy={"days": 4}), {BLOBS + "restorePolicy.days"}),
            Mutation(blobs(restore_policy={"enabled": False}), {BLOBS + "restorePolicy.enabled"}),
            Mutation(
                blobs(last_access_time_tracking_policy={"enable": True}), {BLOBS + "lastAccessTimeTrackingPolicy"}
            ),
            Mutation(
                blobs(last_access_time_tracking_policy={"enable": False}),
                {BLOBS + "lastAccessTimeTrackingPolicy.enable"},
            ),
            Mutation(blobs(default_service_version="2021-12-02"), {BLOBS + "defaultServiceVersion"}),
        ],
    ),
    Case(
        "storage_account",
        {**PLACE, "name": "teakeys", "identity": identities("sugar", "milk")},
        setup=[GROUP, *IDENTITIES],
        mutations=[
            # A key in a vault is named with the identity that reads it, or not at all.
            Mutation(
                {
                    "encryption": {
                        "key_source": "Microsoft.Keyvault",
                        "key_vault_properties": {"key_name": "tea", "key_vault_uri": "https://tea.vault.azure.net"},
                        "identity": {"user_assigned_identity": identity_id("sugar")},
                    }
                },
                {
                    "properties.encryption.keySource",
                    "properties.encryption.keyvaultproperties",
                    "properties.encryption.identity",
                },
            ),
            Mutation(keys(key_version="1" * 32), sent("encryption.keyvaultproperties.keyversion")),
            Mutation(keys(key_name="cocoa"), sent("encryption.keyvaultproperties.keyname")),
            Mutation(
                keys(key_vault_uri="https://cups.vault.azure.net"), sent("encryption.keyvaultproperties.keyvaulturi")
            ),
            Mutation(
                {"encryption": {"identity": {"user_assigned_identity": identity_id("milk")}}},
                sent("encryption.identity.userAssignedIdentity"),
            ),
            Mutation(
                {"encryption": {"identity": {"federated_identity_client_id": TENANT + "3"}}},
                sent("encryption.identity.federatedIdentityClientId"),
            ),
            Mutation({"encryption": {"key_source": "Microsoft.Storage"}}, sent("encryption.keySource")),
        ],
        absent={"resource_group": "tea", "name": "teakeys"},
    ),
    Case(
        "storage_account",
        {**PLACE, "name": "teafiles", "is_hns_enabled": True},
        setup=[GROUP],
        mutations=[
            Mutation({"is_local_user_enabled": False}, sent("isLocalUserEnabled")),
            Mutation({"is_local_user_enabled": True}, sent("isLocalUserEnabled")),
            Mutation({"is_sftp_enabled": True}, sent("isSftpEnabled")),
            Mutation({"large_file_shares_state": "Enabled"}, sent("largeFileSharesState")),
            Mutation(files(directory_service_options="AADKERB"), sent(f"{FILES}.directoryServiceOptions")),
            Mutation(
                files(default_share_permission="StorageFileDataSmbShareReader"),
                sent(f"{FILES}.defaultSharePermission"),
            ),
            Mutation(files(directory_service_options="None"), sent(f"{FILES}.directoryServiceOptions")),
            # A domain is joined with all that is known of it.
            Mutation(
                files(directory_service_options="AD", active_directory_properties=DOMAIN),
                {f"properties.{FILES}.directoryServiceOptions", f"properties.{FILES}.activeDirectoryProperties"},
            ),
            Mutation(domain(sam_account_name="tea"), sent(f"{FILES}.activeDirectoryProperties.samAccountName")),
            Mutation(domain(account_type="User"), sent(f"{FILES}.activeDirectoryProperties.accountType")),
            Mutation(routing(routing_choice="InternetRouting"), sent("routingPreference.routingChoice")),
            Mutation(routing(publish_microsoft_endpoints=True), sent("routingPreference.publishMicrosoftEndpoints")),
            Mutation(routing(publish_internet_endpoints=True), sent("routingPreference.publishInternetEndpoints")),
        ],
    ),
    Case(
        "storage_account",
        {
            **PLACE,
            "name": "teanfs",
            "is_hns_enabled": True,
            "is_nfs_v3_enabled": True,
            "supports_https_traffic_only": False,
            "network_acls": {"default_action": "Deny"},
            "containers": [{"name": "leaves"}],
        },
        setup=[GROUP],
        mutations=[
            Mutation({"enable_extended_groups": True}, sent("enableExtendedGroups")),
            Mutation(
                {"containers": [{"name": "leaves", "enable_nfs_v3_root_squash": True}]},
                {"containers.leaves.properties.enableNfsV3RootSquash"},
            ),
            Mutation(
                {"containers": [{"name": "leaves", "enable_nfs_v3_all_squash": True}]},
                {"containers.leaves.properties.enableNfsV3AllSquash"},
            ),
        ],
        immutable=[({"is_nfs_v3_enabled": False}, "Make another account")],
    ),
    Case(
        "storage_account",
        {**PLACE, "name": "teaworm", "immutable_storage_with_versioning": {"enabled": True}},
        setup=[GROUP],
        mutations=[
            # There is no policy without both.
            Mutation(worm(immutability_period_since_creation_in_days=5, state="Disabled"), sent(WORM)),
            Mutation(
                worm(immutability_period_since_creation_in_days=6),
                sent(f"{WORM}.immutabilityPeriodSinceCreationInDays"),
            ),
            Mutation(worm(state="Unlocked"), sent(f"{WORM}.state")),
            Mutation(worm(allow_protected_append_writes=True), sent(f"{WORM}.allowProtectedAppendWrites")),
        ],
        immutable=[({"immutable_storage_with_versioning": {"enabled": False}}, "Make another account")],
    ),
]
