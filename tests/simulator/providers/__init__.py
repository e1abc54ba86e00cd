# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The resource providers.

Each module has a list TYPES. It may also have DATA_PLANES = {".vault.azure.net": handler}: a host's suffix, and a
function that is given a Request (whose `raw` is the body, `target` the path as it came, `principal` None) and returns
an Answer (a body of bytes is sent as it is). It runs without the simulator's lock, which it takes for what it reads.
"""

from __future__ import annotations

import importlib
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
    "disks",
    "keyvault",
    "managedidentity",
    "mysql",
    "network",
    "storage",
)


def _modules() -> list[Any]:
    return [importlib.import_module(f"{__name__}.{name}") for name in MODULES]


def all_types() -> list[ResourceType]:
    return [kind for module in _modules() for kind in module.TYPES]


def data_planes() -> dict[str, Any]:
    found = [
        getattr(module, "DATA_PLANES", {}) for module in (*_modules(), importlib.import_module("..blobs", __name__))
    ]
    return {suffix: handler for one in found for suffix, handler in one.items()}
