# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands before the module of this name: where a run has begun, resources belong to its deployment."""

from __future__ import annotations

from typing import Any

from ..plugin_utils.azure_action import AzureAction

# What the fact that the role `stack` sets says of every resource.
COMMON = ("resource_group", "location", "tags")


class ActionModule(AzureAction):
    """Run the module with the deployment's own place and tags, unless the task names others."""

    def options(self, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the module's options."""
        deployment = variables.get("matcha_deployment") or {}
        here = {name: deployment[name] for name in COMMON if deployment.get(name)}
        return {**here, **super().options(variables)}
