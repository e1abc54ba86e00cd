# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The world that the tests of the joins share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.kubernetes import cluster
from tests.kubernetes.images import client_name
from tests.rehearsal.world import rehearsal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.rehearsal.world import World


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """Yield a rehearsal with nothing in it yet."""
    reason = cluster.trouble()
    if reason:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    with rehearsal(speed=1000, image_names=[client_name()]) as found:
        yield found
