# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes of virtual machines, from public documentation: those that node pools usually have."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

# Family: its name for people, and how many cores a new subscription may use.
FAMILIES = {
    "standardBSFamily": ("Standard BS Family vCPUs", 100),
    "standardDSv2Family": ("Standard DSv2 Family vCPUs", 100),
    "standardDSv3Family": ("Standard DSv3 Family vCPUs", 100),
    "standardDDSv4Family": ("Standard DDSv4 Family vCPUs", 100),
    "standardDSv5Family": ("Standard DSv5 Family vCPUs", 100),
    "standardDDSv5Family": ("Standard DDSv5 Family vCPUs", 100),
    "standardDPSv5Family": ("Standard DPSv5 Family vCPUs", 100),
    "standardESv5Family": ("Standard ESv5 Family vCPUs", 100),
    "standardFSv2Family": ("Standard FSv2 Family vCPUs", 100),
    "Standard NCASv3_T4 Family": ("Standard NCASv3_T4 Family vCPUs", 0),
    "StandardNCADSA100v4Family": ("Standard NCADS_A100_v4 Family vCPUs", 0),
}
# Pattern of the name, family, cores, GB of memory for a core, GB of local disk for a core, architecture, GPUs.
_SERIES: tuple[tuple[str, str, tuple[int, ...], float, int, str, int], ...] = (
    ("B{}ms", "standardBSFamily", (2, 4, 8), 4, 8, "x64", 0),
    ("D{}s_v3", "standardDSv3Family", (2, 4, 8, 16, 32), 4, 8, "x64", 0),
    ("D{}ds_v4", "standardDDSv4Family", (2, 4, 8, 16, 32), 4, 37, "x64", 0),
    ("D{}s_v5", "standardDSv5Family", (2, 4, 8, 16, 32), 4, 0, "x64", 0),
    ("D{}ds_v5", "standardDDSv5Family", (2, 4, 8, 16, 32), 4, 37, "x64", 0),
    ("D{}ps_v5", "standardDPSv5Family", (2, 4, 8, 16), 4, 0, "Arm64", 0),
    ("E{}s_v5", "standardESv5Family", (2, 4, 8, 16), 8, 0, "x64", 0),
    ("F{}s_v2", "standardFSv2Family", (2, 4, 8, 16), 2, 8, "x64", 0),
    ("NC{}as_T4_v3", "Standard NCASv3_T4 Family", (4, 8, 16), 7, 44, "x64", 1),
    ("NC{}ads_A100_v4", "StandardNCADSA100v4Family", (24, 48), 9, 2, "x64", 1),
)
# The second version counts otherwise: DS2 has 2 cores.
_DS_V2 = ((1, 1, 3.5), (2, 2, 7), (3, 4, 14), (4, 8, 28), (5, 16, 56))


@dataclass(frozen=True)
class Size:
    name: str
    family: str
    cores: int
    # In GB, both.
    memory: float
    disk: int
    architecture: str = "x64"
    gpus: int = 0


@cache
def known_sizes() -> dict[str, Size]:
    """All sizes, by their name in lower case."""
    found = [
        Size(f"Standard_{pattern.format(cores)}", family, cores, cores * memory, cores * disk, architecture, gpus)
        for pattern, family, counts, memory, disk, architecture, gpus in _SERIES
        for cores in counts
    ]
    found += [
        Size(f"Standard_DS{number}_v2", "standardDSv2Family", cores, memory, cores * 7)
        for number, cores, memory in _DS_V2
    ]
    return {size.name.lower(): size for size in found}
