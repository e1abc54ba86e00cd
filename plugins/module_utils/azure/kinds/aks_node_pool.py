# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One node pool of an AKS cluster, in a task of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..arm import Arm
from ..kind import Kind, Params
from ..options import Change, Document, Option, apply, dig, property_path
from .aks import power_state, unchanged_since
from .aks_pool import POOL_OPTIONS, adapted, tidy_pool

CLUSTER = "{group}/providers/Microsoft.ContainerService/managedClusters/{cluster_name}"
POWER = ("properties", "powerState", "code")


def place_of(params: Params) -> tuple[str, str]:
    """Return the resource group and the name of the cluster that a resource is in, as the SDK wants them."""
    return params["resource_group"], params["cluster_name"]


def below_properties(name: str, option: Option) -> Option:
    """Return an option of a cluster's list of pools, for a pool alone, where all but its name is one level deeper."""
    return replace(option, azure="-" if name == "name" else ".".join(("properties", *property_path(name, option))))


class AksNodePool(Kind):
    """A pool. Azure runs and stops it by a property, which here is its state."""

    noun = "node pool"
    path = CLUSTER + "/agentPools/{name}"
    api_version = ""  # The SDK's own.
    options = {  # noqa: RUF012 - the base class says ClassVar
        "resource_group": Option(azure="-", required=True),
        "cluster_name": Option(azure="-", required=True),
        **{name: below_properties(name, option) for name, option in POOL_OPTIONS.items()},
    }
    patches = False
    states = ("present", "absent", "started", "stopped")

    def label(self, params: Params) -> str:
        """Return what messages call the pool."""
        return f"{super().label(params)} of the AKS cluster '{params['cluster_name']}'"

    def read(self, arm: Arm, params: Params) -> Document | None:
        """Return the pool."""
        pools = arm.containers.agent_pools
        found: Document | None = arm.ask(self.label(params), pools.get, *place_of(params), params["name"])
        return found

    def listing(self, arm: Arm, params: Params) -> Iterator[Document]:
        """Yield the pools of a cluster."""
        yield from arm.items(arm.containers.agent_pools.list, *place_of(params))

    def put(self, arm: Arm, params: Params, body: Document, found: Document | None) -> Document | None:
        """Send the pool, unless somebody changed it since it was read."""
        begin = arm.containers.agent_pools.begin_create_or_update
        unless = unchanged_since(found and found.get("properties"))
        return self._finish(arm, params, begin, *place_of(params), params["name"], body, **unless)

    def delete(self, arm: Arm, params: Params) -> None:
        """Delete the pool. Azure itself keeps a cluster's last one of the system."""
        begin = arm.containers.agent_pools.begin_delete
        self._finish(arm, params, begin, *place_of(params), params["name"])

    def writable(self, found: Document) -> Document:
        """Return what can be sent back; the SDK's model knows what is read-only."""
        from azure.mgmt.containerservice.models import AgentPool

        result: Document = AgentPool(found).as_dict(exclude_readonly=True)
        return result

    def tidy(self, body: Document) -> Document:
        """Return a body as Azure takes it."""
        tidy_pool(body["properties"])
        return super().tidy(body)

    def adapt(self, params: Params, found: Document) -> Params:
        """Let the autoscaler keep its count, and give a new pool what the task does not say."""
        return adapted(params, found.get("properties"))

    def fixed(self, change: Change) -> bool:
        """Return whether Azure cannot make a change. What it does not tell of a pool is at its default, for good."""
        return bool(change.option.immutable)

    def before(self, arm: Arm, params: Params, found: Document, check_mode: bool) -> list[Change]:
        """Start a stopped pool, if that is asked for, before it is changed."""
        return self._power(arm, params, found, "Running", check_mode) if params["state"] == "started" else []

    def after(self, arm: Arm, params: Params, found: Document, check_mode: bool) -> list[Change]:
        """Stop the pool, if that is asked for, when all else is as it should be."""
        return self._power(arm, params, found, "Stopped", check_mode) if params["state"] == "stopped" else []

    def _power(self, arm: Arm, params: Params, found: Document, code: str, check_mode: bool) -> list[Change]:
        if (power_state(found) or "running") == code.casefold():
            return []
        change = Change(POWER, dig(found, POWER), code, "state", Option())
        if not check_mode:
            found.update(self.put(arm, params, apply(self.writable(found), [change]), found) or {})
        return [change]
