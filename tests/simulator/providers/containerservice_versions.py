# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes versions of AKS: which are offered, what an alias means, what may follow what."""

from __future__ import annotations

import re
from typing import Any

# AKS in October 2026. Of each minor version, the patches that are offered, oldest first.
OFFERED: dict[str, tuple[str, ...]] = {
    "1.34": ("1.34.6", "1.34.7"),
    "1.35": ("1.35.4", "1.35.5"),
    "1.36": ("1.36.1", "1.36.2"),
    "1.37": ("1.37.0",),
}
DEFAULT = "1.36"
LONG_TERM = ("1.37",)
# A client that speaks an API version of before this date lives in the past, where other versions were offered and
# another one was the default: it may name the version that it takes for the default of its cluster.
STRICT_SINCE = "2026-01-01"
VERSION = re.compile(r"\d+\.\d+(\.\d+)?")


def parts(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def resolve(version: str) -> str:
    """Return the full version that a version or an alias such as 1.36 stands for."""
    if version.count(".") > 1:
        return version
    return OFFERED[version][-1] if version in OFFERED else f"{version}.7"


def known(version: str, api_version: str) -> bool:
    """Say whether a cluster of this version could be made by a client of that time."""
    if not VERSION.fullmatch(version):
        return False
    if version in OFFERED or version in OFFERED.get(minor(version), ()):
        return True
    return api_version < STRICT_SINCE and parts(minor(version)) <= parts(list(OFFERED)[-1])


def upgrades(version: str) -> list[str]:
    """Return the versions that a cluster or pool of this full version may be upgraded to."""
    major, number = parts(minor(version))
    following = f"{major}.{number + 1}"
    same = [patch for patch in OFFERED.get(minor(version), ()) if parts(patch) > parts(version)]
    if minor(version) in OFFERED or following in OFFERED:
        return same + list(OFFERED.get(following, ()))
    return [resolve(following)]


def may_follow(old: str, new: str) -> bool:
    """Say whether a full version may be followed by another known one: no minor version is skipped."""
    if parts(new) < parts(old):
        return False
    return parts(minor(new))[1] - parts(minor(old))[1] <= 1


def plans(version: str) -> list[str]:
    return ["KubernetesOfficial", *(["AKSLongTermSupport"] if version in LONG_TERM else [])]


def kubernetes_versions() -> dict[str, Any]:
    """Answer locations/LOCATION/kubernetesVersions."""
    values = []
    for version, patches in OFFERED.items():
        entry: dict[str, Any] = {
            "version": version,
            "capabilities": {"supportPlan": plans(version)},
            "patchVersions": {patch: {"upgrades": upgrades(patch)} for patch in patches},
        }
        if version == DEFAULT:
            entry["isDefault"] = True
        values.append(entry)
    return {"values": values}


def orchestrators(identifier: str) -> dict[str, Any]:
    """Answer locations/LOCATION/orchestrators, the older form of the same."""
    entries = []
    for version, patches in OFFERED.items():
        for patch in patches:
            entry: dict[str, Any] = {
                "orchestratorType": "Kubernetes",
                "orchestratorVersion": patch,
                "upgrades": [{"orchestratorType": "Kubernetes", "orchestratorVersion": up} for up in upgrades(patch)],
            }
            if version == DEFAULT and patch == patches[-1]:
                entry["default"] = True
            entries.append(entry)
    return {
        "id": identifier,
        "name": "default",
        "type": "Microsoft.ContainerService/locations/orchestrators",
        "properties": {"orchestrators": entries},
    }


def upgrade_list(version: str) -> list[dict[str, Any]]:
    return [{"kubernetesVersion": up} for up in upgrades(version)]
