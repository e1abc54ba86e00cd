#!/usr/bin/python
# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aks_cluster
short_description: Manage an AKS cluster
description:
  - Creates, changes, starts, stops or deletes an AKS cluster, with the node pools that the task lists.
  - What the task does not name is left as it is, node pools and settings that were made elsewhere among them.
  - Where the cluster is being changed, the module waits for that first. A cluster whose last operation failed or was
    cancelled is sent again.
  - A registry is attached by a role, as Azure does it - give the kubelet's identity (RV(resource)) C(AcrPull) on the
    registry with M(matcha.mlops.role_assignment).
version_added: 0.1.0
author: Matcha contributors (@matcha-mlops)
extends_documentation_fragment:
  - matcha.mlops.attributes
  - matcha.mlops.azure
  - matcha.mlops.azure.wait
  - matcha.mlops.azure.tags
  - matcha.mlops.agent_pool.profiles
  - matcha.mlops.fence
requirements:
  - azure-mgmt-containerservice >= 41.0.0
options:
  state:
    description:
      - V(present) leaves the cluster running or stopped, as it is. V(started) and V(stopped) make it so too.
      - Azure changes nothing on a stopped cluster. V(started) starts it first.
    type: str
    choices: [present, absent, started, stopped]
    default: present
  resource_group:
    description:
      - Resource group of the cluster.
    type: str
    required: true
  name:
    description:
      - Name of the cluster.
    type: str
    required: true
  location:
    description:
      - Region. Needed for a new cluster. Immutable.
    type: str
  sku:
    description:
      - Price tier of the control plane.
    type: dict
    suboptions:
      name:
        description:
          - V(Automatic) leaves nodes to Azure. Immutable.
        type: str
        choices: [Base, Automatic]
      tier:
        description:
          - V(Standard) comes with an uptime guarantee, V(Premium) with long-term support too.
        type: str
        choices: [Free, Standard, Premium]
  support_plan:
    description:
      - For how long a version is supported. V(AKSLongTermSupport) needs the tier V(Premium).
    type: str
    choices: [KubernetesOfficial, AKSLongTermSupport]
  kubernetes_version:
    description:
      - Version of Kubernetes; C(1.36) is any of its patch releases. Azure's own default if left out.
      - There is no way back to an older one.
    type: str
  dns_prefix:
    description:
      - Beginning of the API server's name. The cluster's name if left out. Immutable.
    type: str
  fqdn_subdomain:
    description:
      - Beginning of the API server's name in a private DNS zone of your own, in place of O(dns_prefix). Immutable.
    type: str
  node_resource_group:
    description:
      - Resource group that AKS makes for the nodes. Immutable.
    type: str
  enable_rbac:
    description:
      - Whether Kubernetes checks roles. Azure does so if left out. Immutable.
    type: bool
  disable_local_accounts:
    description:
      - Whether the cluster has no admin credential, so that everybody signs in with Entra ID.
    type: bool
  identity:
    description:
      - Identity of the control plane. A new cluster has one that Azure makes if left out.
    type: dict
    suboptions:
      type:
        description:
          - Who makes and keeps the identity.
        type: str
        choices: [SystemAssigned, UserAssigned, None]
      user_assigned_identities:
        description:
          - Id of the identity, for V(UserAssigned).
        type: list
        elements: str
  kubelet_identity:
    description:
      - Id of a user-assigned identity for the nodes. Azure makes one if left out. Immutable.
    type: str
  auto_scaler_profile:
    description:
      - Settings of the autoscaler, for all pools. Times are texts such as C(10m), as are most numbers and truth values.
    type: dict
    suboptions:
      balance_similar_node_groups: {description: Keep similar pools of the same size., type: str}
      daemonset_eviction_for_empty_nodes: {description: Evict pods of daemon sets from empty nodes., type: bool}
      daemonset_eviction_for_occupied_nodes: {description: Evict pods of daemon sets from other nodes., type: bool}
      expander: {description: 'Which pool grows - C(least-waste), C(most-pods), C(priority) or C(random).', type: str}
      ignore_daemonsets_utilization: {description: Leave daemon sets out of a node's load., type: bool}
      max_empty_bulk_delete: {description: Most empty nodes that are removed at once., type: str}
      max_graceful_termination_sec: {description: Seconds that a pod has to end., type: str}
      max_node_provision_time: {description: How long a node may take to come., type: str}
      max_total_unready_percentage: {description: Percentage of unready nodes at which it stops to act., type: str}
      new_pod_scale_up_delay: {description: Age of a pod before nodes are added for it., type: str}
      ok_total_unready_count: {description: Number of unready nodes that does not matter., type: str}
      scale_down_delay_after_add: {description: Pause after a node was added., type: str}
      scale_down_delay_after_delete: {description: Pause after a node was removed., type: str}
      scale_down_delay_after_failure: {description: Pause after a removal failed., type: str}
      scale_down_unneeded_time: {description: How long a node is not needed before it is removed., type: str}
      scale_down_unready_time: {description: How long a node is unready before it is removed., type: str}
      scale_down_utilization_threshold: {description: 'Load below which a node is not needed, from 0 to 1.', type: str}
      scan_interval: {description: How often it looks., type: str}
      skip_nodes_with_local_storage: {description: Leave nodes whose pods have local storage., type: str}
      skip_nodes_with_system_pods: {description: Leave nodes with pods of the system., type: str}
  network_profile:
    description:
      - Network of the cluster.
    type: dict
    suboptions:
      network_plugin:
        description:
          - Network plugin. With O(network_profile.network_plugin_mode=overlay) pods have addresses of their own.
          - Azure changes V(kubenet) to V(azure) together with the overlay alone, and makes no other change.
        type: str
        choices: [azure, kubenet, none]
      network_plugin_mode:
        description:
          - Mode of the plugin. Azure does not leave the overlay again.
        type: str
        choices: [overlay]
      network_policy:
        description:
          - What enforces network policies.
        type: str
        choices: [azure, calico, cilium, none]
      network_dataplane:
        description:
          - What carries the traffic.
        type: str
        choices: [azure, cilium]
      pod_cidr:
        description:
          - Addresses of pods. Azure only widens them, and those of the overlay alone.
        type: str
      service_cidr:
        description:
          - Addresses of services. Immutable.
        type: str
      dns_service_ip:
        description:
          - Address of the cluster's DNS, within O(network_profile.service_cidr). Immutable.
        type: str
      ip_families:
        description:
          - C(IPv4), or C(IPv4) and C(IPv6). Immutable.
        type: list
        elements: str
      load_balancer_sku:
        description:
          - Kind of the load balancer. Immutable.
        type: str
        choices: [standard, basic]
      outbound_type:
        description:
          - How traffic leaves the cluster.
        type: str
        choices: [loadBalancer, userDefinedRouting, managedNATGateway, userAssignedNATGateway, none]
      load_balancer_profile:
        description:
          - Load balancer for traffic that leaves the cluster.
          - It has one kind of outbound addresses; the kind that the task names takes the place of another.
        type: dict
        suboptions:
          managed_outbound_ips:
            description:
              - Addresses that AKS makes.
            type: dict
            suboptions:
              count:
                description: Number of addresses.
                type: int
              count_ipv6:
                description: Number of IPv6 addresses.
                type: int
          outbound_ips:
            description:
              - Ids of public addresses of your own, such as one of M(matcha.mlops.public_ip_address).
            type: list
            elements: str
          outbound_ip_prefixes:
            description:
              - Ids of prefixes of your own.
            type: list
            elements: str
          allocated_outbound_ports:
            description:
              - Ports for each node; 0 leaves it to Azure.
            type: int
          idle_timeout_in_minutes:
            description:
              - How long an idle connection is kept.
            type: int
          backend_pool_type:
            description:
              - How nodes are known to the load balancer.
            type: str
            choices: [NodeIPConfiguration, NodeIP]
      nat_gateway_profile:
        description:
          - NAT gateway for traffic that leaves the cluster.
        type: dict
        suboptions:
          managed_outbound_ip_count:
            description: Number of addresses that AKS makes.
            type: int
          idle_timeout_in_minutes:
            description: How long an idle connection is kept.
            type: int
  api_server_access_profile:
    description:
      - Who can reach the API server.
    type: dict
    suboptions:
      authorized_ip_ranges:
        description:
          - Addresses that may; an empty list means all.
        type: list
        elements: str
      enable_private_cluster:
        description:
          - Whether it has an address in your network only. Immutable.
        type: bool
      enable_private_cluster_public_fqdn:
        description:
          - Whether a private cluster has a name in public DNS.
        type: bool
      private_dns_zone:
        description:
          - C(system), C(none), or the id of a private DNS zone. Immutable.
        type: str
      enable_vnet_integration:
        description:
          - Whether the API server is in your network itself. Azure does not switch it off again.
        type: bool
      subnet_id:
        description:
          - Id of the API server's subnet. Immutable.
        type: str
  aad_profile:
    description:
      - Sign-in with Entra ID.
    type: dict
    suboptions:
      managed:
        description: Whether Azure manages the integration.
        type: bool
      enable_azure_rbac:
        description: Whether Azure's roles give rights in Kubernetes.
        type: bool
      admin_group_object_ids:
        description: Object ids of the groups whose members are administrators.
        type: list
        elements: str
      tenant_id:
        description: Tenant of the users.
        type: str
  oidc_issuer_profile:
    description:
      - Issuer of tokens for service accounts, which workload identity needs. It cannot be switched off again.
    type: dict
    suboptions:
      enabled:
        description: Whether there is one.
        type: bool
        required: true
  security_profile:
    description:
      - Security features.
    type: dict
    suboptions:
      workload_identity:
        description: Workload identity.
        type: dict
        suboptions:
          enabled:
            description: Whether pods can sign in with Entra ID.
            type: bool
            required: true
      image_cleaner:
        description: Removal of unused images.
        type: dict
        suboptions:
          enabled:
            description: Whether they are removed.
            type: bool
            required: true
          interval_hours:
            description: How often.
            type: int
  addon_profiles:
    description:
      - Add-ons.
    type: dict
    suboptions:
      azure_keyvault_secrets_provider:
        description: Secrets from a Key Vault as volumes.
        type: dict
        suboptions:
          enabled:
            description: Whether it is there.
            type: bool
            required: true
          enable_secret_rotation:
            description: Whether a changed secret is fetched again.
            type: bool
          rotation_poll_interval:
            description: How often, such as C(2m).
            type: str
      azure_policy:
        description: Azure Policy in the cluster.
        type: dict
        suboptions:
          enabled:
            description: Whether it is there.
            type: bool
            required: true
      omsagent:
        description: Monitoring with a Log Analytics workspace.
        type: dict
        suboptions:
          enabled:
            description: Whether it is there.
            type: bool
            required: true
          log_analytics_workspace_resource_id:
            description: Id of the workspace.
            type: str
          use_aad_auth:
            description: Whether it signs in with Entra ID.
            type: bool
  service_mesh_profile:
    description:
      - Istio add-on.
    type: dict
    suboptions:
      mode:
        description: Whether it is there.
        type: str
        choices: [Istio, Disabled]
      revisions:
        description: Revisions of it, such as C(asm-1-26).
        type: list
        elements: str
      ingress_gateways:
        description: Gateways for traffic that comes in. One that is not listed stays.
        type: list
        elements: dict
        suboptions:
          mode:
            description: Whether it has a public address.
            type: str
            choices: [External, Internal]
            required: true
          enabled:
            description: Whether it is there.
            type: bool
            required: true
  ingress_profile:
    description:
      - What lets traffic in.
    type: dict
    suboptions:
      gateway_api:
        description: Whether AKS installs the resources of the Gateway API, and which channel of them.
        type: str
        choices: [Disabled, Standard]
      web_app_routing:
        description: App routing add-on.
        type: dict
        suboptions:
          enabled:
            description: Whether it is there.
            type: bool
            required: true
          dns_zone_resource_ids:
            description: Ids of the DNS zones that it writes to.
            type: list
            elements: str
          gateway_api_implementation:
            description: Whether it serves the Gateway API. It and the Istio add-on exclude each other.
            type: str
            choices: [Disabled, Enabled]
  workload_auto_scaler_profile:
    description:
      - Scalers of workloads.
    type: dict
    suboptions:
      keda:
        description: KEDA.
        type: dict
        suboptions:
          enabled:
            description: Whether it is there.
            type: bool
            required: true
      vertical_pod_autoscaler:
        description: Vertical pod autoscaler.
        type: dict
        suboptions:
          enabled:
            description: Whether it is there.
            type: bool
            required: true
  auto_upgrade_profile:
    description:
      - Upgrades that Azure makes by itself, in the windows of M(matcha.mlops.aks_maintenance_configuration).
    type: dict
    suboptions:
      upgrade_channel:
        description: Which versions of Kubernetes.
        type: str
        choices: [rapid, stable, patch, node-image, none]
      node_os_upgrade_channel:
        description: Which updates of the nodes' system.
        type: str
        choices: [None, Unmanaged, NodeImage, SecurityPatch]
  storage_profile:
    description:
      - Storage drivers.
    type: dict
    suboptions:
      blob_csi_driver:
        description: Driver for blobs.
        type: dict
        suboptions:
          enabled:
            description: Whether it is there.
            type: bool
            required: true
      disk_csi_driver:
        description: Driver for disks, there by default.
        type: dict
        suboptions:
          enabled:
            description: Whether it is there.
            type: bool
            required: true
      file_csi_driver:
        description: Driver for file shares, there by default.
        type: dict
        suboptions:
          enabled:
            description: Whether it is there.
            type: bool
            required: true
      snapshot_controller:
        description: Snapshots of volumes, there by default.
        type: dict
        suboptions:
          enabled:
            description: Whether it is there.
            type: bool
            required: true
  linux_profile:
    description:
      - Sign-in on Linux nodes.
    type: dict
    suboptions:
      admin_username:
        description: Name of the administrator. Immutable.
        type: str
        required: true
      ssh_public_keys:
        description: Public keys of the administrator. Immutable.
        type: list
        elements: str
"""

EXAMPLES = r"""
- name: Make a cluster that scales from one node to three
  matcha.mlops.aks_cluster:
    resource_group: matcha-resources
    name: matcha-k8s
    location: westeurope
    kubernetes_version: "1.36"
    agent_pool_profiles:
      - name: system
        mode: System
        vm_size: Standard_DS3_v2
        enable_auto_scaling: true
        min_count: 1
        max_count: 3
    oidc_issuer_profile:
      enabled: true
    security_profile:
      workload_identity:
        enabled: true

- name: Stop it for the night
  matcha.mlops.aks_cluster:
    resource_group: matcha-resources
    name: matcha-k8s
    state: stopped
"""

RETURN = r"""
resource:
  description:
    - The cluster as Azure answers it, in Azure's spelling. It holds no secret.
    - C(properties.identityProfile.kubeletidentity.objectId) is the principal of the nodes,
      C(properties.oidcIssuerProfile.issuerURL) the issuer for federated credentials.
  returned: if the cluster is there
  type: dict
failure:
  description: What Azure refused with - its code, its message, the HTTP status and the correlation id.
  returned: on failure
  type: dict
"""

from ..module_utils.azure.kinds.aks import AksCluster
from ..module_utils.azure.module import run_kind


def main() -> None:
    run_kind(AksCluster())


if __name__ == "__main__":
    main()
