# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of storage accounts, of their blob service and of its containers."""

from __future__ import annotations

from typing import Any

from ..kind import LOCATION, TAGS
from ..options import Option, Options, below, same_exactly, same_set
from .common import identity, rules

NEW_ACCOUNT = "Make another account, or delete this one first, which deletes its data."
NEW_CONTAINER = "Make another container, or delete this one first, which deletes its data."
SWITCH: dict[str, Option] = {"enabled": Option("bool")}


def same_but_empty(wanted: Any, found: Any) -> bool:
    """Compare lists; Azure gives an empty one back as a list of an empty text."""
    return same_set(filter(None, wanted), filter(None, found))


def service(**more: Any) -> Option:
    """Return the option of what can be said of one service's encryption."""
    key_type = Option(choices=("Account", "Service"), immutable=NEW_ACCOUNT, **more)
    return Option("dict", options={"key_type": key_type})


CONTAINER: Options = {
    "name": Option(azure="-", required=True),
    "state": Option(azure="-", choices=("present", "absent"), default="present"),
    **below(
        "properties",
        {
            "public_access": Option(choices=("None", "Blob", "Container"), absent=("None",)),
            "metadata": Option("dict", same=same_exactly),
            "default_encryption_scope": Option(immutable=NEW_CONTAINER),
            "deny_encryption_scope_override": Option("bool", immutable=NEW_CONTAINER),
            "enable_nfs_v3_root_squash": Option("bool"),
            "enable_nfs_v3_all_squash": Option("bool"),
            "immutable_storage_with_versioning": Option(
                "dict", options={"enabled": Option("bool", immutable=NEW_CONTAINER)}
            ),
        },
    ),
}
RETENTION: dict[str, Option] = {**SWITCH, "days": Option("int")}
BLOB_SERVICE: Options = below(
    "properties",
    {
        "is_versioning_enabled": Option("bool"),
        "delete_retention_policy": Option("dict", options={**RETENTION, "allow_permanent_delete": Option("bool")}),
        "container_delete_retention_policy": Option("dict", options=RETENTION),
        "change_feed": Option("dict", options={**SWITCH, "retention_in_days": Option("int")}),
        "restore_policy": Option("dict", options=RETENTION),
        "last_access_time_tracking_policy": Option("dict", options={"enable": Option("bool")}),
        "default_service_version": Option(),
        "cors_rules": Option(
            "list",
            azure="cors.corsRules",
            options={
                "allowed_origins": Option("list", required=True),
                "allowed_methods": Option("list", required=True),
                "allowed_headers": Option("list", required=True, same=same_but_empty),
                "exposed_headers": Option("list", required=True, same=same_but_empty),
                "max_age_in_seconds": Option("int", required=True),
            },
        ),
    },
)
NETWORK_ACLS: Options = {
    "default_action": Option(choices=("Allow", "Deny")),
    "bypass": Option(
        "list",
        choices=("None", "AzureServices", "Logging", "Metrics"),
        write=", ".join,
        read=lambda found: [each.strip() for each in found.split(",")],
    ),
    "ip_rules": Option("list", **rules("value")),
    "ipv6_rules": Option("list", **rules("value")),
    "virtual_network_rules": Option("list", **rules("id")),
    "resource_access_rules": Option(
        "list", options={"tenant_id": Option(required=True), "resource_id": Option(required=True)}
    ),
}
ENCRYPTION: Options = {
    "key_source": Option(choices=("Microsoft.Storage", "Microsoft.Keyvault")),
    "key_vault_properties": Option(
        "dict",
        azure="keyvaultproperties",
        options={
            "key_name": Option(azure="keyname"),
            "key_version": Option(azure="keyversion"),
            "key_vault_uri": Option(azure="keyvaulturi"),
        },
    ),
    "identity": Option("dict", options={"user_assigned_identity": Option(), "federated_identity_client_id": Option()}),
    "require_infrastructure_encryption": Option("bool", immutable=NEW_ACCOUNT),
    "services": Option(
        "dict",
        options={
            **{name: service(absent=("Account",)) for name in ("blob", "file")},
            **{name: service(absent=("Service",)) for name in ("queue", "table")},
        },
    ),
}
ACTIVE_DIRECTORY: Options = {
    "domain_name": Option(),
    "net_bios_domain_name": Option(),
    "forest_name": Option(),
    "domain_guid": Option(),
    "domain_sid": Option(),
    "azure_storage_sid": Option(),
    "sam_account_name": Option(),
    "account_type": Option(choices=("User", "Computer")),
}
FILES: Options = {
    "directory_service_options": Option(choices=("None", "AADDS", "AD", "AADKERB"), absent=("None",)),
    "active_directory_properties": Option("dict", options=ACTIVE_DIRECTORY),
    "default_share_permission": Option(
        choices=(
            "None",
            "StorageFileDataSmbShareReader",
            "StorageFileDataSmbShareContributor",
            "StorageFileDataSmbShareElevatedContributor",
        ),
        absent=("None",),
    ),
}
PROPERTIES: Options = {
    "access_tier": Option(choices=("Hot", "Cool", "Cold", "Premium", "Smart")),
    "minimum_tls_version": Option(azure="minimumTlsVersion", choices=("TLS1_0", "TLS1_1", "TLS1_2", "TLS1_3")),
    "supports_https_traffic_only": Option("bool"),
    "allow_shared_key_access": Option("bool", absent=(True,)),
    "allow_blob_public_access": Option("bool"),
    "allow_cross_tenant_replication": Option("bool"),
    "default_to_o_auth_authentication": Option("bool"),
    "allowed_copy_scope": Option(azure="allowedCopyScope", choices=("AAD", "PrivateLink", "All"), absent=("All",)),
    "public_network_access": Option(choices=("Enabled", "Disabled", "SecuredByPerimeter"), absent=("Enabled",)),
    "network_acls": Option("dict", options=NETWORK_ACLS),
    "encryption": Option("dict", options=ENCRYPTION),
    "key_policy": Option("dict", options={"key_expiration_period_in_days": Option("int", required=True)}),
    "sas_policy": Option(
        "dict",
        options={
            "sas_expiration_period": Option(required=True),
            "expiration_action": Option(choices=("Log", "Block"), required=True),
        },
    ),
    "is_hns_enabled": Option("bool", immutable=NEW_ACCOUNT),
    "is_sftp_enabled": Option("bool"),
    "is_local_user_enabled": Option("bool", absent=(True,)),
    "enable_extended_groups": Option("bool"),
    "is_nfs_v3_enabled": Option("bool", immutable=NEW_ACCOUNT),
    "large_file_shares_state": Option(choices=("Disabled", "Enabled"), absent=("Disabled",)),
    "azure_files_identity_based_authentication": Option("dict", options=FILES),
    "immutable_storage_with_versioning": Option(
        "dict",
        options={
            "enabled": Option("bool", immutable=NEW_ACCOUNT),
            "immutability_policy": Option(
                "dict",
                options={
                    "immutability_period_since_creation_in_days": Option("int"),
                    "state": Option(choices=("Disabled", "Unlocked", "Locked")),
                    "allow_protected_append_writes": Option("bool"),
                },
            ),
        },
    ),
    "routing_preference": Option(
        "dict",
        options={
            "routing_choice": Option(choices=("MicrosoftRouting", "InternetRouting"), absent=("MicrosoftRouting",)),
            "publish_microsoft_endpoints": Option("bool"),
            "publish_internet_endpoints": Option("bool"),
        },
    ),
    "dns_endpoint_type": Option(choices=("Standard", "AzureDnsZone"), absent=("Standard",), immutable=NEW_ACCOUNT),
}
ACCOUNT: Options = {
    "resource_group": Option(azure="-", required=True),
    "name": Option(azure="-", required=True),
    "location": LOCATION,
    **TAGS,
    "kind": Option(
        choices=("StorageV2", "Storage", "BlobStorage", "BlockBlobStorage", "FileStorage"),
        immutable=f"Only Storage and BlobStorage can become StorageV2. {NEW_ACCOUNT}",
    ),
    "sku": Option("dict", options={"name": Option(required=True)}),
    # Its provider takes no blank.
    "identity": identity(lambda value: value.replace(" ", "")),
    "extended_location": Option(
        "dict",
        options={
            "name": Option(immutable=NEW_ACCOUNT),
            "type": Option(choices=("EdgeZone",), immutable=NEW_ACCOUNT),
        },
    ),
    **below("properties", PROPERTIES),
    "blob_service_properties": Option("dict", azure="-", options=BLOB_SERVICE),
    "containers": Option("list", azure="-", options=CONTAINER),
}
