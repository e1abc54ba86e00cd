# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure's regions, by name."""

from __future__ import annotations

# Where a resource group can be, in the order of the recorded error message, and newer ones.
GROUP_REGIONS = """
centralus eastasia southeastasia eastus eastus2 westus westus2 northcentralus southcentralus westcentralus northeurope
westeurope japaneast japanwest brazilsouth australiasoutheast australiaeast westindia southindia centralindia
canadacentral canadaeast uksouth ukwest koreacentral koreasouth francecentral southafricanorth uaenorth
australiacentral switzerlandnorth germanywestcentral norwayeast jioindiawest westus3 australiacentral2 swedencentral
italynorth polandcentral spaincentral israelcentral qatarcentral mexicocentral centraluseuap eastus2euap
""".split()  # noqa: SIM905
_PARTS = """
central east west north south southeast us asia europe japan brazil australia india canada uk korea france africa uae
switzerland germany norway jio sweden italy poland spain israel qatar mexico
""".split()  # noqa: SIM905
WITHOUT_ZONES = """
northcentralus westcentralus westus japanwest australiasoutheast westindia southindia canadaeast ukwest koreasouth
australiacentral australiacentral2 jioindiawest
""".split()  # noqa: SIM905


def display_name(region: str) -> str:
    """westus2 is West US 2."""
    rest, words = region, []
    while rest:
        part = max((one for one in _PARTS if rest.startswith(one)), key=len, default="") or rest
        words.append(part.upper() if part in {"us", "uk", "uae"} else part.capitalize())
        rest = rest[len(part) :]
    return " ".join(words).replace("2euap", "2 EUAP").replace("Euap", "EUAP")
