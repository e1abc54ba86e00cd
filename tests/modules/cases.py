# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that has a life to be tried."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from modules.harness import Case, Mutation

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


def pool(**options: object) -> dict[str, object]:
    return {"agent_pool_profiles": [{**POOL, **options}]}


def profile(name: str, **options: object) -> dict[str, object]:
    return {name: options}


def network(**options: object) -> dict[str, object]:
    return profile("network_profile", **options)


POOLS = "properties.agentPoolProfiles"
CASES = [
    Case(
        "aks_cluster",
        CLUSTER,
        setup=[("resource_group", GROUP)],
        mutations=[
            Mutation({"tags": {"team": "tea"}}, {"tags"}),
            Mutation({"tags": {"cost": "1"}}, {"tags"}),
            Mutation({"sku": {"tier": "Standard"}}, {"sku.tier"}),
            Mutation(pool(max_count=5), {f"{POOLS}[system].maxCount"}),
            Mutation(pool(max_count=5, node_labels={"a": "b"}), {f"{POOLS}[system].nodeLabels"}),
            Mutation(
                {"agent_pool_profiles": [{"name": "user", "count": 2, "node_taints": ["a=b:NoSchedule"]}]},
                {f"{POOLS}[user]"},
            ),
            Mutation(
                {"agent_pool_profiles": [{"name": "user", "count": 1, "upgrade_settings": {"max_surge": "33%"}}]},
                {f"{POOLS}[user].count", f"{POOLS}[user].upgradeSettings.maxSurge"},
            ),
            Mutation(profile("auto_scaler_profile", expander="least-waste"), {"properties.autoScalerProfile.expander"}),
            Mutation(
                profile("api_server_access_profile", authorized_ip_ranges=["192.0.2.0/24"]),
                {"properties.apiServerAccessProfile.authorizedIPRanges"},
            ),
            Mutation(profile("oidc_issuer_profile", enabled=True), {"properties.oidcIssuerProfile.enabled"}),
            Mutation(
                profile("security_profile", workload_identity={"enabled": True}),
                {"properties.securityProfile.workloadIdentity.enabled"},
            ),
            Mutation(
                profile(
                    "addon_profiles",
                    azure_keyvault_secrets_provider={"enabled": True, "enable_secret_rotation": True},
                ),
                {"properties.addonProfiles.azureKeyvaultSecretsProvider"},
            ),
            Mutation(
                profile("addon_profiles", azure_policy={"enabled": True}), {"properties.addonProfiles.azurepolicy"}
            ),
            Mutation(
                profile("service_mesh_profile", mode="Istio", revisions=["asm-1-26"]), {"properties.serviceMeshProfile"}
            ),
            Mutation(
                profile("service_mesh_profile", ingress_gateways=[{"mode": "External", "enabled": True}]),
                {"properties.serviceMeshProfile.istio.components.ingressGateways"},
            ),
            Mutation(
                profile("ingress_profile", gateway_api="Standard"),
                {"properties.ingressProfile.gatewayAPI.installation"},
            ),
            Mutation(
                profile("workload_auto_scaler_profile", keda={"enabled": True}),
                {"properties.workloadAutoScalerProfile.keda.enabled"},
            ),
            Mutation(
                profile("workload_auto_scaler_profile", vertical_pod_autoscaler={"enabled": True}),
                {"properties.workloadAutoScalerProfile.verticalPodAutoscaler.enabled"},
            ),
            Mutation(
                profile("auto_upgrade_profile", upgrade_channel="patch"),
                {"properties.autoUpgradeProfile.upgradeChannel"},
            ),
            Mutation(
                network(load_balancer_profile={"managed_outbound_ips": {"count": 2}}),
                {"properties.networkProfile.loadBalancerProfile.managedOutboundIPs.count"},
            ),
            Mutation(profile("aad_profile", managed=True, enable_azure_rbac=True), {"properties.aadProfile"}),
            Mutation({"disable_local_accounts": True}, {"properties.disableLocalAccounts"}),
            Mutation({"kubernetes_version": "1.37"}, {"properties.kubernetesVersion"}),
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
    ),
]
for letter in "abc":
    if find_spec(f"modules.cases_{letter}"):
        CASES += import_module(f"modules.cases_{letter}").CASES
