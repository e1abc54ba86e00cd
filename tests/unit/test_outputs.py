# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outputs: the table, its secrets, its formats; and the options of the action plugins."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from ansible_collections.matcha.mlops.plugins.module_utils.errors import MatchaError
from ansible_collections.matcha.mlops.plugins.module_utils.stack.definition import Stack
from ansible_collections.matcha.mlops.plugins.module_utils.stack.state import new_state
from ansible_collections.matcha.mlops.plugins.plugin_utils.action import as_bool, as_number, deployment_of
from ansible_collections.matcha.mlops.plugins.plugin_utils.outputs import (
    OutputError,
    query,
    recorded,
    render,
    resolve,
    select,
)


@pytest.fixture
def outputs() -> dict[str, Any]:
    state = new_state("tests", "local", Stack("own", ("mlflow",)))
    tracker = {"flavor": "mlflow", "properties": {"username": "admin", "password": {"secret": "mlflow-password"}}}
    state["components"]["mlflow"] = {"version": "1", "outputs": {"experiment-tracker": tracker}}
    return recorded(state)


def test_the_table(outputs: dict[str, Any]) -> None:
    assert list(outputs) == ["cloud", "experiment-tracker", "id"]
    assert outputs["cloud"] == {"flavor": "local", "prefix": "tests", "location": "local"}


def test_secrets_are_masked_unless_asked_for(outputs: dict[str, Any]) -> None:
    assert resolve(outputs, None)["experiment-tracker"]["password"] == "********"
    outputs["pipeline"] = {"connection-string": {"connection_string": "testszenmlacc"}}
    assert resolve(outputs, None)["pipeline"] == {"connection-string": "********"}
    seen = resolve(outputs, lambda reference: " of ".join(*reference.items()))
    assert seen["experiment-tracker"]["password"] == "secret of mlflow-password"
    assert seen["pipeline"]["connection-string"] == "connection_string of testszenmlacc"


def test_selecting(outputs: dict[str, Any]) -> None:
    assert select(outputs) == outputs
    assert select(outputs, "cloud") == {"cloud": outputs["cloud"]}
    assert select(outputs, "cloud", "prefix") == "tests"
    with pytest.raises(OutputError, match="did you mean 'experiment-tracker'"):
        select(outputs, "experiment")
    with pytest.raises(OutputError, match="did you mean 'prefix'"):
        select(outputs, "cloud", "prefx")
    with pytest.raises(OutputError, match="name the resource too"):
        select(outputs, "", "prefix")


def test_queries(outputs: dict[str, Any]) -> None:
    assert query(outputs, "cloud.prefix") == "tests"
    assert query(outputs, "nothing") is None
    with pytest.raises(OutputError, match="not a valid JMESPath expression"):
        query(outputs, "[")


@pytest.mark.parametrize("value", ["text", 1, None, ["a", "b"], {"a": {"b": "ü" * 300}}, True])
def test_machines_read_what_is_rendered(value: Any) -> None:
    assert json.loads(render(value, "json")) == value
    assert yaml.safe_load(render(value, "yaml")) == value


@pytest.mark.parametrize("form", ["json", "yaml", "text"])
def test_one_value_is_one_line(form: str) -> None:
    # A shell puts it into a variable.
    assert render("a word and another " * 50, form).count("\n") == 1


def test_people_read_text(outputs: dict[str, Any]) -> None:
    assert render("http://127.0.0.1:1", "text") == "http://127.0.0.1:1\n"
    assert render({"cloud": outputs["cloud"]}, "text") == (
        "cloud\n  flavor    local\n  prefix    tests\n  location  local\n"
    )
    assert render(["a", {"b": 1}], "text") == "a\nb  1\n"


@pytest.mark.parametrize(
    ("value", "expected"), [("", False), (None, False), ("true", True), ("no", False), (True, True)]
)
def test_truth(value: Any, expected: bool) -> None:
    assert as_bool(value, "matcha_force") is expected


def test_no_truth() -> None:
    with pytest.raises(MatchaError, match="matcha_force is 'perhaps': set it to true or false"):
        as_bool("perhaps", "matcha_force")


@pytest.mark.parametrize(("value", "expected"), [("", None), (None, None), ("5", 5), (5, 5)])
def test_number(value: Any, expected: int | None) -> None:
    assert as_number(value, "matcha_lock_timeout", 0, 10) == expected


@pytest.mark.parametrize("value", ["five", "-1", "11", "1.5", 11])
def test_no_number(value: Any) -> None:
    with pytest.raises(MatchaError, match="set it to a whole number from 0 to 10"):
        as_number(value, "matcha_lock_timeout", 0, 10)


@pytest.mark.parametrize("variables", [{}, {"matcha_deployment": "x"}, {"matcha_deployment": {"run": ""}}])
def test_without_the_guard_nothing_is_done(variables: dict[str, Any]) -> None:
    with pytest.raises(MatchaError, match="did not run on this host before, so nothing guards the deployment"):
        deployment_of(variables)
