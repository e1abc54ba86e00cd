# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands before the module of this name: where a run has begun, resources belong to its deployment."""

from __future__ import annotations

from typing import ClassVar

from ..plugin_utils.azure_action import AzureAction


class ActionModule(AzureAction):
    """Run the module with the deployment's own place and tags, unless the task names others."""

    PLACE: ClassVar[tuple[str, ...]] = (*AzureAction.PLACE, "resource_group", "location", "tags")
