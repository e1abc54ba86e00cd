# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests share: options, order, randomness and the repository's folder."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Fast ones first.
ORDER = ("unit", "lint", "modules", "toolchain", "kubernetes", "clients", "integration", "rehearsal", "aks")
# What stands on one and the same node, or on one set of local servers, is run one after another; files are, too.
TOGETHER = {"kubernetes": "node", "rehearsal": "node", "aks": "node", "integration": "local"}
# Seconds for a test on the node: on a new machine the first builds a Kubernetes, and with --full one makes ten stacks.
NODE_TIMEOUT = 3600
# A cluster to test on, in place of the one that is made.
KEPT = "MATCHA_TEST_KUBECONFIG"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("matcha")
    group.addoption("--fast", action="store_true", help="leave out what takes long")
    group.addoption("--full", action="store_true", help="every round and every component of what is sampled otherwise")
    group.addoption("--seed", type=int, default=None, help="repeat a run's random choices (the header shows them)")


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        config.option.seed = config.workerinput["seed"]
    if config.option.seed is None:
        config.option.seed = random.SystemRandom().randrange(10**6)
    # Somebody's own settings must not change what is tested.
    for name in list(os.environ):
        if name.startswith(("ANSIBLE_", "MATCHA_")) and name != KEPT:
            del os.environ[name]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give a process of xdist's the run's seed."""
    node.workerinput["seed"] = node.config.option.seed


def pytest_report_header(config: pytest.Config) -> str:
    return f"seed: {config.option.seed} (repeat with --seed {config.option.seed})"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep together what must not run beside itself. xdist's marks for this need an older pytest."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = Path(nodeid.partition("::")[0])
            return TOGETHER.get(path.parts[1], str(path))

    return Together(config, log)


def folder_of(item: pytest.Item) -> str:
    """Return the folder below tests/ in which a test is."""
    return str(item.path.relative_to(ROOT / "tests").parts[0])


def draw(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave one of the tests that are marked ``one_of`` the same; whoever names nothing else means all of them."""
    groups: dict[str, list[pytest.Item]] = {}
    for item in items:
        if mark := item.get_closest_marker("one_of"):
            groups.setdefault(mark.args[0], []).append(item)
    left_out: list[pytest.Item] = []
    for name, group in groups.items():
        if len(group) < len(items):
            chosen = random.Random(f"{config.option.seed} {name}").choice(group)
            left_out += [item for item in group if item is not chosen]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    beside = hasattr(config, "workerinput")

    def place(item: pytest.Item) -> int:
        folder = folder_of(item)
        # These take longest, so that two processes begin with them, and a third with the fast ones.
        if beside and folder in TOGETHER:
            return {"node": -2, "local": -1}[TOGETHER[folder]]
        return ORDER.index(folder) if folder in ORDER else len(ORDER)

    items.sort(key=place)
    if not config.option.full:
        draw(config, items)
    for item in items:
        if TOGETHER.get(folder_of(item)) == "node":
            item.add_marker(pytest.mark.timeout(NODE_TIMEOUT))
        if config.option.fast and item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="left out by --fast"))


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the repository's folder."""
    return ROOT


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> bool:
    """Tell whether --full was asked for."""
    return bool(request.config.option.full)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Return a random generator of this test's own, from the run's seed."""
    return random.Random(f"{request.config.option.seed} {request.node.path.name} {request.node.name}")
