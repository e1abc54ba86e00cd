# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action before every module for Azure: it adds a run, if there is one, and speaks while the module works."""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.matcha.mlops.plugins.plugin_utils import azure_action, fenced

if TYPE_CHECKING:
    from collections.abc import Callable

PYTHON, OTHER = "/venv/bin/python", "/usr/bin/python3"
VARIABLES = {"ansible_playbook_python": PYTHON, "inventory_hostname": "tea"}
RUN = {"matcha_deployment": {"path": "/data/tests", "run": "token"}}


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return what modules would be run with: Ansible runs them."""
    calls: list[dict[str, Any]] = []

    def execute(_self: object, **call: Any) -> dict[str, Any]:
        calls.append(call)
        return {"changed": True}

    monkeypatch.setattr(azure_action.AzureInformation, "_execute_module", execute)
    return calls


def act(
    variables: dict[str, Any],
    transport: str = "local",
    delegate_to: str | None = None,
    module: str = "aks_cluster",
    **options: Any,
) -> Any:
    plugin = importlib.import_module(f"ansible_collections.matcha.mlops.plugins.action.{module}")
    task = SimpleNamespace(
        action=f"matcha.mlops.{module}",
        args=options,
        async_val=0,
        check_mode=False,
        delegate_to=delegate_to,
        get_name=lambda: "Make the cluster",
    )
    connection = SimpleNamespace(transport=transport, _shell=SimpleNamespace(tmpdir="none"))
    return plugin.ActionModule(task, connection, None, None, None).run(task_vars={**VARIABLES, **variables})


def test_it_works_without_a_deployment(executed: list[dict[str, Any]]) -> None:
    assert act({}, name="pot") == {"changed": True}
    (call,) = executed
    assert call["module_name"] == "matcha.mlops.aks_cluster"
    assert call["module_args"] == {"name": "pot"}


def test_the_run_of_a_deployment_fences_it(executed: list[dict[str, Any]]) -> None:
    act(RUN, name="pot")
    assert executed[0]["module_args"] == {"name": "pot", "deployment": "/data/tests", "run": "token"}


def test_what_only_tells_needs_no_fence(executed: list[dict[str, Any]]) -> None:
    act(RUN, module="aks_cluster_info", name="pot")
    assert executed[0]["module_args"] == {"name": "pot"}
    assert executed[0]["task_vars"]["ansible_python_interpreter"] == PYTHON


@pytest.mark.parametrize("fact", [None, {}, {"path": "/data/tests", "run": ""}])
def test_a_deployment_without_a_run_does_not(executed: list[dict[str, Any]], fact: Any) -> None:
    act({"matcha_deployment": fact}, name="pot")
    assert executed[0]["module_args"] == {"name": "pot"}


def test_a_task_can_name_a_run_of_its_own(executed: list[dict[str, Any]]) -> None:
    act(RUN, name="pot", deployment="/mine", run="own")
    assert executed[0]["module_args"] == {"name": "pot", "deployment": "/mine", "run": "own"}


@pytest.mark.parametrize(
    ("variables", "transport", "python"),
    [
        ({}, "local", PYTHON),
        ({"ansible_python_interpreter": OTHER}, "local", OTHER),
        # Another machine has no use for a path on this one.
        ({}, "ssh", None),
        ({"ansible_python_interpreter": OTHER}, "ssh", OTHER),
    ],
)
def test_the_python_that_runs_it(
    executed: list[dict[str, Any]], variables: dict[str, str], transport: str, python: str | None
) -> None:
    act(variables, transport)
    assert executed[0]["task_vars"].get("ansible_python_interpreter") == python


@pytest.mark.parametrize(("there", "python"), [({}, PYTHON), ({"ansible_python_interpreter": OTHER}, OTHER)])
def test_the_python_that_runs_it_for_somebody_else(
    executed: list[dict[str, Any]], there: dict[str, str], python: str
) -> None:
    # Ansible looks only at the variables of the host that the task is delegated to.
    variables = {"ansible_python_interpreter": "/remote/python", "ansible_delegated_vars": {"here": there}}
    act(variables, delegate_to="here")
    assert executed[0]["task_vars"]["ansible_delegated_vars"]["here"]["ansible_python_interpreter"] == python
    assert executed[0]["task_vars"]["ansible_python_interpreter"] == "/remote/python"
    # Nothing of it stays for the next task.
    assert "ansible_python_interpreter" not in there or there["ansible_python_interpreter"] == OTHER


def test_what_takes_long_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wait_until: Callable[..., Any]
) -> None:
    said: list[str] = []
    monkeypatch.setattr(fenced, "INTERVAL", 0.01)

    def slow(_self: object, **_call: Any) -> dict[str, Any]:
        wait_until(lambda: said.append(capsys.readouterr().out) or "so far" in "".join(said), "it is told")
        return {"changed": False}

    monkeypatch.setattr(azure_action.AzureInformation, "_execute_module", slow)
    act({}, name="pot")
    assert "  tea: Make the cluster: 0 s so far" in "".join(said)


def test_what_takes_no_time_is_not(executed: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    act({}, name="pot")
    assert executed
    assert capsys.readouterr().out == ""
