# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AKS clusters: what is particular to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..arm import Arm
from ..errors import AzureError
from ..kind import Kind, Params
from ..options import Change, Document, Option, dig, same_text
from .aks_options import OPTIONS
from .aks_pool import adapted, tidy_pool

NETWORK = ("properties", "networkProfile")
BALANCER = (*NETWORK, "loadBalancerProfile")
# A load balancer has one kind of outbound addresses.
ADDRESSES = {
    "managed_outbound_ips": "managedOutboundIPs",
    "outbound_ips": "outboundIPs",
    "outbound_ip_prefixes": "outboundIPPrefixes",
}
# What of the network belongs to one way out alone.
WAYS_OUT = {"loadBalancerProfile": "loadBalancer", "natGatewayProfile": "managedNATGateway"}


def place_of(params: Params) -> tuple[str, str]:
    """Return a cluster's resource group and name, as the SDK wants them."""
    return params["resource_group"], params["name"]


def unchanged_since(found: Document | None) -> dict[str, Any]:
    """Return the arguments by which Azure refuses a write over a change that we have not seen."""
    etag = found and (found.get("eTag") or found.get("etag"))
    if not etag:
        return {}
    from azure.core import MatchConditions

    return {"etag": etag, "match_condition": MatchConditions.IfNotModified}


class AksCluster(Kind):
    """A cluster, with the node pools that its task lists. It is sent whole: AKS has no PATCH but for tags."""

    noun = "AKS cluster"
    path = "{group}/providers/Microsoft.ContainerService/managedClusters/{name}"
    api_version = ""  # The SDK's own.
    options = OPTIONS
    patches = False
    states = ("present", "absent", "started", "stopped")

    def read(self, arm: Arm, params: Params) -> Document | None:
        """Return the cluster."""
        found: Document | None = arm.ask(self.label(params), arm.containers.managed_clusters.get, *place_of(params))
        return found

    def listing(self, arm: Arm, params: Params) -> Iterator[Document]:
        """Yield the clusters of a resource group, or of the subscription."""
        clusters = arm.containers.managed_clusters
        group = params.get("resource_group")
        yield from arm.items(clusters.list_by_resource_group, group) if group else arm.items(clusters.list)

    def put(self, arm: Arm, params: Params, body: Document, found: Document | None) -> Document | None:
        """Send the cluster, unless somebody changed it since it was read."""
        for name in replaced(params, body):
            del dig(body, BALANCER)[name]
        if found is not None:
            leave_old_way_out(dig(body, NETWORK) or {}, dig(found, NETWORK) or {})
        begin = arm.containers.managed_clusters.begin_create_or_update
        return self._finish(arm, params, begin, *place_of(params), body, **unchanged_since(found))

    def delete(self, arm: Arm, params: Params) -> None:
        """Delete the cluster, with its node resource group."""
        self._finish(arm, params, arm.containers.managed_clusters.begin_delete, *place_of(params))

    def writable(self, found: Document) -> Document:
        """Return what can be sent back; the SDK's model knows what is read-only."""
        from azure.mgmt.containerservice.models import ManagedCluster

        result: Document = without_nulls(ManagedCluster(found).as_dict(exclude_readonly=True))
        return result

    def defaults(self, params: Params) -> Document:
        """Return what a new cluster has: a sign-in that needs no keeping, and a name in DNS."""
        properties = {} if params.get("fqdn_subdomain") else {"dnsPrefix": params["name"]}
        return {"identity": {"type": "SystemAssigned"}, "properties": properties}

    def tidy(self, body: Document) -> Document:
        """Return a body as Azure takes it."""
        for pool in dig(body, ("properties", "agentPoolProfiles")) or ():
            tidy_pool(pool)
        tidy_network(dig(body, NETWORK) or {})
        return super().tidy(body)

    def adapt(self, params: Params, found: Document) -> Params:
        """Let the autoscaler keep its count, and give a new pool what the task does not say."""
        params = super().adapt(params, found)
        pools = params.get("agent_pool_profiles")
        if pools is None:
            return params
        there = {each["name"]: each for each in dig(found, ("properties", "agentPoolProfiles")) or ()}
        return {**params, "agent_pool_profiles": [adapted(pool, there.get(pool["name"])) for pool in pools]}

    def refuse(self, params: Params, found: Document, changes: list[Change]) -> None:
        """Refuse what is immutable, and any change while the cluster is stopped."""
        super().refuse(params, found, changes)
        if changes and params["state"] != "started" and power_state(found) == "stopped":
            names = ", ".join(change.name for change in changes)
            raise AzureError(
                self.label(params), f"is stopped, and Azure changes nothing ({names}) until it runs: set state=started",
                "Stopped",
            )  # fmt: skip

    def before(self, arm: Arm, params: Params, found: Document, check_mode: bool) -> list[Change]:
        """Start a stopped cluster, if that is asked for: Azure changes nothing on a stopped one.

        Tell too of the outbound addresses that others take the place of.
        """
        balancer = dig(found, BALANCER) or {}
        gone = [Change((*BALANCER, name), balancer[name], None, name, Option()) for name in replaced(params, found)]
        if params["state"] != "started" or power_state(found) != "stopped":
            return gone
        return gone + self._power(arm, params, found, "Running", check_mode)

    def after(self, arm: Arm, params: Params, found: Document, check_mode: bool) -> list[Change]:
        """Stop the cluster, if that is asked for."""
        if params["state"] != "stopped" or power_state(found) == "stopped":
            return []
        return self._power(arm, params, found, "Stopped", check_mode)

    def _power(self, arm: Arm, params: Params, found: Document, code: str, check_mode: bool) -> list[Change]:
        path = ("properties", "powerState", "code")
        change = Change(path, dig(found, path), code, "state", Option())
        if not check_mode:
            clusters = arm.containers.managed_clusters
            begin = clusters.begin_start if code == "Running" else clusters.begin_stop
            self._finish(arm, params, begin, *place_of(params))
            found.update(self.read(arm, params) or {})
        return [change]


def replaced(params: Params, document: Document) -> list[str]:
    """Return the kinds of outbound addresses in a document that those of a task take the place of."""
    wanted = dig(params, ("network_profile", "load_balancer_profile")) or {}
    named = [kind for name, kind in ADDRESSES.items() if says(wanted.get(name))]
    balancer = dig(document, BALANCER) or {}
    return [kind for kind in ADDRESSES.values() if named and kind not in named and balancer.get(kind)]


def says(value: Any) -> bool:
    """Return whether an option says anything; Ansible fills in what a dictionary does not name."""
    return any(each is not None for each in value.values()) if isinstance(value, dict) else bool(value)


def leave_old_way_out(network: Document, before: Document) -> None:
    """Leave out what belongs to the way out that is left."""
    old = before.get("outboundType")
    if same_text(old, network.get("outboundType")):
        return
    for name, way in WAYS_OUT.items():
        if same_text(old, way):
            network.pop(name, None)


def tidy_network(network: Document) -> None:
    """Let the first of a list of ranges be the single one, which the options name."""
    for single, several in (("podCidr", "podCidrs"), ("serviceCidr", "serviceCidrs")):
        if network.get(single) and network.get(several):
            network[several] = [network[single], *network[several][1:]]


def without_nulls(value: Any) -> Any:
    """Return a document without what is null: Azure tells of properties so that it does not take any more."""
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def power_state(found: Document) -> str:
    """Return ``running`` or ``stopped``; empty if Azure does not say."""
    return str(dig(found, ("properties", "powerState", "code")) or "").casefold()
