# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong in Azure, by a script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .arm import Answer, Operation, Request


class Faults:
    def check(self, request: Request) -> Answer | None:
        """Before a provider runs: an answer in place of its own, an exception, or None."""
        del request

    def after(self, request: Request, answer: Answer) -> Answer:
        """After a provider ran."""
        del request
        return answer

    def fate(self, operation: Operation) -> tuple[str, dict[str, Any]] | None:
        """How an operation that begins now will end: (status, error), or None for well."""
        del operation
