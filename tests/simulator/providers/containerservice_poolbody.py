# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node pool's properties: defaults, values that come back otherwise, and keys that the service adds."""

from __future__ import annotations

import re
from typing import Any

from . import containerservice_versions as versions
from .containerservice_checks import FIXED_POOL, chosen
from .containerservice_values import drop_empty, filled
from .documents import merged, without_nulls

SIZE = re.compile(r"standard_([a-z]+)(\d+)(-\d+)?([a-z]*)", re.IGNORECASE)
DEFAULT_SIZE = "Standard_D4ds_v5"
SPOT_LABEL = "kubernetes.azure.com/scalesetpriority"
SPOT_TAINT = f"{SPOT_LABEL}=spot:NoSchedule"
# Replaced as a whole when they are sent: a label that isn't sent again is gone.
WHOLE = ("nodeLabels", "tags", "kubeletConfig", "linuxOSConfig", "networkProfile")
READ_ONLY = ("provisioningState", "currentOrchestratorVersion", "nodeImageVersion", "eTag", "status", "name")
# Without a word about them in the request, they are gone: they have no default to keep.
FORGOTTEN = ("nodeTaints", "nodeLabels", "tags", "minCount", "maxCount", "availabilityZones", "status")
IMAGES = {
    "azurelinux": "AKSAzureLinux-V3gen2-202610.06.0",
    "azurelinux3": "AKSAzureLinux-V3gen2-202610.06.0",
    "azurecontainerlinux": "AKSAzureContainerLinux-V3gen2-202610.06.0",
    "cblmariner": "AKSCBLMariner-V2gen2-202610.06.0",
    "mariner": "AKSCBLMariner-V2gen2-202610.06.0",
    "ubuntu2404": "AKSUbuntu-2404gen2containerd-202610.06.0",
    "windows2019": "AKSWindows-2019-containerd-17763.7919.261014",
    "windows2022": "AKSWindows-2022-containerd-20348.4294.261014",
    "windows2025": "AKSWindows-2025-containerd-26100.6905.261014",
}
UBUNTU = "AKSUbuntu-2204gen2{fips}containerd-202610.06.0"


def cores(size: str) -> int:
    found = SIZE.match(size)
    return int(found.group(2)) if found else 4


def local_disk(size: str) -> int:
    """Gigabytes of a size's own disk, as the d in Standard_D4ds_v5 promises: 37.5 to each core."""
    found = SIZE.match(size)
    return int(cores(size) * 37.5) if found and "d" in found.group(4).lower() else 0


def managed_disk(size: str) -> int:
    return next(disk for most, disk in ((7, 128), (15, 256), (63, 512), (10_000, 1024)) if cores(size) <= most)


def disks(pool: dict[str, Any]) -> None:
    """Put the OS disk on the machine's own disk where that is large enough and nobody said otherwise."""
    own = local_disk(pool["vmSize"])
    wanted = pool.get("osDiskSizeGB") or 0
    if not pool.get("osDiskType"):
        pool["osDiskType"] = "Ephemeral" if own >= max(wanted, 128) and pool["type"] != "AvailabilitySet" else "Managed"
    if not wanted:
        ephemeral = pool["osDiskType"] == "Ephemeral" and own
        pool["osDiskSizeGB"] = own if ephemeral else managed_disk(pool["vmSize"])
    pool.setdefault("kubeletDiskType", "OS")


def most_pods(network: dict[str, Any]) -> int:
    plugin = network.get("networkPlugin")
    if plugin == "kubenet":
        return 110
    if plugin == "azure" and network.get("networkPluginMode") != "overlay":
        return 30
    return 250


def image(pool: dict[str, Any]) -> str:
    found = IMAGES.get((pool.get("osSKU") or "").lower())
    return found or UBUNTU.format(fips="fips" if pool.get("enableFIPS") else "")


def spot(pool: dict[str, Any]) -> None:
    """Label and taint a spot pool; what is said of spot machines isn't kept by another."""
    if (pool.get("scaleSetPriority") or "Regular").lower() != "spot":
        for name in ("scaleSetPriority", "scaleSetEvictionPolicy", "spotMaxPrice"):
            pool.pop(name, None)
        return
    filled(pool, {"scaleSetEvictionPolicy": "Delete", "spotMaxPrice": -1})
    pool.setdefault("nodeLabels", {})[SPOT_LABEL] = "spot"
    taints = pool.setdefault("nodeTaints", [])
    if SPOT_TAINT not in taints:
        taints.append(SPOT_TAINT)


def surge(pool: dict[str, Any]) -> None:
    settings = pool.setdefault("upgradeSettings", {})
    if pool.get("scaleSetPriority", "").lower() != "spot" and pool["type"] != "AvailabilitySet":
        settings.setdefault("maxSurge", "10%")
    settings.setdefault("maxUnavailable", "0")


def scaling(pool: dict[str, Any], current: dict[str, Any] | None) -> None:
    """Drop the autoscaler's limits with it; a stopped pool has no nodes until it is started again."""
    pool.setdefault("enableAutoScaling", False)
    if not pool["enableAutoScaling"]:
        pool.pop("minCount", None)
        pool.pop("maxCount", None)
    if pool.get("count") is None:
        pool["count"] = pool.get("minCount") or 1
    was = ((current or {}).get("powerState") or {}).get("code", "Running")
    now = pool.setdefault("powerState", {"code": "Running"})["code"]
    if was != now == "Stopped":
        pool["_count"], pool["count"] = pool["count"], 0
    elif was != now:
        pool["count"] = pool.pop("_count", None) or pool["count"] or 1


def versioned(pool: dict[str, Any], current: dict[str, Any] | None, cluster: dict[str, Any]) -> None:
    old = (current or {}).get("currentOrchestratorVersion")
    if not pool.get("orchestratorVersion"):
        pool["orchestratorVersion"] = (current or cluster).get("orchestratorVersion") or cluster["kubernetesVersion"]
        pool["_defaulted"] = True
    asked = pool["orchestratorVersion"]
    if current and asked != current["orchestratorVersion"]:
        pool.pop("_defaulted", None)
    inherited = asked == cluster["kubernetesVersion"]
    new = cluster["currentKubernetesVersion"] if inherited else versions.resolve(asked)
    # The alias of the minor version that is there already is no upgrade.
    pool["currentOrchestratorVersion"] = old if old and asked == versions.minor(old) else new


def system(pool: dict[str, Any]) -> None:
    pool.setdefault("osType", "Linux")
    pool["osSKU"] = pool.get("osSKU") or ("Windows2022" if pool["osType"] == "Windows" else "Ubuntu")
    filled(pool, {"enableFIPS": False, "enableNodePublicIP": False})
    security = pool.setdefault("securityProfile", {})
    filled(security, {"enableVTPM": False, "enableSecureBoot": False, "sshAccess": "LocalUser"})
    canonical = {"localuser": "LocalUser", "disabled": "Disabled"}
    security["sshAccess"] = canonical.get(security["sshAccess"].lower(), security["sshAccess"])


def several_sizes(pool: dict[str, Any], profile: dict[str, Any]) -> None:
    """Count the nodes of a pool of machines of several sizes."""
    scale = profile.get("scale") or {}
    nodes = [{"size": one.get("size"), "count": one.get("count") or 1} for one in scale.get("manual") or []]
    if nodes:
        pool["virtualMachineNodesStatus"] = nodes
        pool["count"] = sum(one["count"] for one in nodes)
        pool.setdefault("vmSize", nodes[0]["size"])


def normalised(
    sent: dict[str, Any], current: dict[str, Any] | None, cluster: dict[str, Any], *, mode: str
) -> dict[str, Any]:
    """Return a pool's properties after a request: `cluster` are the properties of its cluster."""
    sent = {name: value for name, value in without_nulls(sent).items() if name not in READ_ONLY}
    kept = {name: value for name, value in (current or {}).items() if name not in FORGOTTEN}
    for name in WHOLE:
        if name in sent:
            kept.pop(name, None)
    pool: dict[str, Any] = merged(kept, sent)
    machines = pool.get("virtualMachinesProfile")
    if machines:
        several_sizes(pool, machines)
    pool["vmSize"] = pool.get("vmSize") or DEFAULT_SIZE
    filled(pool, {"type": "VirtualMachineScaleSets", "mode": mode, "scaleDownMode": "Delete"})
    pool["maxPods"] = pool.get("maxPods") or most_pods(cluster.get("networkProfile") or {})
    pool["availabilityZones"] = sorted(str(zone) for zone in pool.get("availabilityZones") or [])
    disks(pool)
    system(pool)
    scaling(pool, current)
    versioned(pool, current, cluster)
    spot(pool)
    surge(pool)
    drop_empty(pool, *FORGOTTEN, *WHOLE, "windowsProfile", "gpuProfile", "creationData", "artifactStreamingProfile")
    if current is None:
        pool["_chosen"] = chosen(sent, FIXED_POOL)
    # Another distribution, and another kind of cryptography, are other images.
    known = current and all(pool[name] == current.get(name) for name in ("osSKU", "enableFIPS"))
    if not known and pool["type"] != "AvailabilitySet":
        pool["nodeImageVersion"] = image(pool)
    filled(pool, {"upgradeStrategy": "Rolling", "workloadRuntime": "OCIContainer"})
    return pool
