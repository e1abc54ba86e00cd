# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a region offers machines of the sizes that are asked for, and whether the quota has room for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any
from urllib.parse import quote

from .arm import Arm
from .options import same_text
from .preflight_rows import Row

Size = Mapping[str, Any]

SKUS_API, USAGES_API = "2021-07-01", "2024-07-01"
# Azure's names of the quotas that all sizes share.
REGULAR, SPOT = "cores", "lowPriorityCores"
MORE_QUOTA = "Ask for more quota (az quota, or Quotas in the portal), or take another size, count or region."


class Machines:
    """What a region offers to a subscription. It is asked once, for all sizes."""

    def __init__(self, arm: Arm, location: str) -> None:
        """Ask nothing yet."""
        self._arm, self._location = arm, location.replace(" ", "").lower()
        self._compute = f"/subscriptions/{arm.subscription}/providers/Microsoft.Compute"

    def check(self, sizes: Sequence[Size]) -> Iterator[Row]:
        """Yield a row for each size, and one for each quota that they draw on."""
        only = quote(f"location eq '{self._location}'")
        pages = self._arm.pages(f"{self._compute}/skus", SKUS_API, f"&$filter={only}")
        offered = {each["name"].casefold(): each for each in pages if each.get("resourceType") == "virtualMachines"}
        needed: Counter[str] = Counter()
        for size in sizes:
            sku = offered.get(size["size"].casefold())
            yield self._size(size, sku, offered)
            if sku:
                cores = vcpus(sku) * size["count"]
                needed.update({SPOT: cores} if size["spot"] else {REGULAR: cores, str(sku.get("family")): cores})
        if needed:
            yield from self._quotas(needed)

    def _size(self, size: Size, sku: Mapping[str, Any] | None, offered: Mapping[str, Any]) -> Row:
        label = f"size {size['size']}"
        if sku is None:
            near = get_close_matches(size["size"].casefold(), offered, n=1)
            hint = f"Did you mean {offered[near[0]]['name']}? " if near else ""
            every = f"az vm list-skus --location {self._location} names all."
            return Row(label, False, f"is not offered in {self._location}", f"{hint}{every}")
        barred = [each for each in sku.get("restrictions") or () if same_text(each.get("type"), "Location")]
        if barred:
            detail = f"is not offered to this subscription in {self._location} ({barred[0].get('reasonCode')})"
            return Row(label, False, detail, "Take another size or region, or ask Azure's support for access to it.")
        zones = open_zones(sku)
        missing = sorted(set(size["zones"] or ()) - zones)
        if missing:
            detail = f"is not offered in zone {', '.join(missing)}; it is in {', '.join(sorted(zones)) or 'none'}"
            return Row(label, False, detail, "Take other zones, or another size or region.")
        return Row(label, True, f"{vcpus(sku)} vCPUs, zones {', '.join(sorted(zones)) or 'none'}")

    def _quotas(self, needed: Mapping[str, int]) -> Iterator[Row]:
        found = self._arm.pages(f"{self._compute}/locations/{self._location}/usages", USAGES_API)
        quotas = {each["name"]["value"].casefold(): each for each in found}
        for name, cores in needed.items():
            quota = quotas.get(name.casefold())
            if quota is None:
                yield Row(f"quota {name}", False, f"Azure knows none of this name in {self._location}", MORE_QUOTA)
                continue
            limit, used = int(quota["limit"]), int(quota["currentValue"])
            # A negative limit is none.
            enough = limit < 0 or used + cores <= limit
            told = quota["name"].get("localizedValue") or name
            detail = f"{cores} vCPUs asked for, {max(limit - used, 0)} of {limit} left ({told})"
            yield Row(f"quota {name}", enough, detail if limit >= 0 else f"no limit ({told})", MORE_QUOTA)


def vcpus(sku: Mapping[str, Any]) -> int:
    """Return how many vCPUs a size has."""
    return int(next((each["value"] for each in sku.get("capabilities") or () if each["name"] == "vCPUs"), 0))


def open_zones(sku: Mapping[str, Any]) -> set[str]:
    """Return the zones in which a size is offered to the subscription."""
    zones = {zone for place in sku.get("locationInfo") or () for zone in place.get("zones") or ()}
    for each in sku.get("restrictions") or ():
        if same_text(each.get("type"), "Zone"):
            zones -= set((each.get("restrictionInfo") or {}).get("zones") or ())
    return zones
