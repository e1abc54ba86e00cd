# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The resource providers.

Each module has a list TYPES. It may also have DATA_PLANES = {".vault.azure.net": handler}: a host's suffix, and a
function that is given a Request (whose `raw` is the body, `target` the path as it came, `principal` None) and returns
an Answer (a body of bytes is sent as it is). It runs without the simulator's lock, which it takes for what it reads.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..arm import ResourceType

MODULES = (
    "resources",
    "subscriptions",
    "compute",
    "authorization",
    "containerregistry",
    "containerservice",
    "keyvault",
    "managedidentity",
    "mysql",
    "network",
    "storage",
)


def _modules() -> list[Any]:
    found = []
    for name in MODULES:
        if importlib.util.find_spec(f"{__name__}.{name}") is None:
            continue
        try:
            found.append(importlib.import_module(f"{__name__}.{name}"))
        except Exception as error:  # noqa: BLE001
            print(f"{name}: {error!r}", file=sys.stderr)
    return found


def all_types() -> list[ResourceType]:
    return [kind for module in _modules() for kind in module.TYPES]


def data_planes() -> dict[str, Any]:
    found = [
        getattr(module, "DATA_PLANES", {}) for module in (*_modules(), importlib.import_module("..blobs", __name__))
    ]
    return {suffix: handler for one in found for suffix, handler in one.items()}
