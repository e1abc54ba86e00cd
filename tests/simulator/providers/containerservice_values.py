# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How AKS treats the values that it is sent, whatever they belong to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.0+(Z|[+-]\d\d:\d\d)$")
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def short_times(value: Any) -> Any:
    """2021-11-26T03:00:00.000Z comes back as 2021-11-26T03:00:00Z."""
    if isinstance(value, dict):
        return {key: short_times(item) for key, item in value.items()}
    if isinstance(value, list):
        return [short_times(item) for item in value]
    return TIME.sub(r"\1\2", value) if isinstance(value, str) else value


def drop_empty(body: dict[str, Any], *names: str) -> None:
    """Empty objects, lists and strings that are sent come back absent."""
    for name in names:
        if body.get(name, 0) in ({}, [], ""):
            del body[name]


def filled(body: dict[str, Any], defaults: dict[str, Any]) -> None:
    """Set what isn't there."""
    for name, value in defaults.items():
        body.setdefault(name, value)


def letters(rng: random.Random, size: int) -> str:
    return "".join(rng.choices(LETTERS, k=size))


def location(name: str) -> str:
    """West US 2 comes back as westus2."""
    return name.replace(" ", "").lower()
