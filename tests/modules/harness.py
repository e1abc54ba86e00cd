# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module's own `main` in this process, with the real SDKs, and describe what a module's life is tried with."""

from __future__ import annotations

import importlib
import io
import json
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

if TYPE_CHECKING:
    from collections.abc import Mapping

PLUGINS = "ansible_collections.matcha.mlops.plugins"
USER_AGENT = "matcha.mlops"


class ModuleError(AssertionError):
    """A module failed; `result` is what it said."""

    def __init__(self, result: Mapping[str, Any]) -> None:
        super().__init__(result.get("msg"))
        self.result = result


def run_module(name: str, /, *, check_mode: bool = False, **params: Any) -> dict[str, Any]:
    """Return a module's result as Ansible reads it. Raises `ModuleError` where it fails."""
    module = importlib.import_module(f"{PLUGINS}.modules.{name}")
    printed = io.StringIO()
    warnings: list[str] = []

    # Ansible shows them where its controller shares the process, as in a run of all tests, and else returns them.
    def warn(_module: AnsibleModule, text: str, **_options: Any) -> None:
        warnings.append(text)

    arguments = {**params, "_ansible_check_mode": check_mode, "_ansible_diff": True}
    with patch_module_args(arguments), patch.object(AnsibleModule, "warn", warn), redirect_stdout(printed):
        try:
            module.main()
        except SystemExit:
            pass
        else:
            raise AssertionError(f"{name} did not end")
    result: dict[str, Any] = json.loads(printed.getvalue().strip().splitlines()[-1])
    if result.get("failed"):
        raise ModuleError(result)
    return {**result, "warnings": warnings}


@dataclass(frozen=True)
class Of:
    """In place of an option: what is at a path of something that the setup made, or of `me`, who signs in."""

    module: str
    path: str


def filled(options: Any, made: Mapping[str, Any]) -> Any:
    """Return options with values in place of every `Of`."""
    if isinstance(options, Of):
        found = made[options.module]
        for step in options.path.split("."):
            found = found[step]
        return found
    if isinstance(options, dict):
        return {key: filled(value, made) for key, value in options.items()}
    return [filled(each, made) for each in options] if isinstance(options, list) else options


@dataclass(frozen=True)
class Mutation:
    """One option, or one group of options that go together, changed alone."""

    options: dict[str, Any]
    # Paths of the diff that change, such as "properties.sku" or "tags"; nothing else may.
    changes: set[str]


@dataclass(frozen=True)
class Case:
    """A module's life."""

    module: str
    # What makes the resource; and what must be there before.
    params: dict[str, Any]
    setup: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    mutations: list[Mutation] = field(default_factory=list)
    # Options that cannot be changed, with words of the message that says so.
    immutable: list[tuple[dict[str, Any], str]] = field(default_factory=list)
    # What a task that removes it says beside its state; the whole of `params` if empty.
    absent: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.module

    @property
    def removal(self) -> dict[str, Any]:
        return {**(self.absent or self.params), "state": "absent"}


def flat(tree: Any, prefix: str = "") -> dict[str, Any]:
    """Return the leaves of a tree by their paths; an element of a list is known by its name."""
    if isinstance(tree, dict) and tree:
        parts = [(value, f"{prefix}.{key}" if prefix else key) for key, value in tree.items()]
    elif isinstance(tree, list) and tree and all(isinstance(each, dict) and "name" in each for each in tree):
        parts = [({k: v for k, v in each.items() if k != "name"}, f"{prefix}[{each['name']}]") for each in tree]
    else:
        return {prefix: tree}
    return {path: leaf for part, name in parts for path, leaf in flat(part, name).items()}


def changed_paths(diff: Mapping[str, Any]) -> set[str]:
    """Return the paths at which before and after differ."""
    return {path for side in ("before", "after") for path in (flat(diff[side]) if diff[side] else ())}


def within(found: set[str], allowed: set[str]) -> bool:
    """Return whether every path is one of those, or below one of them."""
    return all(any(path == each or path.startswith((f"{each}.", f"{each}[")) for each in allowed) for path in found)
