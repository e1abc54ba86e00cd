# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for tests with real components."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from deployments import ROOT, Processes, made, new_home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployments import Deployment


@pytest.fixture(scope="session", autouse=True)
def _controller() -> None:
    """Make .venv, as every playbook of the Makefile does."""
    subprocess.run([ROOT / "tools" / "bootstrap"], check=True)


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    """Yield a deployment of a test's own, not provisioned yet. Its stack is the smallest one."""
    yield from made(new_home(), stack="tiny")


@pytest.fixture(scope="session")
def llm() -> Iterator[Deployment]:
    """Yield the one deployment of the whole stack `llm` that the tests share. Each leaves it healthy."""
    for deployment in made(new_home(), prefix="llm"):
        # At its most talkative: test_6_secrets.py reads it.
        with Processes() as seen:
            first = deployment.run("provision", "-vvv", matcha_stack="llm").ok()
        assert len(first.changed) == 6, first.output
        deployment.said.append(first.output)
        deployment.said.extend(seen.arguments)
        yield deployment
