# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identities, role assignments, key vaults with their secrets, and MySQL servers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from modules.harness import Case, Mutation, Of

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"
GROUP = ("resource_group", {"name": "tea", "location": "westeurope"})
PROVIDERS = f"{SUBSCRIPTION}/resourceGroups/tea/providers"
LEAF, STEM = (f"{PROVIDERS}/Microsoft.ManagedIdentity/userAssignedIdentities/{name}" for name in ("leaf", "stem"))
SUBNET = f"{PROVIDERS}/Microsoft.Network/virtualNetworks/shelf/subnets/tins"


def at(name: str, **options: Any) -> dict[str, Any]:
    return {"resource_group": "tea", "name": name, "location": "westeurope", **options}


def credential(name: str, **options: Any) -> dict[str, Any]:
    found = {"name": name, "issuer": "https://issuer.example/pot", "subject": f"system:serviceaccount:tea:{name}"}
    return {"federated_credentials": [{**found, **options}]}


IDENTITY = Case(
    "user_assigned_identity",
    at("leaf", federated_credentials=credential("one")["federated_credentials"]),
    setup=[GROUP],
    mutations=[
        Mutation({"tags": {"team": "tea"}}, {"tags"}),
        Mutation({"isolation_scope": "Regional"}, {"properties.isolationScope"}),
        Mutation(credential("two"), {"federated_credentials.two"}),
        Mutation(credential("two", subject="other"), {"federated_credentials.two.properties.subject"}),
        Mutation(
            credential("two", subject="other", issuer="https://o.example"),
            {"federated_credentials.two.properties.issuer"},
        ),
        Mutation(
            credential("two", subject="other", issuer="https://o.example", audiences=["tea"]),
            {"federated_credentials.two.properties.audiences"},
        ),
        Mutation({"federated_credentials": [{"name": "two", "state": "absent"}]}, {"federated_credentials.two.state"}),
    ],
    immutable=[
        ({"location": "northeurope"}, "moves nothing to another region"),
        (
            {"federated_credentials": [credential(f"many{n}")["federated_credentials"][0] for n in range(20)]},
            "would have 21 federated credentials, and Azure takes 20",
        ),
    ],
)
ROLE = Case(
    "role_assignment",
    {
        "scope": f"{SUBSCRIPTION}/resourceGroups/tea",
        "role_definition": "Reader",
        "principal_id": Of("user_assigned_identity", "properties.principalId"),
        "principal_type": "ServicePrincipal",
    },
    setup=[GROUP, ("user_assigned_identity", at("leaf"))],
    mutations=[
        Mutation({"description": "reads leaves"}, {"properties.description"}),
        Mutation(
            {"condition": "@Resource[tea] StringEquals 'green'"},
            {"properties.condition", "properties.conditionVersion"},
        ),
        # The same role, as its id.
        Mutation(
            {"description": "reads", "role_definition": "acdd72a7-3385-48ef-bd42-f606fba81ae7"},
            {"properties.description"},
        ),
    ],
    immutable=[({"principal_type": "User"}, "principal_type is 'ServicePrincipal'")],
)
# Azure takes no other version today, and none without a condition.
ROLE_WITH_VERSION = replace(
    ROLE,
    mutations=[
        Mutation(
            {"condition": "@Resource[tea] StringEquals 'green'", "condition_version": "2.0"},
            {"properties.condition", "properties.conditionVersion"},
        ),
        Mutation({"condition": "@Resource[tea] StringEquals 'black'"}, {"properties.condition"}),
    ],
    immutable=[],
)


def from_subnet(**options: Any) -> dict[str, Any]:
    return {"network_acls": {"virtual_network_rules": [{"id": SUBNET, **options}]}}


VAULT = Case(
    "key_vault",
    at("tea-chest", soft_delete_retention_in_days=7),
    setup=[GROUP],
    mutations=[
        Mutation({"tags": {"team": "tea"}}, {"tags"}),
        Mutation({"sku": "premium"}, {"properties.sku"}),
        Mutation({"enabled_for_deployment": True}, {"properties.enabledForDeployment"}),
        Mutation({"enabled_for_disk_encryption": True}, {"properties.enabledForDiskEncryption"}),
        Mutation({"enabled_for_template_deployment": True}, {"properties.enabledForTemplateDeployment"}),
        Mutation({"enabled_for_template_deployment": False}, {"properties.enabledForTemplateDeployment"}),
        Mutation({"network_acls": {"default_action": "Deny"}}, {"properties.networkAcls.defaultAction"}),
        Mutation({"network_acls": {"bypass": "None"}}, {"properties.networkAcls.bypass"}),
        Mutation({"network_acls": {"ip_rules": ["192.0.2.1", "198.51.100.0/24"]}}, {"properties.networkAcls.ipRules"}),
        Mutation({"network_acls": {"ip_rules": []}}, {"properties.networkAcls.ipRules"}),
        Mutation(from_subnet(), {"properties.networkAcls.virtualNetworkRules"}),
        Mutation(
            from_subnet(ignore_missing_vnet_service_endpoint=True), {"properties.networkAcls.virtualNetworkRules"}
        ),
        Mutation({"network_acls": {"virtual_network_rules": []}}, {"properties.networkAcls.virtualNetworkRules"}),
        Mutation({"public_network_access": "Disabled"}, {"properties.publicNetworkAccess"}),
        Mutation({"public_network_access": "Enabled"}, {"properties.publicNetworkAccess"}),
        Mutation({"enable_rbac_authorization": False}, {"properties.enableRbacAuthorization"}),
        Mutation({"enable_purge_protection": True}, {"properties.enablePurgeProtection"}),
        # A subscription that went to another tenant takes its vaults along in this way.
        Mutation({"vault_tenant": "99999999-0000-0000-0000-000000000009"}, {"properties.tenantId"}),
    ],
    immutable=[
        ({"location": "northeurope"}, "moves nothing to another region"),
        ({"soft_delete_retention_in_days": 30}, "Make a vault of another name"),
        ({"enable_purge_protection": False}, "never takes this protection back"),
        ({"state": "absent", "purge": True}, "is protected from being purged"),
    ],
)
SECRET = Case(
    "key_vault_secret",
    # The right to it was granted a moment ago.
    {"vault_name": "tea-chest", "name": "recipe", "value": "two spoons", "wait": True},
    setup=[
        GROUP,
        ("key_vault", at("tea-chest")),
        (
            "role_assignment",
            {
                "scope": Of("key_vault", "id"),
                "role_definition": "Key Vault Secrets Officer",
                "principal_id": Of("me", "object_id"),
            },
        ),
    ],
    mutations=[
        Mutation({"value": "three spoons"}, {"value"}),
        Mutation({"content_type": "text/plain"}, {"contentType"}),
        Mutation({"tags": {"team": "tea"}}, {"tags"}),
        Mutation({"tags": {"cost": "1"}, "append_tags": False}, {"tags"}),
        Mutation({"expires_on": "2099-01-31T12:00:00Z"}, {"attributes.exp"}),
        Mutation({"expires_on": "2099-01-31T13:00:00Z"}, {"attributes.exp"}),
        Mutation({"not_before": "2020-01-31T12:00:00+01:00"}, {"attributes.nbf"}),
        Mutation({"enabled": False}, {"attributes.enabled"}),
        Mutation({"enabled": True}, {"attributes.enabled"}),
        Mutation({"value": "four spoons", "content_type": "text/recipe"}, {"value", "contentType"}),
    ],
)


def storage(**options: Any) -> dict[str, Any]:
    return {"storage": options}


def identities(*ids: str) -> dict[str, Any]:
    return {"identity": {"type": "UserAssigned", "user_assigned_identities": list(ids)}}


def window(**options: Any) -> dict[str, Any]:
    return {"maintenance_window": {"custom_window": "Enabled", "day_of_week": 6, "start_hour": 3, **options}}


def standby(mode: str, **options: Any) -> dict[str, Any]:
    return {"high_availability": {"mode": mode, **options}}


def keys(**options: Any) -> dict[str, Any]:
    own = {
        "type": "AzureKeyVault",
        "primary_user_assigned_identity_id": LEAF,
        "primary_key_uri": "https://tea-chest.vault.azure.net/keys/lid/1",
    }
    return {"data_encryption": {**own, **options}}


def rule(end: str, **options: Any) -> dict[str, Any]:
    return {"firewall_rules": [{"name": "kettle", "start_ip_address": "192.0.2.1", "end_ip_address": end, **options}]}


WINDOW = "properties.maintenanceWindow"
MYSQL = Case(
    "mysql_flexible_server",
    at(
        "tea-tables",
        sku={"name": "Standard_D2ds_v4", "tier": "GeneralPurpose"},
        administrator_login="brewer",
        administrator_login_password="Earl-Grey-4-two",
        version="8.0.21",
        availability_zone="1",
        storage={"storage_size_gb": 64, "auto_grow": "Disabled"},
        databases=[{"name": "leaves", "charset": "utf8mb4"}],
    ),
    setup=[GROUP],
    mutations=[
        Mutation({"tags": {"team": "tea"}}, {"tags"}),
        Mutation({"sku": {"name": "Standard_D4ds_v4", "tier": "GeneralPurpose"}}, {"sku.name"}),
        # The sizes of a tier have names of their own.
        Mutation({"sku": {"name": "Standard_E4ds_v4", "tier": "MemoryOptimized"}}, {"sku.name", "sku.tier"}),
        Mutation(storage(storage_size_gb=128), {"properties.storage.storageSizeGB"}),
        Mutation(storage(storage_size_gb=128, iops=1000), {"properties.storage.iops"}),
        Mutation(storage(auto_io_scaling="Enabled"), {"properties.storage.autoIoScaling"}),
        Mutation(storage(log_on_disk="Enabled"), {"properties.storage.logOnDisk"}),
        Mutation(storage(auto_grow="Enabled"), {"properties.storage.autoGrow"}),
        Mutation(storage(auto_grow="Disabled"), {"properties.storage.autoGrow"}),
        Mutation({"backup": {"backup_retention_days": 5}}, {"properties.backup.backupRetentionDays"}),
        Mutation({"backup": {"backup_interval_hours": 12}}, {"properties.backup.backupIntervalHours"}),
        Mutation(standby("SameZone"), {"properties.highAvailability.mode"}),
        Mutation(standby("Disabled"), {"properties.highAvailability.mode"}),
        # A standby gets its zone as it is made.
        Mutation(
            standby("ZoneRedundant", standby_availability_zone="3"),
            {"properties.highAvailability.mode", "properties.highAvailability.standbyAvailabilityZone"},
        ),
        Mutation(standby("Disabled"), {"properties.highAvailability.mode"}),
        Mutation(window(), {f"{WINDOW}.customWindow", f"{WINDOW}.dayOfWeek", f"{WINDOW}.startHour"}),
        Mutation(window(day_of_week=5), {f"{WINDOW}.dayOfWeek"}),
        Mutation(window(day_of_week=5, start_hour=4), {f"{WINDOW}.startHour"}),
        Mutation(window(day_of_week=5, start_hour=4, start_minute=30), {f"{WINDOW}.startMinute"}),
        Mutation({"maintenance_window": {"batch_of_maintenance": "Batch2"}}, {f"{WINDOW}.batchOfMaintenance"}),
        Mutation({"maintenance_policy": {"patch_strategy": "VirtualCanary"}}, {"properties.maintenancePolicy"}),
        Mutation({"network": {"public_network_access": "Disabled"}}, {"properties.network.publicNetworkAccess"}),
        Mutation({"network": {"public_network_access": "Enabled"}}, {"properties.network.publicNetworkAccess"}),
        Mutation({"version": "8.4"}, {"properties.version"}),
        Mutation(rule("192.0.2.1"), {"firewall_rules.kettle"}),
        Mutation(rule("192.0.2.9"), {"firewall_rules.kettle.properties.endIpAddress"}),
        Mutation(rule("192.0.2.9", state="absent"), {"firewall_rules.kettle.state"}),
        Mutation({"databases": [{"name": "cups"}]}, {"databases.cups"}),
        Mutation({"databases": [{"name": "cups", "state": "absent"}]}, {"databases.cups.state"}),
        Mutation({"configurations": {"max_connections": 100}}, {"configurations.max_connections.properties.value"}),
        Mutation({"configurations": {"require_secure_transport": False}}, {"configurations.require_secure_transport"}),
        Mutation({"state": "stopped"}, {"properties.state"}),
        Mutation({"state": "started"}, {"properties.state"}),
    ],
    immutable=[
        ({"location": "northeurope"}, "moves nothing to another region"),
        ({"version": "8.0.21"}, "no way back"),
        (storage(storage_size_gb=32), "a disk only grows"),
        ({"administrator_login": "other"}, "administrator_login is 'brewer'"),
        ({"databases": [{"name": "leaves", "charset": "latin1"}]}, "ALTER DATABASE"),
    ],
)
ENCRYPTION = "properties.dataEncryption"
# Keys of one's own for backups elsewhere need such backups, which only a new server can get.
MYSQL_WITH_KEYS = Case(
    "mysql_flexible_server",
    at(
        "tea-books",
        sku={"name": "Standard_D2ds_v4", "tier": "GeneralPurpose"},
        administrator_login="brewer",
        administrator_login_password="Earl-Grey-4-two",
        backup={"geo_redundant_backup": "Enabled"},
    ),
    setup=[
        GROUP,
        ("user_assigned_identity", at("leaf")),
        ("user_assigned_identity", at("stem")),
    ],
    mutations=[
        # Azure has no identity of this type without one of these.
        Mutation(identities(LEAF), {"identity"}),
        Mutation(identities(LEAF, STEM), {"identity.userAssignedIdentities"}),
        # Keys in a vault need the first two of these, and then the others if backups go elsewhere.
        Mutation(
            keys(
                geo_backup_user_assigned_identity_id=LEAF,
                geo_backup_key_uri="https://tea-chest-elsewhere.vault.azure.net/keys/lid/1",
            ),
            {ENCRYPTION},
        ),
        Mutation(keys(primary_key_uri="https://tea-chest.vault.azure.net/keys/lid/2"), {f"{ENCRYPTION}.primaryKeyURI"}),
        Mutation(
            {"data_encryption": {"primary_user_assigned_identity_id": STEM}},
            {f"{ENCRYPTION}.primaryUserAssignedIdentityId"},
        ),
        Mutation(
            {"data_encryption": {"geo_backup_key_uri": "https://tea-chest-elsewhere.vault.azure.net/keys/lid/2"}},
            {f"{ENCRYPTION}.geoBackupKeyURI"},
        ),
        Mutation(
            {"data_encryption": {"geo_backup_user_assigned_identity_id": STEM}},
            {f"{ENCRYPTION}.geoBackupUserAssignedIdentityId"},
        ),
        # With Azure's own keys again, the others are emptied.
        Mutation({"data_encryption": {"type": "SystemManaged"}}, {ENCRYPTION}),
        Mutation(identities(STEM), {"identity.userAssignedIdentities"}),
    ],
    immutable=[({"backup": {"geo_redundant_backup": "Disabled"}}, "geo_redundant_backup is 'Enabled'")],
)
CASES = [IDENTITY, ROLE, ROLE_WITH_VERSION, VAULT, SECRET, MYSQL, MYSQL_WITH_KEYS]
