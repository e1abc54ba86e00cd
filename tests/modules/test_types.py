# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fixture `azure` holds against the body of every request: it is no check without Azure's types."""

from __future__ import annotations

from typing import Any

import pytest

from modules.type_check import TYPES, Checker

pytestmark = pytest.mark.skipif(
    not TYPES.is_dir(),
    reason="Azure's types are not beside the repository: no test of modules checked the bodies that it sent",
)
CLUSTER = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c?api-version=2026-08-01"
)


def problems(properties: dict[str, Any], method: str = "PUT") -> tuple[list[str], list[str]]:
    found = Checker().problems(method, CLUSTER, {"location": "westeurope", "properties": properties})
    assert found
    return found


def test_what_azure_takes_is_right() -> None:
    pool = {"name": "system", "mode": "System", "count": 1, "vmSize": "Standard_DS3_v2"}
    assert problems({"dnsPrefix": "tea", "agentPoolProfiles": [pool]}) == ([], [])


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"teapot": True}, ".properties.teapot: is unknown"),
        ({"dnsPrefix": 1}, ".properties.dnsPrefix: 1 is no text"),
        ({"enableRBAC": "yes"}, ".properties.enableRBAC: 'yes' is no truth value"),
        ({"agentPoolProfiles": {}}, ".properties.agentPoolProfiles: {} is no list"),
        ({"networkProfile": {"networkPlugin": "tea"}}, "'tea' is none of"),
        ({"networkProfile": {"loadBalancerProfile": {"allocatedOutboundPorts": -1}}}, "-1 is out of range"),
        ({"networkProfile": {"podCidr": "tea"}}, "'tea' does not match"),
        ({"agentPoolProfiles": [{"count": 1}]}, ".properties.agentPoolProfiles[0].name: is missing"),
    ],
)
def test_what_azure_would_refuse_is_told(properties: dict[str, Any], words: str) -> None:
    errors, _warned = problems(properties)
    assert len(errors) == 1
    assert words in errors[0]


def test_what_is_read_only_is_sent_in_vain() -> None:
    assert problems({"fqdn": "tea.example"}) == ([], [".properties.fqdn: is read-only"])


def test_a_part_may_lack_what_the_whole_must_have() -> None:
    assert problems({"agentPoolProfiles": [{"count": 1}]}, "PATCH") == ([], [])


def test_of_a_type_that_nobody_knows_nothing_is_said() -> None:
    assert Checker().problems("PUT", "/subscriptions/s/resourceGroups/g/providers/Tea.Pot/pots/p", {}) is None
