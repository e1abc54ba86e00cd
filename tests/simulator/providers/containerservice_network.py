# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster's network profile: its defaults, and the outbound addresses that the service makes."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from .containerservice_checks import OUTBOUND
from .containerservice_values import drop_empty, filled
from .documents import merged

SERVICE_CIDR = "10.0.0.0/16"
POD_CIDR = "10.244.0.0/16"
# Of both kinds of addresses at once.
POD_CIDR_6, SERVICE_CIDR_6 = "fd12:3456:789a::/64", "fd12:3456:789a:1::/108"
# From the older name of the standard balancer to the newer; the service wrote it with a capital for a while.
CAPITAL_SKU_UNTIL = "2024-01-01"


def normalised(sent: dict[str, Any], current: dict[str, Any] | None) -> dict[str, Any]:
    """Return the profile that a request makes of what is there."""
    profile: dict[str, Any] = merged(current or {}, sent)
    exclusive(profile, sent)
    profile.setdefault("networkPlugin", "kubenet")
    filled(
        profile,
        {"serviceCidr": first(profile, "serviceCidrs", SERVICE_CIDR), "outboundType": "loadBalancer"},
    )
    filled(profile, {"dnsServiceIP": dns_address(profile["serviceCidr"]), "loadBalancerSku": "standard"})
    profile["loadBalancerSku"] = profile["loadBalancerSku"].lower()
    plugin_defaults(profile)
    filled(profile, {"serviceCidrs": [profile["serviceCidr"]], "ipFamilies": ["IPv4"]})
    balancer(profile)
    if dual(profile):
        for name, more in (("podCidrs", POD_CIDR_6), ("serviceCidrs", SERVICE_CIDR_6)):
            if len(profile.get(name) or []) == 1:
                profile[name] = [profile[name][0], more]
    drop_empty(profile, "natGatewayProfile", "advancedNetworking", "staticEgressGatewayProfile")
    return profile


def exclusive(profile: dict[str, Any], sent: dict[str, Any]) -> None:
    """Leave a balancer one kind of outbound address: the kind that was sent replaces the others."""
    balancer_profile = profile.get("loadBalancerProfile")
    chosen = [kind for kind in OUTBOUND if (sent.get("loadBalancerProfile") or {}).get(kind)]
    if balancer_profile and chosen:
        for kind in OUTBOUND:
            if kind not in chosen:
                balancer_profile.pop(kind, None)
    # A single range and its list are one value: the one that was sent counts.
    for single, several in (("podCidr", "podCidrs"), ("serviceCidr", "serviceCidrs")):
        if sent.get(single) and not sent.get(several):
            profile.pop(several, None)
        elif sent.get(several) and not sent.get(single):
            profile[single] = sent[several][0]


def first(profile: dict[str, Any], name: str, default: str) -> str:
    return (profile.get(name) or [default])[0]


def dns_address(cidr: str) -> str:
    head = cidr.split("/", maxsplit=1)[0].split(".")
    return ".".join([*head[:3], "10"])


def plugin_defaults(profile: dict[str, Any]) -> None:
    plugin, overlay = profile["networkPlugin"].lower(), (profile.get("networkPluginMode") or "").lower() == "overlay"
    if plugin == "azure":
        profile.setdefault("networkDataplane", "azure")
    if plugin != "azure" or overlay:
        filled(profile, {"podCidr": first(profile, "podCidrs", POD_CIDR)})
        filled(profile, {"podCidrs": [profile["podCidr"]]})
    if profile.get("networkDataplane") == "cilium":
        profile.setdefault("networkPolicy", "cilium")
    filled(profile, {"networkPolicy": "none", "podLinkLocalAccess": "IMDS"})


def dual(profile: dict[str, Any]) -> bool:
    return len(profile["ipFamilies"]) > 1


def balancer(profile: dict[str, Any]) -> None:
    """Outbound traffic: by the balancer, by a NAT gateway, or by what the user made."""
    kind = profile["outboundType"]
    if kind == "loadBalancer" and profile["loadBalancerSku"] == "standard":
        outbound = profile.setdefault("loadBalancerProfile", {})
        if not any(outbound.get(name) for name in OUTBOUND):
            outbound["managedOutboundIPs"] = {"count": 1, **({"countIPv6": 1} if dual(profile) else {})}
        managed = outbound.get("managedOutboundIPs") or {}
        if managed.get("countIPv6") == 0:
            del managed["countIPv6"]
        outbound.setdefault("backendPoolType", "nodeIPConfiguration")
        profile.pop("natGatewayProfile", None)
    elif kind == "managedNATGateway":
        # What was set of the balancer stays, but for its addresses.
        gone = (*OUTBOUND, "effectiveOutboundIPs", "backendPoolType")
        kept = profile.get("loadBalancerProfile") or {}
        profile["loadBalancerProfile"] = {name: value for name, value in kept.items() if name not in gone}
        gateway = profile.setdefault("natGatewayProfile", {})
        filled(gateway, {"managedOutboundIPProfile": {"count": 1}, "idleTimeoutInMinutes": 4})
    else:
        profile.pop("loadBalancerProfile", None)


def wanted_addresses(profile: dict[str, Any]) -> tuple[dict[str, Any] | None, int, list[str]]:
    """Where the effective addresses are shown, how many of them the service makes, and the ids of the user's own."""
    gateway = profile.get("natGatewayProfile")
    if gateway and profile["outboundType"] == "managedNATGateway":
        return gateway, gateway["managedOutboundIPProfile"].get("count") or 1, []
    outbound = profile.get("loadBalancerProfile")
    if not outbound:
        return None, 0, []
    managed = outbound.get("managedOutboundIPs")
    if managed:
        return outbound, (managed.get("count") or 1) + (managed.get("countIPv6") or 0), []
    own = (outbound.get("outboundIPs") or {}).get("publicIPs") or []
    prefixes = (outbound.get("outboundIPPrefixes") or {}).get("publicIPPrefixes") or []
    return outbound, 0, [item["id"] for item in own + prefixes]


def shown(profile: dict[str, Any], api_version: str, *, settled: bool) -> dict[str, Any]:
    """As an answer has it: of an older API version's time are a capital letter and no policy called none."""
    answer = deepcopy(profile)
    if api_version < CAPITAL_SKU_UNTIL:
        if settled:
            answer["loadBalancerSku"] = answer["loadBalancerSku"].capitalize()
        if answer.get("networkPolicy") == "none":
            del answer["networkPolicy"]
    return answer
