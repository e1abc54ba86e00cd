# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action before every module for Kubernetes: it knows the cluster and the run, and says what is awaited."""

from __future__ import annotations

import importlib
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.matcha.mlops.plugins.plugin_utils import azure_action, kubernetes_action

RUN = {"matcha_deployment": {"path": "/data/tests", "run": "token"}}
PLATFORM = {
    "matcha_platform": {"cluster": {"kubeconfig": "/k", "context": "tea", "openshift": True, "name": "tea-k8s"}}
}
CLUSTER = {"kubeconfig": "/k", "context": "tea", "openshift": True}


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = []

    def execute(_self: object, **call: Any) -> dict[str, Any]:
        calls.append(call["module_args"])
        return {"changed": True}

    monkeypatch.setattr(azure_action.AzureInformation, "_execute_module", execute)
    return calls


def act(variables: dict[str, Any], module: str = "objects", transport: str = "local", **options: Any) -> Any:
    plugin = importlib.import_module(f"ansible_collections.matcha.mlops.plugins.action.kubernetes_{module}")
    name = f"matcha.mlops.kubernetes_{module}"
    task = SimpleNamespace(
        action=name, args=options, async_val=0, check_mode=False, delegate_to=None, get_name=lambda: "Serve tea"
    )
    connection = SimpleNamespace(transport=transport, _shell=SimpleNamespace(tmpdir="none"))
    variables = {"ansible_playbook_python": "/venv/bin/python", "inventory_hostname": "matcha-tea", **variables}
    return plugin.ActionModule(task, connection, None, None, None).run(task_vars=variables)


def test_the_platforms_cluster_and_the_run(executed: list[dict[str, Any]]) -> None:
    act({**RUN, **PLATFORM}, objects=[])
    folder = executed[0].pop("progress_file")
    assert executed == [{"objects": [], "deployment": "/data/tests", "run": "token", **CLUSTER}]
    # Nothing of it stays.
    assert not Path(folder).parent.exists()


def test_what_only_tells_needs_no_run(executed: list[dict[str, Any]]) -> None:
    act({**RUN, **PLATFORM}, module="cluster_info")
    assert executed == [CLUSTER]


@pytest.mark.parametrize("module", ["objects", "job", "objects_info", "cluster_info"])
def test_a_task_names_a_cluster_of_its_own(executed: list[dict[str, Any]], module: str) -> None:
    act(PLATFORM, module=module, kubeconfig="/mine")
    assert {key: executed[0].get(key) for key in CLUSTER} == {"kubeconfig": "/mine", "context": None, "openshift": None}


@pytest.mark.parametrize("platform", [{}, {"matcha_platform": {}}, {"matcha_platform": {"cluster": {}}}])
def test_without_a_platform(executed: list[dict[str, Any]], platform: dict[str, Any]) -> None:
    act(platform, module="objects_info", kind="Pod")
    assert executed == [{"kind": "Pod"}]


def test_another_machine_has_no_progress_to_tell(executed: list[dict[str, Any]]) -> None:
    act({}, transport="ssh", objects=[])
    assert executed == [{"objects": []}]


def test_it_says_what_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    enough = threading.Event()

    def display(_self: object, text: str) -> None:
        said.append(text)
        if len(said) == 3:
            enough.set()

    def execute(_self: object, **call: Any) -> dict[str, Any]:
        assert enough.wait(60)
        Path(call["module_args"]["progress_file"]).write_text("waiting for Deployment tea/tea (0 of 1 pods)")
        enough.clear()
        said.clear()
        assert enough.wait(60)
        return {"changed": True}

    monkeypatch.setattr(kubernetes_action, "INTERVAL", 0.01)
    monkeypatch.setattr(kubernetes_action.Display, "display", display)
    monkeypatch.setattr(azure_action.AzureInformation, "_execute_module", execute)
    act({}, objects=[])
    assert said[-1].startswith("  matcha-tea: Serve tea: waiting for Deployment tea/tea (0 of 1 pods), ")
    assert said[-1].endswith(" s so far")
