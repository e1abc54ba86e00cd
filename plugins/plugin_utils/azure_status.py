# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the components of a deployment on Azure are: what is recorded, and what their workloads in the cluster say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..module_utils.errors import MatchaError
from ..module_utils.kubernetes.client import Access, Cluster, selector
from ..module_utils.kubernetes.model import Object, label
from ..module_utils.kubernetes.ready import FailedError, unready
from ..module_utils.stack.state import State

NAME, DEPLOYMENT = "app.kubernetes.io/name", "matcha.mlops/deployment"
KINDS = ("Deployment", "StatefulSet")
# A remote is no more than a container in an account.
WITHOUT_WORKLOADS = ("dvc",)
# Seconds that a request is tried again: a status is wanted now.
PATIENCE = 5.0


def workloads(access: Access, state: State) -> list[Object]:
    """Return what runs the deployment's components. Raises ``MatchaError``."""
    cluster = Cluster(access, lambda: None, PATIENCE)
    ours = selector({DEPLOYMENT: state["matcha_uuid"]})
    return [each for kind in KINDS for each in cluster.list("apps/v1", kind, label_selector=ours)]


def inspect(state: State, found: Iterable[Object] | MatchaError) -> dict[str, dict[str, Any]]:
    """Return how each component of the stack is. ``found`` are its workloads, or why they cannot be seen."""
    runs = [] if isinstance(found, MatchaError) else list(found)
    return {
        name: _of(state["components"].get(name, {}), name, [each for each in runs if _belongs(each, name)], found)
        for name in state["stack"]["components"]
    }


def _belongs(item: Object, component: str) -> bool:
    """Return whether a workload is a component's: named like it, or like a part of it (``seldon-router``)."""
    named = str(item["metadata"].get("labels", {}).get(NAME, ""))
    return named == component or named.startswith(f"{component}-")


def _of(part: Mapping[str, Any], name: str, runs: list[Object], found: Any) -> dict[str, Any]:
    # Of what was destroyed but for its data, no more is left.
    if not part or part.get("kept"):
        drift = ["It is not provisioned yet."]
        return {"recorded": False, "running": None, "healthy": False, "drift": drift}
    version = {"version": part["version"]} if part.get("version") else {}
    told: dict[str, Any] = {"recorded": True, "running": None, "healthy": True, "drift": [], **version}
    if name in WITHOUT_WORKLOADS:
        return told
    if isinstance(found, MatchaError):
        return {**told, "healthy": False, "complaint": str(found)}
    reasons = [text for text in map(_complaint, runs) if text]
    if not runs:
        told["drift"] = ["Nothing of it is in the cluster: provision.yml puts it there again."]
    if reasons:
        told["complaint"] = "; ".join(reasons)
    return {**told, "running": bool(runs), "healthy": bool(runs) and not reasons}


def _complaint(item: Object) -> str:
    try:
        reason = unready(item)
    except FailedError as error:
        reason = str(error)
    if not reason and item["spec"].get("replicas") == 0:
        reason = "it was scaled to nothing"
    return f"{label(item)}: {reason}" if reason else ""
