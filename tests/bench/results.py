# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What measurements end with: a file for machines, and the same for who waits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

BUILD = Path(__file__).resolve().parents[2] / "build"


def at_most(goal: str, limit: float, measured: float) -> dict[str, Any]:
    """Say whether what was measured is as small as it was to be."""
    return {"goal": goal, "at_most": limit, "measured": round(measured, 3), "met": measured <= limit}


def save(name: str, result: dict[str, Any]) -> None:
    """Write what was measured into build/, and print it."""
    BUILD.mkdir(exist_ok=True)
    text = json.dumps(result, indent=2)
    (BUILD / name).write_text(f"{text}\n", encoding="utf-8")
    print(text)
