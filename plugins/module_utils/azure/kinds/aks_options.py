# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of AKS clusters."""

from __future__ import annotations

from typing import Any

from ..kind import LOCATION, TAGS
from ..options import Option, same_text
from .aks_pool import POOL_OPTIONS, same_version

NEW_CLUSTER = "Make another cluster, or delete this one first."


def ids_below(name: str) -> dict[str, Any]:
    """Return the spelling of a list of ids, which at Azure are objects with an id, in a list below a name."""
    return {
        "write": lambda ids: {name: [{"id": each} for each in ids]},
        "read": lambda found: [each["id"] for each in (found or {}).get(name) or ()],
    }


def lower_text(value: Any) -> str:
    """Azure's own spelling of a truth value in a text."""
    return str(value).lower() if isinstance(value, bool) or value in ("True", "False") else str(value)


def addon(name: str, **config: Option) -> Option:
    """Return the option of an add-on, which is switched on or off, and has settings that are all texts."""
    return Option("dict", azure=f"addonProfiles.{name}", options={"enabled": Option("bool", required=True), **config})


def setting(name: str, kind: str = "str") -> Option:
    """Return the option of a setting of an add-on."""
    return Option(kind, azure=f"config.{name}", write=lower_text, read=str, same=same_text)


AUTOSCALER = (
    "balance_similar_node_groups",
    "expander",
    "max_empty_bulk_delete",
    "max_graceful_termination_sec",
    "max_node_provision_time",
    "max_total_unready_percentage",
    "new_pod_scale_up_delay",
    "ok_total_unready_count",
    "scale_down_delay_after_add",
    "scale_down_delay_after_delete",
    "scale_down_delay_after_failure",
    "scale_down_unneeded_time",
    "scale_down_unready_time",
    "scale_down_utilization_threshold",
    "scan_interval",
    "skip_nodes_with_local_storage",
    "skip_nodes_with_system_pods",
)
AUTOSCALER_SWITCHES = (
    "daemonset_eviction_for_empty_nodes",
    "daemonset_eviction_for_occupied_nodes",
    "ignore_daemonsets_utilization",
)
LOAD_BALANCER: dict[str, Option] = {
    "managed_outbound_ips": Option(
        "dict",
        azure="managedOutboundIPs",
        options={"count": Option("int"), "count_ipv6": Option("int", azure="countIPv6", absent=(0,))},
    ),
    "outbound_ips": Option("list", azure="outboundIPs", **ids_below("publicIPs")),
    "outbound_ip_prefixes": Option("list", azure="outboundIPPrefixes", **ids_below("publicIPPrefixes")),
    "allocated_outbound_ports": Option("int", absent=(0,)),
    "idle_timeout_in_minutes": Option("int"),
    "backend_pool_type": Option(choices=("NodeIPConfiguration", "NodeIP")),
}
NETWORK: dict[str, Option] = {
    "network_plugin": Option(choices=("azure", "kubenet", "none")),
    "network_plugin_mode": Option(choices=("overlay",)),
    "network_policy": Option(choices=("azure", "calico", "cilium", "none"), absent=("none",)),
    "network_dataplane": Option(choices=("azure", "cilium"), absent=("azure",)),
    "pod_cidr": Option(),
    "service_cidr": Option(immutable=NEW_CLUSTER),
    "dns_service_ip": Option(azure="dnsServiceIP", immutable=NEW_CLUSTER),
    "ip_families": Option("list", immutable=NEW_CLUSTER),
    "load_balancer_sku": Option(choices=("standard", "basic"), immutable=NEW_CLUSTER),
    "outbound_type": Option(
        choices=(
            "loadBalancer", "userDefinedRouting", "managedNATGateway", "userAssignedNATGateway", "none",
        )
    ),
    "load_balancer_profile": Option("dict", options=LOAD_BALANCER),
    "nat_gateway_profile": Option(
        "dict",
        options={
            "managed_outbound_ip_count": Option("int", azure="managedOutboundIPProfile.count"),
            "idle_timeout_in_minutes": Option("int"),
        },
    ),
}  # fmt: skip
ENABLED: dict[str, Option] = {"enabled": Option("bool", required=True)}
OPTIONS: dict[str, Option] = {
    "resource_group": Option(azure="-", required=True),
    "name": Option(azure="-", required=True),
    "location": LOCATION,
    **TAGS,
    "sku": Option(
        "dict",
        options={
            "name": Option(choices=("Base", "Automatic"), immutable=NEW_CLUSTER),
            "tier": Option(choices=("Free", "Standard", "Premium")),
        },
    ),
    "support_plan": Option(
        azure="properties.supportPlan",
        choices=("KubernetesOfficial", "AKSLongTermSupport"),
        absent=("KubernetesOfficial",),
    ),
    "kubernetes_version": Option(azure="properties.kubernetesVersion", same=same_version),
    "dns_prefix": Option(azure="properties.dnsPrefix", immutable=NEW_CLUSTER),
    "fqdn_subdomain": Option(azure="properties.fqdnSubdomain", immutable=NEW_CLUSTER),
    "node_resource_group": Option(azure="properties.nodeResourceGroup", immutable=NEW_CLUSTER),
    "enable_rbac": Option("bool", azure="properties.enableRBAC", immutable=NEW_CLUSTER),
    "disable_local_accounts": Option("bool", azure="properties.disableLocalAccounts"),
    "identity": Option(
        "dict",
        options={
            "type": Option(choices=("SystemAssigned", "UserAssigned", "None")),
            "user_assigned_identities": Option("list", write=lambda ids: {each: {} for each in ids}, read=list),
        },
    ),
    "kubelet_identity": Option(azure="properties.identityProfile.kubeletidentity.resourceId", immutable=NEW_CLUSTER),
    "agent_pool_profiles": Option("list", azure="properties.agentPoolProfiles", options=POOL_OPTIONS, key="name"),
    "auto_scaler_profile": Option(
        "dict",
        azure="properties.autoScalerProfile",
        options={
            **{name: Option(azure=name.replace("_", "-"), write=lower_text, read=str) for name in AUTOSCALER},
            **{name: Option("bool", azure=name.replace("_", "-")) for name in AUTOSCALER_SWITCHES},
        },
    ),
    "network_profile": Option("dict", azure="properties.networkProfile", options=NETWORK),
    "api_server_access_profile": Option(
        "dict",
        azure="properties.apiServerAccessProfile",
        options={
            "authorized_ip_ranges": Option("list", azure="authorizedIPRanges"),
            "enable_private_cluster": Option("bool", immutable=NEW_CLUSTER),
            "enable_private_cluster_public_fqdn": Option("bool", azure="enablePrivateClusterPublicFQDN"),
            "private_dns_zone": Option(azure="privateDNSZone", immutable=NEW_CLUSTER),
            "enable_vnet_integration": Option("bool"),
            "subnet_id": Option(immutable=NEW_CLUSTER),
        },
    ),
    "aad_profile": Option(
        "dict",
        azure="properties.aadProfile",
        options={
            "managed": Option("bool"),
            "enable_azure_rbac": Option("bool", azure="enableAzureRBAC"),
            "admin_group_object_ids": Option("list", azure="adminGroupObjectIDs"),
            "tenant_id": Option(azure="tenantID"),
        },
    ),
    "oidc_issuer_profile": Option("dict", azure="properties.oidcIssuerProfile", options=ENABLED),
    "security_profile": Option(
        "dict",
        azure="properties.securityProfile",
        options={
            "workload_identity": Option("dict", options=ENABLED),
            "image_cleaner": Option("dict", options={**ENABLED, "interval_hours": Option("int")}),
        },
    ),
    "addon_profiles": Option(
        "dict",
        azure="properties",
        options={
            "azure_keyvault_secrets_provider": addon(
                "azureKeyvaultSecretsProvider",
                enable_secret_rotation=setting("enableSecretRotation", "bool"),
                rotation_poll_interval=setting("rotationPollInterval"),
            ),
            "azure_policy": addon("azurepolicy"),
            "omsagent": addon(
                "omsagent",
                log_analytics_workspace_resource_id=setting("logAnalyticsWorkspaceResourceID"),
                use_aad_auth=setting("useAADAuth", "bool"),
            ),
        },
    ),
    "service_mesh_profile": Option(
        "dict",
        azure="properties.serviceMeshProfile",
        options={
            "mode": Option(choices=("Istio", "Disabled"), absent=("Disabled",)),
            "revisions": Option("list", azure="istio.revisions"),
            "ingress_gateways": Option(
                "list",
                azure="istio.components.ingressGateways",
                key="mode",
                options={
                    "mode": Option(choices=("External", "Internal"), required=True),
                    **ENABLED,
                },
            ),
        },
    ),
    "ingress_profile": Option(
        "dict",
        azure="properties.ingressProfile",
        options={
            "gateway_api": Option(
                choices=("Disabled", "Standard"), azure="gatewayAPI.installation", absent=("Disabled",)
            ),
            "web_app_routing": Option(
                "dict",
                options={
                    **ENABLED,
                    "dns_zone_resource_ids": Option("list"),
                    "gateway_api_implementation": Option(
                        choices=("Disabled", "Enabled"),
                        azure="gatewayAPIImplementations.appRoutingIstio.mode",
                        absent=("Disabled",),
                    ),
                },
            ),
        },
    ),
    "workload_auto_scaler_profile": Option(
        "dict",
        azure="properties.workloadAutoScalerProfile",
        options={"keda": Option("dict", options=ENABLED), "vertical_pod_autoscaler": Option("dict", options=ENABLED)},
    ),
    "auto_upgrade_profile": Option(
        "dict",
        azure="properties.autoUpgradeProfile",
        options={
            "upgrade_channel": Option(choices=("rapid", "stable", "patch", "node-image", "none"), absent=("none",)),
            "node_os_upgrade_channel": Option(
                azure="nodeOSUpgradeChannel", choices=("None", "Unmanaged", "NodeImage", "SecurityPatch")
            ),
        },
    ),
    "storage_profile": Option(
        "dict",
        azure="properties.storageProfile",
        options={
            "blob_csi_driver": Option("dict", azure="blobCSIDriver", options=ENABLED),
            "disk_csi_driver": Option(
                "dict", azure="diskCSIDriver", options={"enabled": Option("bool", required=True, absent=(True,))}
            ),
            "file_csi_driver": Option(
                "dict", azure="fileCSIDriver", options={"enabled": Option("bool", required=True, absent=(True,))}
            ),
            "snapshot_controller": Option("dict", options={"enabled": Option("bool", required=True, absent=(True,))}),
        },
    ),
    "linux_profile": Option(
        "dict",
        azure="properties.linuxProfile",
        options={
            "admin_username": Option(required=True, immutable=NEW_CLUSTER),
            "ssh_public_keys": Option(
                "list",
                azure="ssh.publicKeys",
                write=lambda keys: [{"keyData": each} for each in keys],
                read=lambda found: [each["keyData"] for each in found],
                immutable=NEW_CLUSTER,
                no_log=False,
            ),
        },
    ),
}
