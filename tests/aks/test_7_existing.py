# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster that was made elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from deployments import wait_until

from tests.aks.stack import Aks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.rehearsal.world import World

pytestmark = pytest.mark.one_of("whole stacks")
ADDRESS = "20.77.0.7"
CLUSTERS = "Microsoft.ContainerService/managedClusters"


@pytest.fixture
def existing(empty: World, home: Path) -> Iterator[Aks]:
    empty.clusters.elsewhere(ADDRESS)
    wait_until(lambda: empty.cluster, "the cluster that was there before", 300)
    context = yaml.safe_load(empty.kubeconfig.read_text("utf-8"))["current-context"]
    deployment = Aks.of(
        empty,
        home,
        "byoc",
        matcha_cluster="existing",
        matcha_kubeconfig=str(empty.kubeconfig),
        matcha_kube_context=context,
        matcha_outbound_ip=ADDRESS,
    )
    deployment.stack = "only-mlflow"
    yield deployment
    empty.clusters.nowhere()


def test_a_stack_on_a_cluster_that_is_there(existing: Aks) -> None:
    refused = existing.run("provision")
    refused.failed("matcha_allow_unenforced_network_policy")
    existing.variables["matcha_allow_unenforced_network_policy"] = True
    existing.run("provision").ok()
    assert existing.unready() == []
    assert existing.world.simulator.store.all(CLUSTERS) == []
    existing.keep("make")
    existing.forget()
    before = existing.objects()
    existing.assert_converged()
    assert existing.writes() == []
    assert existing.objects() == before
    existing.keep("check")
    # The cluster is not ours: it stays, without what we put there.
    existing.destroy().ok()
    assert existing.objects() == {}
    assert existing.world.simulator.store.get(existing.group) is None
