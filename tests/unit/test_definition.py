# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stacks as data, and the guard."""

from __future__ import annotations

import pytest

from ansible_collections.matcha.mlops.plugins.module_utils.stack.definition import (
    Stack,
    StackError,
    check_prefix,
    choose,
    define,
)

KNOWN = ["zenml", "mlflow", "dvc"]
STACKS = {"default": ["zenml", "mlflow"], "llm": ["zenml", "mlflow", "dvc"], "twin": ["zenml", "mlflow", "dvc"]}


@pytest.mark.parametrize("prefix", ["abc", "matcha", "a1234567890"])
def test_good_prefix(prefix: str) -> None:
    assert check_prefix(prefix) == prefix


@pytest.mark.parametrize(
    "prefix", ["ab", "a12345678901", "Matcha", "1abc", "a-b", "a_b", "matcha\n", "mätcha", "../etc"]
)
def test_bad_prefix(prefix: str) -> None:
    with pytest.raises(StackError, match="3 to 11 lower-case letters and digits"):
        check_prefix(prefix)


def test_unknown_stack_gets_the_nearest_one() -> None:
    with pytest.raises(StackError, match="did you mean 'default'"):
        define("defalt", STACKS, KNOWN)


@pytest.mark.parametrize("components", [[], "dvc", {"dvc": 1}, None])
def test_a_stack_is_a_list(components: object) -> None:
    with pytest.raises(StackError, match="must be a list of components"):
        define("own", {"own": components}, KNOWN)  # type: ignore[dict-item]


def test_unknown_component_gets_the_nearest_one() -> None:
    with pytest.raises(StackError, match="did you mean 'zenml'"):
        define("own", {"own": ["zenlm"]}, KNOWN)


def test_a_stack_that_is_asked_for_must_exist_even_if_the_recorded_one_does_not() -> None:
    with pytest.raises(StackError, match="matcha_stack is 'll', and there is no such stack: did you mean 'llm'"):
        choose("ll", Stack("gone", ("dvc",)), STACKS, KNOWN, "tests")


def test_a_component_twice_is_there_once() -> None:
    assert define("own", {"own": ["dvc", "dvc"]}, KNOWN).components == ("dvc",)


@pytest.mark.parametrize(
    ("wanted", "recorded", "expected"),
    [
        ("", None, "default"),
        ("llm", None, "llm"),
        ("", Stack("llm", ("zenml", "mlflow", "dvc")), "llm"),
        ("llm", Stack("llm", ("dvc", "mlflow", "zenml")), "llm"),
        # A team's own, which has left matcha_stacks.
        ("", Stack("gone", ("dvc",)), "gone"),
        ("gone", Stack("gone", ("dvc",)), "gone"),
    ],
)
def test_the_stack_to_work_on(wanted: str, recorded: Stack | None, expected: str) -> None:
    found = choose(wanted, recorded, STACKS, KNOWN, "tests")
    assert found.name == expected
    assert recorded is None or found == recorded


@pytest.mark.parametrize(
    ("wanted", "recorded"),
    [
        ("default", Stack("llm", ("zenml", "mlflow", "dvc"))),
        ("twin", Stack("llm", ("zenml", "mlflow", "dvc"))),
        ("llm", Stack("llm", ("zenml", "mlflow"))),
        ("", Stack("llm", ("zenml",))),
        ("default", Stack("gone", ("dvc",))),
    ],
)
def test_a_stack_is_not_changed(wanted: str, recorded: Stack) -> None:
    with pytest.raises(StackError, match="cannot be changed while its deployment exists") as error:
        choose(wanted, recorded, STACKS, KNOWN, "tests")
    # Both are named, and the way out.
    for part in (str(recorded), f"'{wanted or recorded.name}'", "destroy.yml", "matcha_prefix"):
        assert part in str(error.value)


def test_of_a_lost_state_the_name_of_its_stack_is_enough() -> None:
    assert choose("", Stack("llm", ()), STACKS, KNOWN, "tests") == define("llm", STACKS, KNOWN)
    assert choose("llm", Stack("llm", ()), STACKS, KNOWN, "tests") == define("llm", STACKS, KNOWN)
    with pytest.raises(StackError, match=r"has the stack 'llm' \(zenml, mlflow, dvc\), and a stack cannot be changed"):
        choose("default", Stack("llm", ()), STACKS, KNOWN, "tests")
    # One that nobody defines any more keeps others out, and cannot be worked on.
    with pytest.raises(StackError, match="has the stack 'gone', and a stack cannot be changed"):
        choose("default", Stack("gone", ()), STACKS, KNOWN, "tests")
    for wanted in ("", "gone"):
        with pytest.raises(StackError, match="matcha_stack is 'gone', and there is no such stack"):
            choose(wanted, Stack("gone", ()), STACKS, KNOWN, "tests")
