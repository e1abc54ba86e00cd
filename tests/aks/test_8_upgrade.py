# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A newer pinned version of a component upgrades in place, keeps its data, and leaves a dump of what was before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from deployments import ROOT

from tests.aks.stack import Aks, changes
from tests.kubernetes.images import images

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from tests.rehearsal.world import World

pytestmark = pytest.mark.one_of("whole stacks")
IMAGES = {
    "zenml": "zenmldocker/zenml-server:{}",
    "mlflow": "ghcr.io/mlflow/mlflow:v{}-full",
    "chroma": "ghcr.io/chroma-core/chroma:{}",
}


def old(component: str) -> str:
    """Return the older version that is locked."""
    (path,) = (ROOT / "tests" / "locks").glob(f"{component}-*.txt")
    return path.stem.partition("-")[2]


def version(deployment: Aks, component: str) -> str:
    return str(deployment.status()["components"][component]["version"])


def test_upgrade(empty: World, home: Path, rng: random.Random, full: bool) -> None:
    for component in IMAGES if full else [rng.choice(list(IMAGES))]:
        print(f"upgrade of {component}")
        before = old(component)
        empty.clusters.add_images(images([IMAGES[component].format(before)]).values())
        deployment = Aks.of(empty, home, "older")
        deployment.stack = f"only-{component}"
        asked = {f"matcha_{component}_version": before}
        deployment.run("provision", **asked).ok()
        assert version(deployment, component) == before
        deployment.keep("make")

        upgraded = deployment.run("provision").ok()
        assert upgraded.changed == {f"matcha-{component}"}, changes(upgraded.output)
        assert version(deployment, component) != before
        assert deployment.unready() == []
        deployment.keep("check")
        deployment.assert_converged()
        if component in ("zenml", "mlflow"):
            # A database of the newer one is of no use to the older.
            deployment.run("provision", **asked).failed(f"{component} {before} cannot use data of")
        deployment.destroy().ok()
