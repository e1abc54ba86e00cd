# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module's life, in fair weather and in a storm: create, again, each change alone, check mode, delete, again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from modules.cases import CASES
from modules.harness import Case, ModuleError, Mutation, changed_paths, filled, flat, run_module, within

if TYPE_CHECKING:
    import random

    from modules.conftest import Azure


def settle(azure: Azure, case: Case) -> Case:
    """Make what must be there before the case begins. Return the case with what is known then."""
    made: dict[str, Any] = {"me": {"object_id": azure.simulator.owner.object_id}}
    for name, params in case.setup:
        made[name] = run_module(name, **filled(params, made))["resource"]
    return replace(case, params=filled(case.params, made), absent=filled(case.absent, made))


def ok(azure: Azure, module: str, **params: Any) -> dict[str, Any]:
    """Run a task that has nothing to do: it says so, and sends no write."""
    azure.forget()
    result = run_module(module, **params)
    assert not result["changed"], result["diff"]
    assert azure.writes() == []
    return result


def planned(azure: Azure, module: str, **params: Any) -> dict[str, Any]:
    """Run a task in check mode: it sends no write."""
    azure.forget()
    result = run_module(module, check_mode=True, **params)
    assert azure.writes() == []
    return result


def do(azure: Azure, module: str, **params: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run a task that has something to do, and see that check mode foretells it, and that it is done then.

    Return both results.
    """
    plan = planned(azure, module, **params)
    azure.forget()
    result = run_module(module, **params)
    assert result["changed"]
    assert azure.writes()
    assert plan["changed"]
    assert plan["diff"] == result["diff"]
    return plan, result


def changed_by_writes(azure: Azure, before: dict[str, Any]) -> set[str]:
    """Return the paths at which what was sent differs from the resource as it was."""
    had = flat(before)
    bodies = [
        each["body"] for each in azure.since() if each["method"] in ("PUT", "PATCH") and each["path"] == before["id"]
    ]
    return {path for body in bodies for path, value in flat(body).items() if had.get(path) != value}


def change(azure: Azure, case: Case, params: dict[str, Any], mutation: Mutation) -> dict[str, Any]:
    """Change what a mutation names, and nothing else. Return the options from then on."""
    params = {**params, **mutation.options}
    plan, result = do(azure, case.module, **params)
    found = changed_paths(result["diff"])
    assert found, result["diff"]
    assert within(found, mutation.changes), f"{found} is more than {mutation.changes}"
    sent = changed_by_writes(azure, plan["resource"])
    assert within(sent, mutation.changes), f"{sent} were sent, which is more than {mutation.changes}"
    ok(azure, case.module, **params)
    return params


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_module_in_fair_weather(azure: Azure, case: Case) -> None:
    case = settle(azure, case)
    ok(azure, case.module, **case.removal)
    do(azure, case.module, **case.params)
    ok(azure, case.module, **case.params)
    params = dict(case.params)
    for mutation in case.mutations:
        params = change(azure, case, params, mutation)
    for options, words in case.immutable:
        azure.forget()
        with pytest.raises(ModuleError, match=words):
            run_module(case.module, **{**params, **options})
        assert azure.writes() == []
    do(azure, case.module, **case.removal)
    ok(azure, case.module, **case.removal)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_module_in_a_storm(azure: Azure, case: Case, rng: random.Random) -> None:
    case = settle(azure, case)
    azure.storm(rng.randrange(10**6))

    def persist(**params: Any) -> None:
        # An operation may end Failed or Canceled: that is said, and the next run mends it.
        for _attempt in range(8):
            try:
                run_module(case.module, **params)
                return
            except ModuleError as error:
                if not error.result["failure"]["code"]:
                    raise
        pytest.fail(f"{case.module} did not get through in eight runs")

    persist(**case.params)
    params = dict(case.params)
    for mutation in case.mutations:
        params = {**params, **mutation.options}
        persist(**params)
    azure.calm()
    ok(azure, case.module, **params)
    azure.storm(rng.randrange(10**6))
    persist(**case.removal)
    azure.calm()
    ok(azure, case.module, **case.removal)
