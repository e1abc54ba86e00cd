# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module ``azure_resources`` is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .arm import Arm
from .auth import Auth
from .graph import Graph
from .graph_nodes import nodes_of
from .module import fence_of

COMMON: dict[str, Any] = {
    "resource_group": {"type": "str"},
    "location": {"type": "str"},
    "tags": {"type": "dict"},
}
SPEC: dict[str, Any] = {
    **COMMON,
    "resources": {"type": "dict", "required": True},
    "only": {"type": "list", "elements": "str"},
    "wait": {"type": "bool", "default": True},
    "timeout": {"type": "int", "default": 3600},
}


def run(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Converge all resources of a task; return the module's result. Raises ``MatchaError``."""
    common = {name: params[name] for name in COMMON}
    nodes = nodes_of(params["resources"], params["only"], common)
    arm = Arm(Auth.of(params), params["timeout"], fence_of(params))
    folder = Path(params["deployment"]) if params["deployment"] else None
    graph = Graph(nodes, arm, params["wait"], check_mode, folder)
    graph.run()
    return {**graph.result(), "warnings": sorted(set(arm.warnings))}
