# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AKS refuses, and in which words.

Recorded are: SystemPoolHasRestrictedTaint, the limit of ManagedSystem pools, the gateway that needs a mesh,
EtagMismatch on a busy cluster, and every 404. The other texts are second-hand: they are quoted in public bug reports.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..arm import AzureError
from . import containerservice_versions as versions

if TYPE_CHECKING:
    from ..arm import Request

POOL_NAME = re.compile(r"[a-z][a-z0-9]{0,11}")
CLUSTER_NAME = re.compile(r"[a-zA-Z0-9]|[a-zA-Z0-9][-_a-zA-Z0-9]{0,61}[a-zA-Z0-9]")
OUTBOUND = ("managedOutboundIPs", "outboundIPs", "outboundIPPrefixes")
SETTLED = ("Succeeded", "Failed", "Canceled")
CHOICES = {
    "networkProfile.networkPlugin": ("azure", "kubenet", "none"),
    "networkProfile.networkPluginMode": ("overlay",),
    "networkProfile.networkPolicy": ("none", "calico", "azure", "cilium"),
    "networkProfile.networkDataplane": ("azure", "cilium"),
    "networkProfile.loadBalancerSku": ("standard", "basic"),
    "networkProfile.outboundType": (
        "loadBalancer", "userDefinedRouting", "managedNATGateway", "userAssignedNATGateway", "none", "block",
        "managedNATGatewayV2",
    ),
    "autoUpgradeProfile.upgradeChannel": ("rapid", "stable", "patch", "node-image", "none"),
    "autoUpgradeProfile.nodeOSUpgradeChannel": ("None", "Unmanaged", "NodeImage", "SecurityPatch"),
    "supportPlan": ("KubernetesOfficial", "AKSLongTermSupport"),
}  # fmt: skip
POOL_CHOICES = {
    "mode": ("System", "User", "Gateway", "ManagedSystem", "Machines"),
    "osType": ("Linux", "Windows"),
    "osDiskType": ("Managed", "Ephemeral"),
    "type": ("VirtualMachineScaleSets", "AvailabilitySet", "VirtualMachines"),
    "scaleSetPriority": ("Spot", "Regular"),
    "scaleDownMode": ("Delete", "Deallocate"),
}
FIXED = (
    "dnsPrefix", "fqdnSubdomain", "nodeResourceGroup", "enableRBAC", "diskEncryptionSetID",
    "linuxProfile.adminUsername", "networkProfile.serviceCidr", "networkProfile.dnsServiceIP",
    "apiServerAccessProfile.enablePrivateCluster",
)  # fmt: skip
FIXED_POOL = (
    "vmSize", "osDiskSizeGB", "osDiskType", "kubeletDiskType", "vnetSubnetID", "podSubnetID", "maxPods", "osType",
    "type", "scaleSetPriority", "availabilityZones", "proximityPlacementGroupID", "gpuInstanceProfile",
    "capacityReservationGroupID", "hostGroupID",
)  # fmt: skip
ALLOWED_TAINT = re.compile(r"CriticalAddonsOnly(=[^:]*)?:|.*:PreferNoSchedule$")


def refuse(status: int, code: str, message: str, *, target: str | None = None) -> AzureError:
    """AKS's own errors aren't wrapped in "error"."""
    return AzureError(status, code, message, wrapped=False, target=target, subcode="")


def invalid(name: str, detail: str = "") -> AzureError:
    more = f" Error details: {detail}" if detail else ""
    return refuse(400, "InvalidParameter", f"The value of parameter {name} is invalid.{more}", target=name)


def at(body: dict[str, Any], path: str) -> Any:
    """Return what lies at a dotted path; None where there is nothing."""
    value: Any = body
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def same(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one.lower() == other.lower()
    if isinstance(one, list) and isinstance(other, list):
        return sorted(map(str, one)) == sorted(map(str, other))
    return bool(one == other)


def choices(body: dict[str, Any], allowed: dict[str, tuple[str, ...]], prefix: str = "") -> None:
    for path, names in allowed.items():
        value = at(body, path)
        if value and str(value).lower() not in [name.lower() for name in names]:
            raise invalid(prefix + path, f"'{value}' isn't one of {', '.join(names)}.")


def chosen(sent: dict[str, Any], paths: tuple[str, ...]) -> list[str]:
    """Return what a request that makes something leaves to the service of what cannot be changed later."""
    return [path for path in paths if not at(sent, path)]


def replayed(request: Request, current: dict[str, Any], paths: tuple[str, ...]) -> tuple[str, ...]:
    """Return what to check: in a replay, what the service chose by itself is another value than at the recording."""
    free = current.get("_chosen", ()) if request.simulator.clock.instant and request.principal is None else ()
    return tuple(path for path in paths if path not in free)


def unchanged(sent: dict[str, Any], current: dict[str, Any], paths: tuple[str, ...], prefix: str = "") -> None:
    for path in paths:
        value = at(sent, path)
        # An empty value asks for the default, or for what is there.
        if value in (None, "", 0, []) or same(value, at(current, path)):
            continue
        if value is False and at(current, path) is None:
            continue
        if path == "apiServerAccessProfile.enablePrivateCluster" and integrated(sent, current):
            continue
        if path == "scaleSetPriority" and value == "Regular" and at(current, path) is None:
            continue
        name = prefix + path
        raise refuse(400, "PropertyChangeNotAllowed", f"Changing property '{name}' is not allowed.", target=name)


def integrated(sent: dict[str, Any], current: dict[str, Any]) -> bool:
    """Say whether the API server lies in the cluster's own network: then a cluster can become a private one."""
    return any(at(one, "apiServerAccessProfile.enableVnetIntegration") for one in (sent, current))


def body(sent: Any) -> dict[str, Any]:
    """Return the properties of a request; what isn't an object at all is refused."""
    found = sent.get("properties") if isinstance(sent, dict) else None
    if not isinstance(found, dict):
        raise refuse(400, "InvalidParameter", "Required parameter properties is missing (null).", target="properties")
    return found


def cluster(request: Request, sent: dict[str, Any], current: dict[str, Any] | None, sku: dict[str, Any]) -> None:
    """Check a cluster's properties: first each for itself, then against what is there."""
    api_version = request.api_version
    choices(sent, CHOICES)
    gateway(sent)
    network(sent.get("networkProfile") or {})
    if at(sent, "supportPlan") == "AKSLongTermSupport" and (sku.get("tier") or "Free") != "Premium":
        raise refuse(400, "BadRequest", "Long term support is available to clusters of the Premium tier alone.")
    if current is None:
        if not sent.get("dnsPrefix") and not sent.get("fqdnSubdomain"):
            raise refuse(400, "InvalidParameter", "Required parameter dnsPrefix is missing (null).", target="dnsPrefix")
        version = sent.get("kubernetesVersion")
        if version and not versions.known(version, api_version):
            raise unsupported(version)
        return
    unchanged(sent, current, replayed(request, current, FIXED))
    if at(current, "oidcIssuerProfile.enabled") and at(sent, "oidcIssuerProfile.enabled") is False:
        raise refuse(400, "OIDCIssuerFeatureCannotBeDisabled", "OIDC issuer feature cannot be disabled.")
    shown, old = current["kubernetesVersion"], current["currentKubernetesVersion"]
    upgrade(shown, old, sent.get("kubernetesVersion"), api_version, defaulted="_defaulted" in current)


def network(sent: dict[str, Any]) -> None:
    """Refuse two answers to one question: kinds of outbound addresses, and a range and its list."""
    balancer = sent.get("loadBalancerProfile") or {}
    if sum(bool(balancer.get(kind)) for kind in OUTBOUND) > 1:
        message = (
            "Load balancer profile must specify exactly one of ManagedOutboundIPs, OutboundIPPrefixes and OutboundIPs. "
            "Please refer to http://aka.ms/slb."
        )
        raise refuse(400, "InvalidLoadBalancerProfile", message, target="networkProfile.loadBalancerProfile")
    for single, several in (("podCidr", "podCidrs"), ("serviceCidr", "serviceCidrs")):
        if sent.get(single) and sent.get(several) and sent[several][0] != sent[single]:
            raise invalid(f"networkProfile.{several}", f"Its first range must be {single}.")


def gateway(sent: dict[str, Any]) -> None:
    wanted = at(sent, "ingressProfile.gatewayAPI.installation") == "Standard"
    routing = at(sent, "ingressProfile.webAppRouting.gatewayAPIImplementations.appRoutingIstio.mode") == "Enabled"
    if wanted and at(sent, "serviceMeshProfile.mode") != "Istio" and not routing:
        message = (
            "Gateway API installation requires at least one implementation that uses Gateway API to be enabled. "
            "Supported implementations are Istio Service Mesh Addon."
        )
        raise refuse(400, "BadRequest", message)


def unsupported(version: str) -> AzureError:
    message = (
        f"Version {version} is not supported in this region. Please use [az aks get-versions] command to get the "
        "supported version list in this region. For more information, please check https://aka.ms/supported-version-list"
    )
    return refuse(400, "K8sVersionNotSupported", message)


def upgrade(shown: str, old: str, asked: str | None, api_version: str, *, defaulted: bool) -> None:
    """Check a new version: a version may be followed by a patch of it or by the next minor version."""
    if not asked or asked in (shown, old, versions.minor(old)):
        return
    if defaulted and api_version < versions.STRICT_SINCE:
        return
    new = versions.resolve(asked) if versions.VERSION.fullmatch(asked) else asked
    if not versions.known(asked, api_version):
        raise unsupported(asked)
    if versions.may_follow(old, new):
        return
    verb = "Downgrading" if versions.parts(new) < versions.parts(old) else "Upgrading"
    offered = " ".join(versions.upgrades(old))
    message = (
        f"{verb} Kubernetes version {old} to {new} is not allowed. Available upgrades: [{offered}]. "
        "Please see https://aka.ms/aks-supported-k8s-ver for version details."
    )
    raise refuse(400, "OperationNotAllowed", message)


def pool_upgrade(before: dict[str, Any], asked: str | None, api_version: str) -> None:
    shown, old = before["orchestratorVersion"], before["currentOrchestratorVersion"]
    upgrade(shown, old, asked, api_version, defaulted="_defaulted" in before)


def pool(request: Request, name: str, sent: dict[str, Any], current: dict[str, Any] | None) -> None:
    """Check what was sent about a pool, before its defaults are filled in."""
    prefix = "agentPoolProfile."
    longest = 6 if sent.get("osType") == "Windows" else 12
    if not POOL_NAME.fullmatch(name) or len(name) > longest:
        raise invalid(f"{prefix}name", "Please see https://aka.ms/aks-naming-rules for more details.")
    choices(sent, POOL_CHOICES, prefix)
    if current is not None:
        unchanged(sent, current, replayed(request, current, FIXED_POOL), prefix)


def whole_pool(pool: dict[str, Any], cluster: dict[str, Any], others: list[dict[str, Any]]) -> None:
    """Check a pool as it would be, among the others of its cluster."""
    prefix = "agentPoolProfile."
    limits(pool, prefix)
    system = pool["mode"].lower() == "system"
    if system and any(not ALLOWED_TAINT.match(taint) for taint in pool.get("nodeTaints", [])):
        message = (
            "Placing custom taints on system pool is not supported(except 'CriticalAddonsOnly' taint or taint effect "
            "is 'PreferNoSchedule'). Please refer to https://aka.ms/aks/system-taints for detail"
        )
        raise refuse(400, "SystemPoolHasRestrictedTaint", message, target=f"{prefix}nodeTaints")
    if system and pool.get("scaleSetPriority") == "Spot":
        raise invalid(f"{prefix}scaleSetPriority", "A system pool can't be a spot pool.")
    if pool["mode"] == "ManagedSystem" and any(other["mode"] == "ManagedSystem" for other in others):
        raise refuse(
            400, "InvalidParameter", "'ManagedSystem' pool is limited to one per cluster", target=f"{prefix}mode"
        )
    control, own = cluster["currentKubernetesVersion"], pool["currentOrchestratorVersion"]
    if versions.parts(versions.minor(own)) > versions.parts(versions.minor(control)):
        message = (
            f"Node pool version {own} and control plane version {control} are incompatible. Minor version of node pool "
            "is bigger than control plane version. For more information, please check https://aka.ms/aks/UpgradeVersionRules"
        )
        raise refuse(400, "NodePoolMcVersionIncompatible", message, target=f"{prefix}orchestratorVersion")


def limits(pool: dict[str, Any], prefix: str) -> None:
    count, fewest, most = pool["count"], pool.get("minCount"), pool.get("maxCount")
    stopped = at(pool, "powerState.code") == "Stopped"
    least = 1 if pool["mode"].lower() == "system" and not stopped else 0
    if not least <= count <= 1000:
        raise invalid(f"{prefix}count", f"The count must be between {least} and 1000.")
    if not 10 <= pool["maxPods"] <= 250:
        raise invalid(f"{prefix}maxPods", "The number of pods to a node must be between 10 and 250.")
    if not pool["enableAutoScaling"] or pool["type"] == "VirtualMachines":
        return
    if fewest is None or most is None:
        name = "minCount" if fewest is None else "maxCount"
        raise refuse(
            400, "InvalidParameter", f"Required parameter {prefix}{name} is missing (null).", target=prefix + name
        )
    if not least <= fewest <= most <= 1000:
        raise invalid(f"{prefix}minCount", f"{least} <= minCount <= maxCount <= 1000 must hold.")


def some_system(pools: list[dict[str, Any]], automatic: bool = False) -> None:
    if not automatic and not any(pool.get("mode") in ("System", "ManagedSystem") for pool in pools):
        raise refuse(400, "MustDefineAtLeastOneSystemPool", "Must define at least one system pool.")
