# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of an AKS cluster, with all that any cluster can change."""

from __future__ import annotations

from modules.harness import Case, Mutation
from simulator.simulator import SUBSCRIPTION

GROUP = {"name": "tea", "location": "westeurope"}
POOL = {
    "name": "system",
    "mode": "System",
    "vm_size": "Standard_DS3_v2",
    "enable_auto_scaling": True,
    "min_count": 1,
    "max_count": 3,
}
CLUSTER = {
    "resource_group": "tea",
    "name": "pot",
    "location": "westeurope",
    "kubernetes_version": "1.36",
    "agent_pool_profiles": [POOL],
}
PROVIDERS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/tea/providers"


def there(kind: str, name: str) -> str:
    """Return the id of something in the group."""
    return f"{PROVIDERS}/{kind}/{name}"


def pool(**options: object) -> dict[str, object]:
    return {"agent_pool_profiles": [{**POOL, **options}]}


def user(**options: object) -> dict[str, object]:
    """Name a second pool."""
    return {"agent_pool_profiles": [{"name": "user", **options}]}


def profile(name: str, **options: object) -> dict[str, object]:
    return {name: options}


def network(**options: object) -> dict[str, object]:
    return profile("network_profile", **options)


def of_pool(path: str, **options: object) -> Mutation:
    """Change the pool of the system, by one of its properties."""
    return Mutation(pool(max_count=5, **options), {f"{POOLS}[system].{path}"})


def of_network(path: str, **options: object) -> Mutation:
    return Mutation(network(**options), {f"properties.networkProfile.{path}"})


def of_balancer(path: str, **options: object) -> Mutation:
    return of_network(f"loadBalancerProfile.{path}", load_balancer_profile=options)


def of_profile(path: str, name: str, **options: object) -> Mutation:
    return Mutation(profile(name, **options), {f"properties.{path}"})


def of_addon(path: str, name: str, **options: object) -> Mutation:
    return of_profile(f"addonProfiles.{path}", "addon_profiles", **{name: {"enabled": True, **options}})


def switched(path: str, name: str, part: str, *, enabled: bool = True) -> Mutation:
    return of_profile(f"{path}.enabled", name, **{part: {"enabled": enabled}})


POOLS = "properties.agentPoolProfiles"
POOL_MUTATIONS = [
    Mutation(pool(max_count=5), {f"{POOLS}[system].maxCount"}),
    of_pool("nodeLabels", node_labels={"a": "b"}),
    of_pool("tags", tags={"leaf": "green"}),
    of_pool("scaleDownMode", scale_down_mode="Deallocate"),
    of_pool("osSKU", os_sku="AzureLinux"),
    of_pool("enableFIPS", enable_fips=True),
    of_pool("upgradeSettings.maxSurge", upgrade_settings={"max_surge": "33%"}),
    # Azure takes one of the two, and so the other has to be 0.
    Mutation(
        pool(max_count=5, upgrade_settings={"max_surge": "0", "max_unavailable": "25%"}),
        {f"{POOLS}[system].upgradeSettings.maxSurge", f"{POOLS}[system].upgradeSettings.maxUnavailable"},
    ),
    of_pool("upgradeSettings.drainTimeoutInMinutes", upgrade_settings={"drain_timeout_in_minutes": 45}),
    of_pool("upgradeSettings.nodeSoakDurationInMinutes", upgrade_settings={"node_soak_duration_in_minutes": 5}),
    Mutation(user(count=2, node_taints=["a=b:NoSchedule"]), {f"{POOLS}[user]"}),
    Mutation(user(count=1), {f"{POOLS}[user].count"}),
    Mutation(user(node_taints=[]), {f"{POOLS}[user].nodeTaints"}),
    Mutation(user(mode="System"), {f"{POOLS}[user].mode"}),
    Mutation(user(mode="User"), {f"{POOLS}[user].mode"}),
    # It is nothing without its bounds.
    Mutation(
        user(enable_auto_scaling=True, min_count=1, max_count=3),
        {f"{POOLS}[user].{name}" for name in ("enableAutoScaling", "minCount", "maxCount")},
    ),
    Mutation(user(min_count=2), {f"{POOLS}[user].minCount"}),
    Mutation(user(enable_auto_scaling=False), {f"{POOLS}[user].enableAutoScaling"}),
]
AUTOSCALER: dict[str, object] = {
    "balance_similar_node_groups": "true",
    "daemonset_eviction_for_empty_nodes": True,
    "daemonset_eviction_for_occupied_nodes": False,
    "expander": "least-waste",
    "ignore_daemonsets_utilization": True,
    "max_empty_bulk_delete": "20",
    "max_graceful_termination_sec": "300",
    "max_node_provision_time": "20m",
    "max_total_unready_percentage": "50",
    "new_pod_scale_up_delay": "10s",
    "ok_total_unready_count": "5",
    "scale_down_delay_after_add": "15m",
    "scale_down_delay_after_delete": "20s",
    "scale_down_delay_after_failure": "5m",
    "scale_down_unneeded_time": "5m",
    "scale_down_unready_time": "30m",
    "scale_down_utilization_threshold": "0.4",
    "scan_interval": "20s",
    "skip_nodes_with_local_storage": "true",
    "skip_nodes_with_system_pods": "false",
}
AUTOSCALER_MUTATIONS = [
    of_profile(f"autoScalerProfile.{name.replace('_', '-')}", "auto_scaler_profile", **{name: value})
    for name, value in AUTOSCALER.items()
]
VAULTS, MONITOR = "azure_keyvault_secrets_provider", "omsagent"
ADDON_MUTATIONS = [
    of_addon("azureKeyvaultSecretsProvider", VAULTS),
    of_addon("azureKeyvaultSecretsProvider.config.enableSecretRotation", VAULTS, enable_secret_rotation=True),
    of_addon("azureKeyvaultSecretsProvider.config.rotationPollInterval", VAULTS, rotation_poll_interval="5m"),
    of_addon("azurepolicy", "azure_policy"),
    # It is nothing without a workspace.
    of_addon(
        "omsagent",
        MONITOR,
        log_analytics_workspace_resource_id=there("Microsoft.OperationalInsights/workspaces", "leaves"),
    ),
    of_addon("omsagent.config.useAADAuth", MONITOR, use_aad_auth=True),
    Mutation(
        profile("addon_profiles", omsagent={"enabled": False}),
        {"properties.addonProfiles.omsagent.enabled"},
    ),
]
INGRESS = "ingress_profile"
FEATURE_MUTATIONS = [
    of_profile("oidcIssuerProfile.enabled", "oidc_issuer_profile", enabled=True),
    switched("securityProfile.workloadIdentity", "security_profile", "workload_identity"),
    switched("securityProfile.imageCleaner", "security_profile", "image_cleaner"),
    of_profile(
        "securityProfile.imageCleaner.intervalHours",
        "security_profile",
        image_cleaner={"enabled": True, "interval_hours": 48},
    ),
    of_profile("serviceMeshProfile", "service_mesh_profile", mode="Istio", revisions=["asm-1-26"]),
    of_profile("serviceMeshProfile.istio.revisions", "service_mesh_profile", revisions=["asm-1-26", "asm-1-27"]),
    of_profile(
        "serviceMeshProfile.istio.components.ingressGateways",
        "service_mesh_profile",
        ingress_gateways=[{"mode": "External", "enabled": True}],
    ),
    of_profile("ingressProfile.gatewayAPI.installation", INGRESS, gateway_api="Standard"),
    switched("ingressProfile.webAppRouting", INGRESS, "web_app_routing"),
    of_profile(
        "ingressProfile.webAppRouting.dnsZoneResourceIds",
        INGRESS,
        web_app_routing={"enabled": True, "dns_zone_resource_ids": [there("Microsoft.Network/dnsZones", "tea.test")]},
    ),
    of_profile(
        "ingressProfile.webAppRouting.gatewayAPIImplementations.appRoutingIstio.mode",
        INGRESS,
        web_app_routing={"enabled": True, "gateway_api_implementation": "Enabled"},
    ),
    switched("workloadAutoScalerProfile.keda", "workload_auto_scaler_profile", "keda"),
    switched(
        "workloadAutoScalerProfile.verticalPodAutoscaler", "workload_auto_scaler_profile", "vertical_pod_autoscaler"
    ),
    of_profile("autoUpgradeProfile.upgradeChannel", "auto_upgrade_profile", upgrade_channel="patch"),
    of_profile(
        "autoUpgradeProfile.nodeOSUpgradeChannel", "auto_upgrade_profile", node_os_upgrade_channel="SecurityPatch"
    ),
    switched("storageProfile.blobCSIDriver", "storage_profile", "blob_csi_driver"),
    switched("storageProfile.diskCSIDriver", "storage_profile", "disk_csi_driver", enabled=False),
    switched("storageProfile.fileCSIDriver", "storage_profile", "file_csi_driver", enabled=False),
    switched("storageProfile.snapshotController", "storage_profile", "snapshot_controller", enabled=False),
]
ACCESS = "api_server_access_profile"
GROUPS, TENANT = ["8b5d9c1e-0000-4000-8000-000000000001"], "8b5d9c1e-0000-4000-8000-000000000002"
ACCESS_MUTATIONS = [
    of_profile("apiServerAccessProfile.authorizedIPRanges", ACCESS, authorized_ip_ranges=["192.0.2.0/24"]),
    of_profile("aadProfile", "aad_profile", managed=True),
    of_profile("aadProfile.enableAzureRBAC", "aad_profile", enable_azure_rbac=True),
    of_profile("aadProfile.adminGroupObjectIDs", "aad_profile", admin_group_object_ids=GROUPS),
    of_profile("aadProfile.tenantID", "aad_profile", tenant_id=TENANT),
    Mutation({"disable_local_accounts": True}, {"properties.disableLocalAccounts"}),
]
NETWORK_MUTATIONS = [
    of_balancer("managedOutboundIPs.count", managed_outbound_ips={"count": 2}),
    of_balancer("allocatedOutboundPorts", allocated_outbound_ports=1024),
    of_balancer("idleTimeoutInMinutes", idle_timeout_in_minutes=10),
    of_balancer("backendPoolType", backend_pool_type="NodeIP"),
]
CASES = [
    Case(
        "aks_cluster",
        CLUSTER,
        setup=[("resource_group", GROUP)],
        mutations=[
            Mutation({"tags": {"team": "tea"}}, {"tags"}),
            Mutation({"tags": {"cost": "1"}}, {"tags"}),
            Mutation({"sku": {"tier": "Standard"}}, {"sku.tier"}),
            *POOL_MUTATIONS,
            *AUTOSCALER_MUTATIONS,
            *ADDON_MUTATIONS,
            *FEATURE_MUTATIONS,
            *ACCESS_MUTATIONS,
            *NETWORK_MUTATIONS,
            Mutation({"kubernetes_version": "1.37"}, {"properties.kubernetesVersion"}),
            of_pool("orchestratorVersion", orchestrator_version="1.37"),
            Mutation(
                {"sku": {"tier": "Premium"}, "support_plan": "AKSLongTermSupport"},
                {"sku.tier", "properties.supportPlan"},
            ),
            Mutation({"state": "stopped"}, {"properties.powerState.code"}),
            Mutation({"state": "started"}, {"properties.powerState.code"}),
        ],
        immutable=[
            ({"location": "northeurope"}, "moves nothing to another region"),
            (
                pool(vm_size="Standard_D4s_v5"),
                r"agent_pool_profiles\[system\]\.vm_size is .*Make a pool of another name",
            ),
            ({"dns_prefix": "other"}, "cannot be changed"),
        ],
    )
]
