# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The error that every layer raises for a user to read."""

from __future__ import annotations

from typing import Any


class MatchaError(Exception):
    """What went wrong and what to do next, as one or two sentences."""

    @property
    def details(self) -> dict[str, Any]:
        """Return what a module's result says of it beside the message."""
        return {}
