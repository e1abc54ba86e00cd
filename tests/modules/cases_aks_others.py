# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lives of AKS clusters that begin otherwise: what they change, others cannot."""

from __future__ import annotations

from modules.cases_aks import ACCESS, CLUSTER, GROUP, network, of_balancer, of_network, of_profile, profile, there
from modules.harness import Case, Mutation
from simulator.providers.containerservice_checks import OUTBOUND

ABSENT = {"resource_group": "tea", "name": "pot"}
OWN_ADDRESS = there("Microsoft.Network/publicIPAddresses", "spout")
OWN_PREFIX = there("Microsoft.Network/publicIPPrefixes", "spouts")


def of_gateway(path: str, **options: object) -> Mutation:
    return of_network(f"natGatewayProfile.{path}", nat_gateway_profile=options)


def rewired(**options: object) -> Mutation:
    """Change what pods' addresses are, which Azure takes together with their list."""
    return Mutation(network(**options), {f"properties.networkProfile.{name}" for name in ("podCidr", "podCidrs")})


def addressed(**options: object) -> Mutation:
    """Change the kind of outbound addresses: a load balancer has one."""
    changes = {f"properties.networkProfile.loadBalancerProfile.{kind}" for kind in OUTBOUND}
    return Mutation(network(load_balancer_profile=options), changes)


def identity(kind: str, *names: str) -> dict[str, object]:
    ids = [there("Microsoft.ManagedIdentity/userAssignedIdentities", name) for name in names]
    return {"identity": {"type": kind, **({"user_assigned_identities": ids} if ids else {})}}


MIGRATED = Case(
    "aks_cluster",
    {**CLUSTER, **network(network_plugin="kubenet")},
    setup=[("resource_group", GROUP)],
    mutations=[
        of_network("networkPolicy", network_policy="calico"),
        of_network("networkPolicy", network_policy="none"),
        # Kubenet leads to the overlay alone.
        Mutation(
            network(network_plugin="azure", network_plugin_mode="overlay"),
            {"properties.networkProfile.networkPlugin", "properties.networkProfile.networkPluginMode"},
        ),
        of_network("networkDataplane", network_dataplane="cilium"),
        of_network("networkPolicy", network_policy="cilium"),
    ],
    absent=ABSENT,
)
IN_SUBNET = Case(
    "aks_cluster",
    {**CLUSTER, **network(network_plugin="azure")},
    setup=[("resource_group", GROUP)],
    mutations=[
        of_network("networkPluginMode", network_plugin_mode="overlay"),
        rewired(pod_cidr="10.244.0.0/15"),
        of_profile("apiServerAccessProfile.enableVnetIntegration", ACCESS, enable_vnet_integration=True),
        of_network("outboundType", outbound_type="managedNATGateway"),
        of_gateway("managedOutboundIPProfile.count", managed_outbound_ip_count=2),
        of_gateway("idleTimeoutInMinutes", idle_timeout_in_minutes=10),
        of_network("outboundType", outbound_type="loadBalancer"),
    ],
    absent=ABSENT,
)
DUAL = Case(
    "aks_cluster",
    {**CLUSTER, **network(network_plugin="azure", network_plugin_mode="overlay", ip_families=["IPv4", "IPv6"])},
    setup=[("resource_group", GROUP)],
    mutations=[
        of_balancer("managedOutboundIPs.countIPv6", managed_outbound_ips={"count_ipv6": 2}),
        rewired(pod_cidr="10.244.0.0/15"),
    ],
    immutable=[(network(ip_families=["IPv4"]), "ip_families is .*Make another cluster")],
    absent=ABSENT,
)
PRIVATE = Case(
    "aks_cluster",
    {**CLUSTER, **profile(ACCESS, enable_private_cluster=True)},
    setup=[("resource_group", GROUP)],
    mutations=[
        of_profile(
            "apiServerAccessProfile.enablePrivateClusterPublicFQDN", ACCESS, enable_private_cluster_public_fqdn=False
        )
    ],
    immutable=[(profile(ACCESS, enable_private_cluster=False), "enable_private_cluster is .*Make another cluster")],
    absent=ABSENT,
)
OWN = Case(
    "aks_cluster",
    CLUSTER,
    setup=[
        ("resource_group", GROUP),
        *(("user_assigned_identity", {"resource_group": "tea", **GROUP, "name": name}) for name in ("leaf", "bud")),
        (
            "public_ip_address",
            {
                "resource_group": "tea",
                **GROUP,
                "name": "spout",
                "sku": {"name": "Standard"},
                "public_ip_allocation_method": "Static",
            },
        ),
    ],
    mutations=[
        addressed(outbound_ips=[OWN_ADDRESS]),
        addressed(outbound_ip_prefixes=[OWN_PREFIX]),
        addressed(managed_outbound_ips={"count": 2}),
        # One type has a list, and the other none.
        Mutation(identity("UserAssigned", "leaf"), {"identity"}),
        Mutation(identity("UserAssigned", "bud"), {"identity.userAssignedIdentities"}),
        Mutation(identity("SystemAssigned"), {"identity.type"}),
    ],
    absent=ABSENT,
)
CASES = [MIGRATED, IN_SUBNET, DUAL, PRIVATE, OWN]
