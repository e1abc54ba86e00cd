# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One rehearsal, on which the tests of the whole stack run one after another."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from deployments import ROOT

from tests.aks.stack import Aks
from tests.kubernetes import cluster
from tests.rehearsal.world import rehearsal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.rehearsal.world import World

# Each of these takes minutes: one test of theirs is drawn by lot (the header shows the seed), and --full runs all.
DRAWN = ("test_6_faults.py", "test_7_existing.py", "test_8_upgrade.py")
# Azure's quarter of an hour in seconds; the real cluster and database take as long as they take.
SPEED = 60.0


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent and item.path.name in DRAWN:
            # They are new, and no whole run has shown them yet.
            item.add_marker(pytest.mark.xfail(reason="not yet seen to pass on a whole run"))
            item.add_marker(pytest.mark.timeout(900))
    here = [item for item in items if item.path.parent == Path(__file__).parent]
    some = [item for item in here if item.path.name in DRAWN]
    # Whoever names these files means them.
    if config.option.full or len(some) == len(here):
        return
    left_out = set(some) - {random.Random(config.option.seed).choice(some)} if some else set()
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """Yield a rehearsal with nothing in it yet."""
    reason = cluster.trouble()
    if reason:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    subprocess.run([ROOT / "tools" / "bootstrap"], check=True)
    with rehearsal(speed=SPEED) as found:
        yield found


@pytest.fixture
def empty(world: World) -> Iterator[World]:
    """Yield the rehearsal with nothing in it, and leave nothing in it."""
    world.clean()
    yield world
    world.clean()


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """Yield a folder for what a user has."""
    folder = Path(tempfile.mkdtemp(prefix="aks-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def llm(world: World, home: Path) -> Aks:
    """Return the one deployment of the whole stack that the tests share. Each leaves it healthy."""
    deployment = Aks.of(world, home)
    first = deployment.run("provision", matcha_stack="llm")
    deployment.said.append(first.output)
    first.ok()
    return deployment
