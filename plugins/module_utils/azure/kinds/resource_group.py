# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource groups."""

from __future__ import annotations

from ..arm import RESOURCES_API, Arm
from ..kind import LOCATION, TAGS, Kind, Params
from ..options import Option, Options

# A message names no more than these.
NAMED = 5

OPTIONS: Options = {
    "name": Option(azure="-", required=True),
    "location": LOCATION,
    **TAGS,
    "managed_by": Option(immutable="Azure keeps who manages a group: delete it first."),
}


class ResourceGroup(Kind):
    """A group. It goes with all that is in it."""

    noun = "resource group"
    path = "{group}/resourceGroups/{name}"
    api_version = RESOURCES_API
    options = OPTIONS

    def delete(self, arm: Arm, params: Params) -> None:
        """Delete the group; if that takes too long, the message says what was in it."""
        inside = [str(each["name"]) for each in arm.pages(f"{self.id(arm, params)}/resources", self.api_version)]
        names = ", ".join(inside[:NAMED] + ["..."] * (len(inside) > NAMED))
        what = f", with {len(inside)} resource{'s' * (len(inside) > 1)} in it ({names})" if inside else ""
        label = f"Deleting the resource group '{params['name']}'{what}"
        arm.finish(label, arm.resources.resource_groups.begin_delete, params["name"], wait=params["wait"])
