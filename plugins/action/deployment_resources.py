# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands before the module of this name: where a run has begun, its deployment is meant."""

from __future__ import annotations

from typing import Any

from ..plugin_utils.azure_action import AzureAction
from ..plugin_utils.azure_place import DEPLOYMENT

# The module's options, and the names that they have in the fact that the role `stack` sets.
COMMON = {
    "resource_group": "resource_group",
    "resource_group_created": "resource_group_created",
    "inventory": "resources",
}


class ActionModule(AzureAction):
    """Run the module on the deployment, unless the task names another."""

    def options(self, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the module's options."""
        deployment = variables.get("matcha_deployment") or {}
        here = {option: deployment[name] for option, name in COMMON.items() if name in deployment}
        if deployment.get("tags"):
            here["deployment_tag"] = {DEPLOYMENT: deployment["tags"][DEPLOYMENT]}
        return {**here, **super().options(variables)}
