# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds that Azure makes, changes and deletes at once, without a long operation."""

from __future__ import annotations

from ..arm import Arm
from ..kind import Kind, Params
from ..options import Document


class PlainKind(Kind):
    """A resource whose writes are answered with the result. Some of them point to it, as a long operation would."""

    def put(self, arm: Arm, params: Params, body: Document, found: Document | None) -> Document | None:
        """Make the resource, or send all of it again."""
        answer: Document | None = arm.request("PUT", self.id(arm, params), self.api_version, body)
        return answer

    def patch(self, arm: Arm, params: Params, body: Document) -> Document | None:
        """Change a part of the resource."""
        answer: Document | None = arm.request("PATCH", self.id(arm, params), self.api_version, body)
        return answer

    def delete(self, arm: Arm, params: Params) -> None:
        """Delete the resource."""
        arm.request("DELETE", self.id(arm, params), self.api_version)
