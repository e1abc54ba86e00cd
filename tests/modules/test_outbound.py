# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an AKS cluster's traffic leaves it: one way and one kind of addresses take the place of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from modules.cases_aks import CLUSTER, GROUP
from modules.cases_aks_others import OWN_ADDRESS
from modules.harness import run_module

if TYPE_CHECKING:
    from modules.conftest import Azure


@pytest.fixture
def pot(azure: Azure) -> Azure:
    """Return an Azure with a cluster."""
    run_module("resource_group", **GROUP)
    run_module("aks_cluster", **CLUSTER)
    azure.forget()
    return azure


def change(azure: Azure, **network: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a task's result, and the network profile that it sent."""
    azure.forget()
    result = run_module("aks_cluster", **CLUSTER, network_profile=network)
    (sent,) = (each["body"] for each in azure.since() if each["method"] == "PUT")
    return result, sent["properties"]["networkProfile"]


def test_own_addresses_take_the_place_of_managed_ones(pot: Azure) -> None:
    result, sent = change(pot, load_balancer_profile={"outbound_ips": [OWN_ADDRESS]})
    assert "managedOutboundIPs" not in sent["loadBalancerProfile"]
    before, after = (result["diff"][side]["properties"]["networkProfile"] for side in ("before", "after"))
    assert before == {"loadBalancerProfile": {"managedOutboundIPs": {"count": 1}}}
    assert after == {"loadBalancerProfile": {"outboundIPs": {"publicIPs": [{"id": OWN_ADDRESS}]}}}


def test_what_the_task_does_not_say_of_addresses_is_left_alone(pot: Azure) -> None:
    change(pot, load_balancer_profile={"outbound_ips": [OWN_ADDRESS]})
    # An empty dictionary asks for nothing.
    _, sent = change(pot, load_balancer_profile={"managed_outbound_ips": {}, "idle_timeout_in_minutes": 10})
    assert sent["loadBalancerProfile"]["outboundIPs"] == {"publicIPs": [{"id": OWN_ADDRESS}]}


def test_what_belongs_to_the_old_way_out_is_not_sent(pot: Azure) -> None:
    _, sent = change(pot, outbound_type="managedNATGateway")
    assert "loadBalancerProfile" not in sent
    _, sent = change(pot, outbound_type="managedNATGateway", nat_gateway_profile={"idle_timeout_in_minutes": 10})
    assert sent["natGatewayProfile"]["idleTimeoutInMinutes"] == 10
    _, sent = change(pot, outbound_type="loadBalancer")
    assert "natGatewayProfile" not in sent
