# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lives of a group, of storage, of a registry and of an address."""

from __future__ import annotations

from modules.harness import Case, Mutation

GROUP = ("resource_group", {"name": "tea", "location": "westeurope"})
PLACE = {"resource_group": "tea", "location": "westeurope"}


def sent(path: str) -> set[str]:
    return {f"properties.{path}"}


CASES = [
    Case(
        "resource_group",
        {"name": "cup", "location": "West Europe", "managed_by": "somebody"},
        mutations=[
            Mutation({"tags": {"team": "tea"}}, {"tags"}),
            Mutation({"tags": {"cost": "1"}}, {"tags"}),
            Mutation({"tags": {"cost": "1"}, "append_tags": False}, {"tags"}),
        ],
        immutable=[
            ({"location": "northeurope"}, "moves nothing to another region"),
            ({"managed_by": "other"}, "delete it first"),
        ],
        absent={"name": "cup"},
    ),
    Case(
        "public_ip_address",
        {**PLACE, "name": "door", "zones": ["3", "1"]},
        setup=[GROUP],
        mutations=[
            Mutation({"tags": {"team": "tea"}}, {"tags"}),
            Mutation({"idle_timeout_in_minutes": 10}, sent("idleTimeoutInMinutes")),
            Mutation({"dns_settings": {"domain_name_label": "tea"}}, sent("dnsSettings.domainNameLabel")),
            Mutation({"ddos_settings": {"protection_mode": "Disabled"}}, sent("ddosSettings.protectionMode")),
        ],
        immutable=[
            ({"location": "northeurope"}, "moves nothing to another region"),
            ({"zones": ["2"]}, "Make another address"),
            ({"sku": {"tier": "Global"}}, "Make another address"),
            ({"public_ip_address_version": "IPv6"}, "Make another address"),
        ],
        absent={"resource_group": "tea", "name": "door"},
    ),
]
