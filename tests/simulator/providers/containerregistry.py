# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft.ContainerRegistry: the types, each described where it is."""

from __future__ import annotations

from . import registry_parts
from .registry_registries import REGISTRIES

TYPES = [REGISTRIES, *registry_parts.TYPES]
