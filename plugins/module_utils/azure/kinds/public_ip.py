# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public addresses. Azure's own package for them is too heavy, so the generic client does."""

from __future__ import annotations

from ..kind import LOCATION, TAGS, Kind, Params
from ..options import Change, Document, Option, Options, below

NEW = "Make another address, or delete this one first; its address is another then."

OPTIONS: Options = {
    "resource_group": Option(azure="-", required=True),
    "name": Option(azure="-", required=True),
    "location": LOCATION,
    **TAGS,
    "sku": Option(
        "dict",
        options={
            "name": Option(choices=("Standard", "StandardV2", "Basic"), immutable=NEW),
            "tier": Option(choices=("Regional", "Global"), absent=("Regional",), immutable=NEW),
        },
    ),
    "zones": Option("list", immutable=NEW),
    **below(
        "properties",
        {
            "public_ip_allocation_method": Option(azure="publicIPAllocationMethod", choices=("Static", "Dynamic")),
            "public_ip_address_version": Option(
                azure="publicIPAddressVersion", choices=("IPv4", "IPv6"), immutable=NEW
            ),
            "idle_timeout_in_minutes": Option("int"),
            "dns_settings": Option(
                "dict",
                options={
                    "domain_name_label": Option(),
                    "domain_name_label_scope": Option(
                        choices=("TenantReuse", "SubscriptionReuse", "ResourceGroupReuse", "NoReuse"), immutable=NEW
                    ),
                    "reverse_fqdn": Option(),
                },
            ),
            "ip_tags": Option("list", options={"ip_tag_type": Option(), "tag": Option()}, immutable=NEW),
            "ddos_settings": Option(
                "dict",
                options={
                    "protection_mode": Option(choices=("Disabled", "Enabled", "VirtualNetworkInherited")),
                    "ddos_protection_plan": Option(azure="ddosProtectionPlan.id"),
                },
            ),
            "public_ip_prefix": Option(azure="publicIPPrefix.id", immutable=NEW),
        },
    ),
}


class PublicIpAddress(Kind):
    """An address. A PATCH changes nothing but tags, so that it is sent whole."""

    noun = "public IP address"
    path = "{group}/providers/Microsoft.Network/publicIPAddresses/{name}"
    api_version = "2024-05-01"
    options = OPTIONS
    patches = False
    read_only_properties = ("provisioningState", "resourceGuid", "ipConfiguration")

    def defaults(self, params: Params) -> Document:
        """Return what a new address has: it stays the same, for firewalls that name it."""
        sku = {"name": "Standard", "tier": "Regional"}
        return {"sku": sku, "properties": {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"}}

    def fixed(self, change: Change) -> bool:
        """Return whether Azure cannot make a change. It tells everything about an address."""
        return bool(change.option.immutable)
