# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deployment tells the world: the table of outputs, its secrets, its formats.

A role records ``{resource: {"flavor": …, "properties": {property: value}}}``, where a secret is
``{"secret": name}``, or ``{"connection_string": storage account}`` whose key Azure keeps. Here these become plain
values, masked unless asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from ..module_utils.errors import MatchaError
from ..module_utils.stack.definition import did_you_mean
from ..module_utils.stack.state import State

MASK = "********"
FORMATS = ("text", "json", "yaml")
REFERENCES = ({"secret"}, {"connection_string"})

Outputs = dict[str, dict[str, Any]]
# What reads the secret that a reference names.
Reveal = Callable[[Mapping[str, str]], str]


class OutputError(MatchaError):
    """An output that does not exist, or cannot be shown."""


def is_secret(value: Any) -> bool:
    """Return whether a recorded value is a reference to a secret."""
    return isinstance(value, Mapping) and set(value) in REFERENCES


def recorded(state: State) -> Outputs:
    """Return every output that the state knows, with references in place of secrets."""
    found: Outputs = {
        "cloud": {
            "flavor": state["target"],
            "prefix": state["prefix"],
            "location": state.get("location", "local"),
            **({"resource-group-name": state["resource_group"]} if "resource_group" in state else {}),
        },
        "id": {"matcha_uuid": state["matcha_uuid"]},
    }
    for component in state["components"].values():
        for resource, output in component.get("outputs", {}).items():
            found[resource] = {"flavor": output["flavor"], **output["properties"]}
    return dict(sorted(found.items()))


def select(outputs: Outputs, resource: str = "", name: str = "") -> Any:
    """Return all outputs, those of one resource, or one property. Raises ``OutputError`` with the nearest name."""
    if not resource:
        if name:
            raise OutputError("matcha_property needs matcha_resource: name the resource too.")
        return outputs
    if resource not in outputs:
        raise OutputError(f"There is no resource '{resource}': {did_you_mean(resource, outputs)}")
    if not name:
        return {resource: outputs[resource]}
    if name not in outputs[resource]:
        raise OutputError(f"'{resource}' has no property '{name}': {did_you_mean(name, outputs[resource])}")
    return outputs[resource][name]


def resolve(value: Any, reveal: Reveal | None) -> Any:
    """Put values in place of references to secrets; a mask without ``reveal``."""
    if is_secret(value):
        return reveal(value) if reveal else MASK
    if isinstance(value, Mapping):
        return {key: resolve(item, reveal) for key, item in value.items()}
    return value


def query(value: Any, expression: str) -> Any:
    """Return what a JMESPath expression finds. Raises ``OutputError``."""
    try:
        import jmespath
    except ImportError as error:
        raise OutputError("matcha_query needs the Python package jmespath: install requirements.txt.") from error
    try:
        return jmespath.search(expression, value)
    except jmespath.exceptions.JMESPathError as error:
        raise OutputError(f"matcha_query is not a valid JMESPath expression: {error}") from error


def render(value: Any, form: str) -> str:
    """Return a value as text, JSON or YAML, ending with a line's end."""
    if form == "json":
        return json.dumps(value, indent=2) + "\n"
    if form == "yaml":
        return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=10**6)).removesuffix("...\n")
    return "\n".join(_lines(value, "")) + "\n"


def _lines(value: Any, indent: str) -> list[str]:
    if isinstance(value, Mapping):
        width = max((len(str(key)) for key, item in value.items() if not isinstance(item, Mapping)), default=0)
        lines = []
        for key, item in value.items():
            if isinstance(item, Mapping):
                lines += [f"{indent}{key}", *_lines(item, indent + "  ")]
            else:
                lines.append(f"{indent}{key:<{width}}  {_word(item)}")
        return lines
    if isinstance(value, list):
        return [line for item in value for line in _lines(item, indent)]
    return [f"{indent}{_word(value)}"]


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
