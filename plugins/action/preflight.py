# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands before the module of this name: it shows the table, which Ansible keeps to itself where all is well."""

from __future__ import annotations

from typing import Any

from ansible.utils.display import Display

from ..plugin_utils.azure_action import AzureAction


class ActionModule(AzureAction):
    """Run the module, and show what it found."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the module's result."""
        result = super().run(tmp, task_vars)
        if not result.get("failed"):
            Display().display(result["msg"])
        return result
