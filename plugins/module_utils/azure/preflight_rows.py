# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of a preflight: its rows, and how they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One thing that was checked. ``advice`` says what to do where it did not pass."""

    name: str
    passed: bool
    detail: str
    advice: str = ""

    def __post_init__(self) -> None:
        """Give no advice where none is needed."""
        if self.passed:
            object.__setattr__(self, "advice", "")


def render(rows: Sequence[Row]) -> str:
    """Return the table as text, with a line below for what to do."""
    failed = sum(not row.passed for row in rows)
    width = max((len(row.name) for row in rows), default=0)
    lines = [f"{failed} of {len(rows)} checks failed:" if failed else f"All {len(rows)} checks passed:"]
    for row in rows:
        lines.append(f"  {'ok  ' if row.passed else 'FAIL'}  {row.name:{width}}  {row.detail}")
        if row.advice:
            lines.append(f"        {'':{width}}  {row.advice}")
    return "\n".join(lines)
