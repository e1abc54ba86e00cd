# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the ``main`` of a module for Azure is: the table of its kind, and one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..module import run_module
from ..stack.lock import LocalLock
from .arm import Arm
from .auth import AUTH_SPEC, Auth
from .converge import converge, information
from .kind import Kind
from .options import argument_spec

# Options that say which resources to tell of; the fragment matcha.mlops.azure.listed documents them.
LISTED: dict[str, Any] = {"resource_group": {"type": "str"}, "name": {"type": "str"}, "tags": {"type": "dict"}}
# The same for what is in a cluster; documented by matcha.mlops.azure.in_cluster.
IN_CLUSTER: dict[str, Any] = {
    "resource_group": {"type": "str", "required": True},
    "cluster_name": {"type": "str", "required": True},
    "name": {"type": "str"},
}


def fence_of(params: Mapping[str, Any]) -> Callable[[], None] | None:
    """Return what raises ``LockError`` once the run that began this does not hold the deployment's lock any more."""
    if not (params["run"] and params["deployment"]):
        return None
    lock = LocalLock(Path(params["deployment"]))
    return lambda: lock.check(params["run"])


def spec_of(kind: Kind) -> dict[str, Any]:
    """Return what a task can say of a resource of a kind."""
    return {
        "wait": {"type": "bool", "default": True},
        "timeout": {"type": "int", "default": kind.timeout},
        "state": {"type": "str", "choices": list(kind.states), "default": "present"},
        **argument_spec(kind.options),
    }


def run_kind(kind: Kind) -> None:
    """Run a module that brings one resource to its state."""

    def run(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
        arm = Arm(Auth.of(params), params["timeout"], fence_of(params))
        outcome = converge(kind, arm, params, check_mode)
        return {
            "changed": outcome.changed,
            "diff": {"before": outcome.before, "after": outcome.after},
            "resource": None if outcome.resource is None else kind.shown(outcome.resource),
            "warnings": arm.warnings,
        }

    run_module({**AUTH_SPEC, **spec_of(kind)}, run)


def run_information(kind: Kind, spec: Mapping[str, Any] | None = None) -> None:
    """Run a module that only tells of resources; ``spec`` holds the options that say which."""

    def run(params: Mapping[str, Any], _check_mode: bool) -> dict[str, Any]:
        arm = Arm(Auth.of(params), params["timeout"])
        return {"changed": False, "resources": information(kind, arm, params), "warnings": arm.warnings}

    run_module({**AUTH_SPEC, "timeout": {"type": "int", "default": 300}, **(spec or LISTED)}, run, fenced=False)
