# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the components of a deployment on Azure are."""

from __future__ import annotations

from typing import Any

from ..module_utils.stack.state import State


def inspect(state: State) -> dict[str, dict[str, Any]]:
    """Return, for each component of the stack, what is recorded."""
    found: dict[str, dict[str, Any]] = {}
    for name in state["stack"]["components"]:
        part = state["components"].get(name, {})
        # Of what was destroyed but for its data, no more is left.
        there = bool(part) and not part.get("kept")
        found[name] = {
            "recorded": there,
            "running": None,
            "healthy": there,
            "drift": [] if there else ["It is not provisioned yet."],
            **({"version": part["version"]} if there and part.get("version") else {}),
        }
    return found
