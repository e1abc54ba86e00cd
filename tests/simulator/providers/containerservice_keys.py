# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an API version knows of a cluster: keys that came later aren't shown to a client of before."""

from __future__ import annotations

from typing import Any

# Dates of API versions. A preview and the version made of it differ by months; the preview's date stands here.
CLUSTER: dict[str, str] = {
    "eTag": "2024-06-02",
    "kind": "2024-09-02",
    "properties.aiToolchainOperatorProfile": "2023-09-02",
    "properties.autoUpgradeProfile": "2020-12-01",
    "properties.autoUpgradeProfile.nodeOSUpgradeChannel": "2023-01-02",
    "properties.azureMonitorProfile": "2022-07-02",
    "properties.azurePortalFQDN": "2021-03-01",
    "properties.bootstrapProfile": "2024-05-02",
    "properties.currentKubernetesVersion": "2022-02-01",
    "properties.disableLocalAccounts": "2021-05-01",
    "properties.httpProxyConfig": "2021-07-01",
    "properties.hostedSystemProfile": "2025-09-02",
    "properties.metricsProfile": "2023-11-02",
    "properties.networkProfile.advancedNetworking": "2024-05-02",
    "properties.networkProfile.ipFamilies": "2021-08-01",
    "properties.networkProfile.loadBalancerProfile.backendPoolType": "2022-08-02",
    "properties.networkProfile.networkDataplane": "2022-11-02",
    "properties.networkProfile.podCidrs": "2021-08-01",
    "properties.networkProfile.serviceCidrs": "2021-08-01",
    "properties.nodeProvisioningProfile": "2023-10-02",
    "properties.oidcIssuerProfile": "2021-11-01",
    "properties.resourceUID": "2023-08-02",
    "properties.securityProfile": "2021-07-01",
    "properties.serviceMeshProfile": "2023-02-02",
    "properties.status": "2024-10-02",
    "properties.storageProfile": "2022-01-01",
    "properties.storageProfile.blobCSIDriver": "2022-09-02",
    "properties.supportPlan": "2023-06-01",
    "properties.upgradeSettings": "2023-06-01",
    "properties.windowsProfile.enableCSIProxy": "2020-12-01",
    "properties.workloadAutoScalerProfile": "2022-04-02",
}
POOL: dict[str, str] = {
    "currentOrchestratorVersion": "2022-01-01",
    "eTag": "2024-06-02",
    "enableEncryptionAtHost": "2020-12-01",
    "enableFIPS": "2021-05-01",
    "enableUltraSSD": "2021-07-01",
    "kubeletDiskType": "2021-02-01",
    "osSKU": "2021-03-01",
    "scaleDownMode": "2021-07-01",
    "securityProfile": "2024-02-02",
    "status": "2024-10-02",
    "upgradeSettings": "2020-09-01",
}
# Shown by preview versions alone.
PREVIEW_CLUSTER = ("properties.networkProfile.podLinkLocalAccess", "properties.storageProfile.diskCSIDriver.version")
PREVIEW_POOL = ("securityProfile.sshAccess", "upgradeStrategy", "workloadRuntime")
SSH_ACCESS_SINCE = "2025-10-01"


def public(value: Any) -> Any:
    """Return a document without what is the simulator's own: keys that begin with an underscore."""
    if isinstance(value, dict):
        return {key: public(item) for key, item in value.items() if not key.startswith("_")}
    return [public(item) for item in value] if isinstance(value, list) else value


def date(api_version: str) -> str:
    return api_version[:10]


def drop(body: dict[str, Any], path: str) -> None:
    """Remove a dotted path from a body, where it is there."""
    *parents, last = path.split(".")
    for name in parents:
        body = body.get(name) or {}
    body.pop(last, None)


def pool(properties: dict[str, Any], api_version: str) -> dict[str, Any]:
    """Return a pool's properties as an API version knows them."""
    shown: dict[str, Any] = public(properties)
    since = date(api_version)
    for path, first in POOL.items():
        if since < first:
            drop(shown, path)
    if "preview" not in api_version:
        for path in PREVIEW_POOL:
            if path != "securityProfile.sshAccess" or since < SSH_ACCESS_SINCE:
                drop(shown, path)
    elif since >= "2024-01-02":
        shown.setdefault("networkProfile", {})
    return shown


def cluster(body: dict[str, Any], api_version: str) -> dict[str, Any]:
    """Return a cluster's body, without its pools, as an API version knows it."""
    shown: dict[str, Any] = public(body)
    since = date(api_version)
    for path, first in CLUSTER.items():
        if since < first:
            drop(shown, path)
    if "preview" not in api_version:
        for path in PREVIEW_CLUSTER:
            drop(shown, path)
    if since < "2023-01-02" and (shown.get("sku") or {}).get("name") == "Base":
        shown["sku"]["name"] = "Basic"
    return shown
