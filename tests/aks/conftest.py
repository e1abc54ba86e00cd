# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One rehearsal, on which the tests of the whole stack run one after another."""

from __future__ import annotations

import os
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

# Azure's quarter of an hour in seconds; the real cluster and database take as long as they take.
SPEED = 60.0


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
