# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands before the module of this name: see plugin_utils/azure_action.py."""

from __future__ import annotations

from ..plugin_utils.azure_action import AzureAction as ActionModule

__all__ = ["ActionModule"]
