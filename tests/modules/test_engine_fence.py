# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that has lost its deployment's lock writes nothing more to Azure, wherever it was."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from ansible_collections.matcha.mlops.plugins.module_utils.stack import watcher
from ansible_collections.matcha.mlops.plugins.module_utils.stack.lock import LocalLock
from modules.cases import CLUSTER, GROUP
from modules.harness import ModuleError, run_module
from modules.meddling import Meddler

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from modules.conftest import Azure

TEA = "/resourceGroups/tea"
LOST = "This run does not hold the lock any more"


class Run:
    """A run on a deployment, as the role `stack` begins one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.token = LocalLock(folder).try_acquire("test") or ""
        self._watcher = json.loads((folder / watcher.HOLDER).read_text(encoding="utf-8"))["watcher"]["pid"]

    @property
    def options(self) -> dict[str, str]:
        return {"deployment": str(self.folder), "run": self.token}

    def lose(self) -> None:
        """Somebody takes the lock away, as `unlock.yml` begins to; it would go on to end this very process."""
        watcher.forget_holder(self.folder, self.token)

    def end(self) -> None:
        os.kill(self._watcher, signal.SIGTERM)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    found = Run(tmp_path / "tests")
    yield found
    found.end()


def test_the_holder_writes(azure: Azure, run: Run) -> None:
    assert run_module("resource_group", **GROUP, **run.options)["changed"]
    assert len(azure.writes()) == 1


def test_a_run_that_lost_its_lock_does_not_begin(azure: Azure, run: Run) -> None:
    run.lose()
    with pytest.raises(ModuleError, match=LOST):
        run_module("resource_group", **GROUP, **run.options)
    assert azure.log() == []


def test_a_lock_that_is_lost_after_the_reading_stops_the_write(azure: Azure, run: Run) -> None:
    Meddler(azure).before("GET", TEA, run.lose)
    with pytest.raises(ModuleError, match=LOST):
        run_module("resource_group", **GROUP, **run.options)
    assert [each["method"] for each in azure.since()] == ["GET"]


@pytest.mark.parametrize("fault", ["drop_before", "server_error", "another_operation"])
def test_a_lock_that_is_lost_during_a_write_stops_its_repetition(
    azure: Azure, run: Run, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    run_module("resource_group", **GROUP)
    azure.forget()
    azure.simulator.faults.add(fault, method="PUT")
    check = azure.simulator.faults.check

    def lose(request: object) -> object:
        if getattr(request, "method", "") == "PUT":
            run.lose()
        return check(request)  # type: ignore[arg-type]

    monkeypatch.setattr(azure.simulator.faults, "check", lose)
    with pytest.raises(ModuleError, match=LOST):
        run_module("aks_cluster", **CLUSTER, **run.options)
    assert [each["method"] for each in azure.since() if each["method"] not in ("GET", "HEAD")] == ["PUT"]


def test_a_lock_that_is_lost_between_two_writes_stops_the_second(azure: Azure, run: Run) -> None:
    azure.simulator.unregister("Microsoft.ContainerService")
    run_module("resource_group", **GROUP)
    azure.forget()
    Meddler(azure).before("PUT", "managedClusters/pot", run.lose)
    with pytest.raises(ModuleError, match=LOST):
        run_module("aks_cluster", **CLUSTER, **run.options)
    assert [each.split()[0] for each in azure.writes()] == ["PUT"]


def test_reading_needs_no_lock(azure: Azure, run: Run) -> None:
    run.lose()
    assert run_module("resource_group", check_mode=True, **GROUP, **run.options)["changed"]
    assert [each["method"] for each in azure.since()] == ["GET"]


def test_polling_goes_on_without_the_lock(azure: Azure, run: Run) -> None:
    run_module("resource_group", **GROUP)
    azure.forget()
    Meddler(azure).before("GET", "/operations/[^/]+", run.lose)
    # What was begun with it ends well.
    assert run_module("aks_cluster", **CLUSTER, **run.options)["changed"]
    assert len(azure.writes()) == 1


def test_without_a_run_nothing_is_fenced(azure: Azure, tmp_path: Path) -> None:
    assert run_module("resource_group", **GROUP, deployment=str(tmp_path))["changed"]
    assert run_module("resource_group", **{**GROUP, "name": "cup"}, run="")["changed"]
    assert len(azure.writes()) == 2
