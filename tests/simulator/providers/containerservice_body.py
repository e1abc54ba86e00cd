# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster's properties: what is kept, what is filled in, what the service adds, what it never shows."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from . import containerservice_network as network
from . import containerservice_versions as versions
from .containerservice_values import drop_empty, filled, letters, short_times
from .documents import guid, merged, without_nulls

if TYPE_CHECKING:
    import random

    from ..arm import ResourceId

# Kept when a request doesn't speak of them. All else that isn't sent again is gone.
KEPT = (
    "aadProfile", "addonProfiles", "apiServerAccessProfile", "azurePortalFQDN", "bootstrapProfile",
    "currentKubernetesVersion", "diskEncryptionSetID", "dnsPrefix", "enableRBAC", "fqdn", "fqdnSubdomain",
    "identityProfile", "kubernetesVersion", "linuxProfile", "maxAgentPools", "metricsProfile", "networkProfile",
    "nodeProvisioningProfile", "nodeResourceGroup", "oidcIssuerProfile", "powerState", "privateFQDN", "resourceUID",
    "securityProfile", "servicePrincipalProfile", "storageProfile", "supportPlan", "windowsProfile",
)  # fmt: skip
READ_ONLY = (
    "provisioningState", "powerState", "currentKubernetesVersion", "fqdn", "privateFQDN", "azurePortalFQDN",
    "maxAgentPools", "resourceUID", "status", "agentPoolProfiles", "privateLinkResources",
)  # fmt: skip
AUTOSCALER: dict[str, Any] = {
    "balance-similar-node-groups": "false",
    "daemonset-eviction-for-empty-nodes": False,
    "daemonset-eviction-for-occupied-nodes": True,
    "expander": "random",
    "ignore-daemonsets-utilization": False,
    "max-empty-bulk-delete": "10",
    "max-graceful-termination-sec": "600",
    "max-node-provision-time": "15m",
    "max-total-unready-percentage": "45",
    "new-pod-scale-up-delay": "0s",
    "ok-total-unready-count": "3",
    "scale-down-delay-after-add": "10m",
    "scale-down-delay-after-delete": "10s",
    "scale-down-delay-after-failure": "3m",
    "scale-down-unneeded-time": "10m",
    "scale-down-unready-time": "20m",
    "scale-down-utilization-threshold": "0.5",
    "scan-interval": "10s",
    "skip-nodes-with-local-storage": "false",
    "skip-nodes-with-system-pods": "true",
}
ISTIO = "asm-1-28"
# Before, an answer's noProxy was what it is in effect.
OWN_NO_PROXY_SINCE = "2024-01-01"
# What the sku called Automatic decides for the user, as far as the user hasn't. Second-hand, from its documentation.
AUTOMATIC: dict[str, Any] = {
    "disableLocalAccounts": True,
    "oidcIssuerProfile": {"enabled": True},
    "aadProfile": {"managed": True, "enableAzureRBAC": True},
    "addonProfiles": {
        "azureKeyvaultSecretsProvider": {"enabled": True, "config": {"enableSecretRotation": "true"}},
        "azurepolicy": {"enabled": True},
    },
    "autoUpgradeProfile": {"upgradeChannel": "stable"},
    "ingressProfile": {"webAppRouting": {"enabled": True}},
    "networkProfile": {
        "networkPlugin": "azure",
        "networkPluginMode": "overlay",
        "networkDataplane": "cilium",
        "outboundType": "managedNATGateway",
    },
    "nodeProvisioningProfile": {"mode": "Auto"},
    "nodeResourceGroupProfile": {"restrictionLevel": "ReadOnly"},
    "securityProfile": {"workloadIdentity": {"enabled": True}, "imageCleaner": {"enabled": True}},
    "workloadAutoScalerProfile": {"keda": {"enabled": True}, "verticalPodAutoscaler": {"enabled": True}},
}


def normalised(
    sent: dict[str, Any], current: dict[str, Any] | None, names: Names, *, automatic: bool = False
) -> dict[str, Any]:
    """Return a cluster's properties after a request."""
    sent = {name: value for name, value in without_nulls(sent).items() if name not in READ_ONLY}
    if automatic and current is None:
        sent = merged(deepcopy(AUTOMATIC), sent)
    before = current or {}
    kept = {name: before[name] for name in KEPT if name in before}
    own = ("networkProfile", "addonProfiles")
    properties: dict[str, Any] = merged(kept, {name: value for name, value in sent.items() if name not in own})
    properties["networkProfile"] = network.normalised(sent.get("networkProfile") or {}, before.get("networkProfile"))
    properties["addonProfiles"] = addons(sent.get("addonProfiles") or {}, before.get("addonProfiles") or {})
    version(properties, sent, before)
    defaults(properties, names)
    addon_settings(properties, names)
    host_names(properties, before, names)
    entra(properties, names)
    secrets(properties)
    features(properties, names)
    if "upgradeSettings" in properties:
        properties["upgradeSettings"] = short_times(properties["upgradeSettings"])
    if properties.get("autoScalerProfile"):
        filled(properties["autoScalerProfile"], AUTOSCALER)
    drop_empty(properties, "addonProfiles", "autoScalerProfile", "httpProxyConfig", "serviceMeshProfile",
               "ingressProfile", "podIdentityProfile", "identityProfile")  # fmt: skip
    return properties


class Names:
    """What the names of a cluster's parts are made of."""

    def __init__(self, rid: ResourceId, location: str, tenant: str, rng: random.Random) -> None:
        self.subscription, self.group, self.cluster = rid.subscription, rid.group, rid.name
        self.location, self.tenant, self.rng = location, tenant, rng

    @property
    def node_group(self) -> str:
        return f"MC_{self.group}_{self.cluster}_{self.location}"[:80]


def addons(sent: dict[str, Any], current: dict[str, Any]) -> dict[str, Any]:
    """Keep an add-on that isn't named; one that is named is what was sent, and loses its identity with its work."""
    result = dict(current)
    for name, addon in sent.items():
        known = next((key for key in result if key.lower() == name.lower()), name)
        entry = {"enabled": addon.get("enabled", False), "config": addon.get("config") or None}
        identity = result.get(known, {}).get("identity")
        if entry["enabled"] and identity:
            entry["identity"] = identity
        result[known] = entry
    return result


def addon_settings(properties: dict[str, Any], names: Names) -> None:
    """Set what two add-ons say of their own accord: a DNS zone, and the gateway that they use."""
    for name, addon in properties["addonProfiles"].items():
        if not addon["enabled"]:
            continue
        if name.lower() == "httpapplicationrouting":
            zone = f"{names.rng.getrandbits(80):020x}.{names.location}.aksapp.io"
            addon["config"] = {"HTTPApplicationRoutingZoneName": zone, **(addon["config"] or {})}
        if name.lower() == "ingressapplicationgateway":
            config = addon["config"] = dict(addon["config"] or {})
            group = f"/subscriptions/{names.subscription}/resourceGroups/{properties['nodeResourceGroup']}"
            gateway = f"{group}/providers/Microsoft.Network/applicationGateways/"
            own = gateway + (config.get("applicationGatewayName") or "applicationgateway")
            config["effectiveApplicationGatewayId"] = config.get("applicationGatewayId") or own


def version(properties: dict[str, Any], sent: dict[str, Any], before: dict[str, Any]) -> None:
    named = sent.get("kubernetesVersion")
    shown, old = before.get("kubernetesVersion"), before.get("currentKubernetesVersion")
    asked = named or shown or versions.DEFAULT
    # As long as nobody has named another version than the default, which is shown to be sent again.
    if (not before and not named) or ("_defaulted" in before and asked == shown):
        properties["_defaulted"] = True
    properties["kubernetesVersion"] = asked
    same_minor = old and asked == versions.minor(old)
    properties["currentKubernetesVersion"] = old if same_minor else versions.resolve(asked)


def defaults(properties: dict[str, Any], names: Names) -> None:
    properties["nodeResourceGroup"] = properties.get("nodeResourceGroup") or names.node_group
    filled(
        properties,
        {
            "powerState": {"code": "Running"},
            "enableRBAC": True,
            "disableLocalAccounts": False,
            "supportPlan": "KubernetesOfficial",
            "securityProfile": {},
            "workloadAutoScalerProfile": {},
            "autoUpgradeProfile": {},
            "oidcIssuerProfile": {},
            "storageProfile": {},
            "metricsProfile": {},
            "nodeProvisioningProfile": {},
            "bootstrapProfile": {},
            "resourceUID": "".join(names.rng.choices("0123456789abcdef", k=24)),
        },
    )
    storage = properties["storageProfile"]
    for driver in ("diskCSIDriver", "fileCSIDriver", "snapshotController"):
        filled(storage.setdefault(driver, {}), {"enabled": True})
    storage["diskCSIDriver"].setdefault("version", "v1")
    properties["autoUpgradeProfile"].setdefault("nodeOSUpgradeChannel", "NodeImage")
    properties["metricsProfile"].setdefault("costAnalysis", {"enabled": False})
    filled(properties["nodeProvisioningProfile"], {"mode": "Manual", "defaultNodePools": "Auto"})
    properties["bootstrapProfile"].setdefault("artifactSource", "Direct")
    properties["oidcIssuerProfile"].setdefault("enabled", False)
    cleaner = properties["securityProfile"].get("imageCleaner")
    if cleaner and cleaner.get("enabled"):
        filled(cleaner, {"intervalHours": 168})


def host_names(properties: dict[str, Any], before: dict[str, Any], names: Names) -> None:
    """Name the API server. A private cluster's own name lies in a private zone, beside the public one if wanted."""
    access = properties.get("apiServerAccessProfile") or {}
    drop_empty(access, "authorizedIPRanges")
    prefix = (properties.get("dnsPrefix") or properties.get("fqdnSubdomain") or names.cluster).lower()
    known = before.get("_names") or {
        "public": f"{prefix}-{letters(names.rng, 8)}.hcp.{names.location}.azmk8s.io",
        "private": f"{prefix}-{letters(names.rng, 8)}.{guid(names.rng)}.privatelink.{names.location}.azmk8s.io",
        "portal": f"{names.rng.getrandbits(128):032x}-priv.portal.hcp.{names.location}.azmk8s.io",
    }
    properties["_names"] = known
    properties["azurePortalFQDN"] = known["public"].replace(".hcp.", ".portal.hcp.", 1)
    if access.get("enablePrivateCluster") and not access.get("enableVnetIntegration"):
        filled(access, {"privateDNSZone": "system", "enablePrivateClusterPublicFQDN": True})
        zone = access["privateDNSZone"]
        own = f"{properties.get('fqdnSubdomain') or prefix}.{zone.rsplit('/', maxsplit=1)[-1]}"
        properties["privateFQDN"] = {"system": known["private"], "none": known["public"]}.get(zone.lower(), own)
        properties["azurePortalFQDN"] = known["portal"]
    if access.get("enablePrivateClusterPublicFQDN", True):
        properties["fqdn"] = known["public"]
    else:
        properties.pop("fqdn", None)


def entra(properties: dict[str, Any], names: Names) -> None:
    profile = properties.get("aadProfile")
    if profile:
        # Without groups or users there is a null: the service's own, not the client's.
        profile["adminUsers"] = profile.get("adminUsers")
        profile["adminGroupObjectIDs"] = profile.get("adminGroupObjectIDs") or None
        profile.setdefault("tenantID", names.tenant)


def secrets(properties: dict[str, Any]) -> None:
    """Drop what must never come back."""
    for profile, name in (
        ("servicePrincipalProfile", "secret"),
        ("windowsProfile", "adminPassword"),
        ("aadProfile", "serverAppSecret"),
    ):
        (properties.get(profile) or {}).pop(name, None)


def features(properties: dict[str, Any], names: Names) -> None:
    issuer = properties["oidcIssuerProfile"]
    if issuer["enabled"]:
        url = f"https://{names.location}.oic.prod-aks.azure.com/{names.tenant}/{guid(names.rng)}/"
        issuer.setdefault("issuerURL", url)
    if properties["networkProfile"]["networkPlugin"] != "kubenet" or "windowsProfile" in properties:
        windows = properties.setdefault("windowsProfile", {})
        filled(windows, {"adminUsername": "azureuser", "enableCSIProxy": True})
        if (windows.get("gmsaProfile") or {}).get("enabled"):
            filled(windows["gmsaProfile"], {"dnsServer": "", "rootDomainName": ""})
    mesh = properties.get("serviceMeshProfile") or {}
    if mesh.get("mode") == "Istio":
        filled(mesh.setdefault("istio", {}), {"revisions": [ISTIO]})
    metrics = (properties.get("azureMonitorProfile") or {}).get("metrics")
    if metrics and metrics.get("enabled"):
        filled(metrics, {"kubeStateMetrics": {}})
        filled(metrics["kubeStateMetrics"], {"metricLabelsAllowlist": "", "metricAnnotationsAllowList": ""})
    routing = (properties.get("ingressProfile") or {}).get("webAppRouting")
    if routing and routing.get("enabled"):
        filled(routing, {"nginx": {}})
        filled(routing["nginx"], {"defaultIngressControllerType": "AnnotationControlled"})
    proxy(properties)


def proxy(properties: dict[str, Any]) -> None:
    """Add the hosts that a cluster must reach without its proxy to those that the user named."""
    config = properties.get("httpProxyConfig")
    if not config:
        return
    profile = properties["networkProfile"]
    own = ["localhost", "127.0.0.1", "168.63.129.16", "169.254.169.254", "konnectivity", profile["serviceCidr"]]
    own += [name for name in (profile.get("podCidr"), properties.get("fqdn")) if name]
    config["effectiveNoProxy"] = list(dict.fromkeys((config.get("noProxy") or []) + own))
