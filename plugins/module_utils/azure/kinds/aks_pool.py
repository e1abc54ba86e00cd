# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Node pools of AKS: their options, the same in a cluster's task and in one of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..options import Document, Option, Options, dig, is_nan, same_exactly, same_set, same_text, unset

NEW_POOL = "Make a pool of another name, and delete this one."
# AKS keeps names of this beginning to itself, and marks spot nodes with them.
RESERVED = "kubernetes.azure.com/"

DEFAULT_SIZE = "Standard_DS3_v2"


def same_version(wanted: Any, found: Any) -> bool:
    """Return whether a version is the one asked for; ``1.36`` is any of its patch releases."""
    wanted, found = str(wanted), str(found)
    return same_text(wanted, found) or (wanted.count(".") == 1 and found.startswith(f"{wanted}."))


def same_number(wanted: Any, found: Any) -> bool:
    """Return whether two numbers are the same; 0 and NaN mean Azure's own default."""
    return wanted in (0, found) or is_nan(wanted)


def same_taints(wanted: Any, found: Any) -> bool:
    """Return whether the taints are the ones asked for, beside those that AKS sets by itself."""
    return same_set(wanted, [each for each in found if each in wanted or not each.startswith(RESERVED)])


def same_labels(wanted: Any, found: Any) -> bool:
    """Return whether the labels are the ones asked for, beside those that AKS sets by itself."""
    own = {name: value for name, value in found.items() if name in wanted or not name.startswith(RESERVED)}
    return same_exactly(wanted, own)


POOL_OPTIONS: Options = {
    "name": Option(required=True),
    "mode": Option(choices=("System", "User", "Gateway")),
    "type": Option(choices=("VirtualMachineScaleSets", "AvailabilitySet", "VirtualMachines"), immutable=NEW_POOL),
    "vm_size": Option(immutable=NEW_POOL),
    "count": Option("int"),
    "enable_auto_scaling": Option("bool"),
    "min_count": Option("int"),
    "max_count": Option("int"),
    "scale_down_mode": Option(choices=("Delete", "Deallocate"), absent=("Delete",)),
    "scale_set_priority": Option(choices=("Regular", "Spot"), immutable=NEW_POOL, absent=("Regular",)),
    "scale_set_eviction_policy": Option(choices=("Delete", "Deallocate"), immutable=NEW_POOL, absent=("Delete",)),
    "spot_max_price": Option("float", immutable=NEW_POOL, same=same_number, absent=(-1.0,)),
    "gpu_profile": Option("dict", options={"driver": Option(choices=("Install", "None"), immutable=NEW_POOL)}),
    "gpu_instance_profile": Option(immutable=NEW_POOL),
    "orchestrator_version": Option(same=same_version),
    "os_type": Option(choices=("Linux", "Windows"), immutable=NEW_POOL),
    "os_sku": Option(azure="osSKU"),
    "os_disk_type": Option(choices=("Managed", "Ephemeral"), immutable=NEW_POOL),
    "os_disk_size_gb": Option("int", azure="osDiskSizeGB", same=same_number, absent=(0,), immutable=NEW_POOL),
    "kubelet_disk_type": Option(choices=("OS", "Temporary"), immutable=NEW_POOL),
    "max_pods": Option("int", same=same_number, absent=(0,), immutable=NEW_POOL),
    "availability_zones": Option("list", immutable=NEW_POOL),
    "vnet_subnet_id": Option(azure="vnetSubnetID", immutable=NEW_POOL),
    "pod_subnet_id": Option(azure="podSubnetID", immutable=NEW_POOL),
    "enable_node_public_ip": Option("bool", azure="enableNodePublicIP", immutable=NEW_POOL),
    "node_public_ip_prefix_id": Option(azure="nodePublicIPPrefixID", immutable=NEW_POOL),
    "enable_encryption_at_host": Option("bool", immutable=NEW_POOL),
    "enable_ultra_ssd": Option("bool", azure="enableUltraSSD", immutable=NEW_POOL),
    "enable_fips": Option("bool", azure="enableFIPS"),
    "proximity_placement_group_id": Option(azure="proximityPlacementGroupID", immutable=NEW_POOL),
    "capacity_reservation_group_id": Option(azure="capacityReservationGroupID", immutable=NEW_POOL),
    "node_labels": Option("dict", same=same_labels),
    "node_taints": Option("list", same=same_taints),
    "tags": Option("dict", same=same_exactly),
    "upgrade_settings": Option(
        "dict",
        options={
            "max_surge": Option(),
            "max_unavailable": Option(),
            "drain_timeout_in_minutes": Option("int", absent=(0,)),
            "node_soak_duration_in_minutes": Option("int", absent=(0,)),
        },
    ),
}


def pool_defaults(pool: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a new pool has where the task does not say otherwise, as options."""
    defaults: dict[str, Any] = {
        "mode": "User",
        "type": "VirtualMachineScaleSets",
        "os_type": "Linux",
        "vm_size": DEFAULT_SIZE,
    }
    if pool.get("enable_auto_scaling"):
        defaults["count"] = max(pool.get("min_count") or 0, 1 if pool.get("mode") == "System" else 0)
    else:
        defaults["count"] = 1
    return {**defaults, **{name: value for name, value in pool.items() if not unset(value)}}


def adapted(pool: Mapping[str, Any], found: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a pool's options in the light of what is there.

    The autoscaler's count is its own business, and there are no bounds without it. A stopped pool counts 0 until it
    runs again.
    """
    scaled = pool.get("enable_auto_scaling")
    if scaled is False:
        pool = {**pool, "min_count": None, "max_count": None}
    if found is None:
        return pool_defaults(pool)
    stopped = same_text(dig(found, ("powerState", "code")), "Stopped")
    if scaled or stopped or (scaled is None and found.get("enableAutoScaling")):
        return {**pool, "count": None}
    return dict(pool)


def tidy_pool(pool: Document) -> None:
    """Make of a pool what Azure takes: without the autoscaler there are no bounds for it."""
    if pool.get("enableAutoScaling") is False:
        for name in ("minCount", "maxCount"):
            pool.pop(name, None)
