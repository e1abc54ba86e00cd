# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of MySQL Flexible Servers, and of what is in them."""

from __future__ import annotations

from ..kind import LOCATION, TAGS
from ..options import Option, Options, below
from .common import identity

NEW_SERVER = "Make another server and move the data, or delete this one first."
# Azure takes no other type of identity for a server.
USER_ASSIGNED = (identity().options or {})["user_assigned_identities"]


def switch() -> Option:
    """Return an option that Azure writes as a text."""
    return Option(choices=("Enabled", "Disabled"))


def part_state() -> Option:
    """Return whether a part of a server is to be there."""
    return Option(azure="-", choices=("present", "absent"), default="present")


PROPERTIES: Options = {
    "version": Option(),
    "administrator_login": Option(immutable=NEW_SERVER),
    "administrator_login_password": Option(no_log=True, compare=False),
    "availability_zone": Option(immutable=NEW_SERVER),
    "storage": Option(
        "dict",
        options={
            "storage_size_gb": Option("int", azure="storageSizeGB"),
            "iops": Option("int"),
            "auto_grow": switch(),
            "auto_io_scaling": switch(),
            "log_on_disk": switch(),
            "storage_redundancy": Option(choices=("LocalRedundancy", "ZoneRedundancy"), immutable=NEW_SERVER),
        },
    ),
    "backup": Option(
        "dict",
        options={
            "backup_retention_days": Option("int"),
            "backup_interval_hours": Option("int"),
            "geo_redundant_backup": Option(choices=("Enabled", "Disabled"), immutable=NEW_SERVER),
        },
    ),
    "high_availability": Option(
        "dict",
        options={
            "mode": Option(choices=("Disabled", "SameZone", "ZoneRedundant")),
            "standby_availability_zone": Option(),
        },
    ),
    "network": Option(
        "dict",
        options={
            "public_network_access": switch(),
            "delegated_subnet_resource_id": Option(immutable=NEW_SERVER),
            "private_dns_zone_resource_id": Option(immutable=NEW_SERVER),
        },
    ),
    "maintenance_window": Option(
        "dict",
        options={
            "custom_window": switch(),
            "day_of_week": Option("int"),
            "start_hour": Option("int"),
            "start_minute": Option("int"),
            "batch_of_maintenance": Option(choices=("Default", "Batch1", "Batch2")),
        },
    ),
    "maintenance_policy": Option("dict", options={"patch_strategy": Option(choices=("Regular", "VirtualCanary"))}),
    "data_encryption": Option(
        "dict",
        options={
            "type": Option(choices=("AzureKeyVault", "SystemManaged"), absent=("SystemManaged",)),
            "primary_user_assigned_identity_id": Option(),
            "primary_key_uri": Option(azure="primaryKeyURI"),
            "geo_backup_user_assigned_identity_id": Option(),
            "geo_backup_key_uri": Option(azure="geoBackupKeyURI"),
        },
    ),
}
DATABASE: Options = {
    "name": Option(azure="-", required=True),
    **below(
        "properties",
        {
            "charset": Option(immutable="ALTER DATABASE does it, from inside."),
            "collation": Option(immutable="ALTER DATABASE does it, from inside."),
        },
    ),
    "state": part_state(),
}
FIREWALL_RULE: Options = {
    "name": Option(azure="-", required=True),
    **below("properties", {"start_ip_address": Option(), "end_ip_address": Option()}),
    "state": part_state(),
}
OPTIONS: Options = {
    "resource_group": Option(azure="-", required=True),
    "name": Option(azure="-", required=True),
    "location": LOCATION,
    **TAGS,
    "sku": Option(
        "dict",
        options={
            "name": Option(required=True),
            "tier": Option(choices=("Burstable", "GeneralPurpose", "MemoryOptimized"), required=True),
        },
    ),
    "identity": Option(
        "dict",
        options={
            "type": Option(choices=("UserAssigned", "None"), absent=("None",)),
            "user_assigned_identities": USER_ASSIGNED,
        },
    ),
    **below("properties", PROPERTIES),
    "administrator_login_password_file": Option("path", azure="-"),
    "update_password": Option(azure="-", choices=("on_create", "on_change", "always"), default="on_create"),
    "password_tag": Option(azure="-"),
    "databases": Option("list", azure="-", options=DATABASE),
    "firewall_rules": Option("list", azure="-", options=FIREWALL_RULE),
    "configurations": Option("dict", azure="-"),
}
