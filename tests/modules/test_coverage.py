# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every option that Azure can change is changed by some mutation of its module's cases.

An option is changed where a mutation gives it another value than the case gave it before, be that none.
"""

from __future__ import annotations

import importlib
import inspect
import re
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.matcha.mlops.plugins.module_utils.azure.kind import Kind
from modules.cases import CASES
from modules.harness import PLUGINS, Case, Mutation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ansible_collections.matcha.mlops.plugins.module_utils.azure.options import Options

MODULES = sorted({case.module for case in CASES})
# Options that no mutation can change, by module, each with the reason.
EXCEPTIONS: dict[str, dict[str, str]] = {
    "mysql_flexible_server": {
        "administrator_login_password": "Azure never tells it: with update_password=always, each run changes it",
    },
    "public_ip_address": {
        "public_ip_allocation_method": "only an address of the old Basic SKU can change it, and Azure makes none now",
    },
}


def kind_of(module: str) -> Kind:
    """Return the kind that a module runs."""
    found = vars(importlib.import_module(f"{PLUGINS}.modules.{module}")).values()
    (kind,) = (each for each in found if inspect.isclass(each) and issubclass(each, Kind) and each is not Kind)
    return kind()


def mutable(options: Options, inner: str = "", children: Mapping[str, Any] | None = None) -> Iterator[str]:
    """Yield the names of all options that Azure can change, those inside of others as "outer.inner"."""
    for name, option in options.items():
        if option.immutable:
            continue
        if option.options:
            yield from mutable(option.options, f"{inner}{name}.")
        elif option.azure != "-" or name in (children or ()):
            yield f"{inner}{name}"


def values(options: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every option that is named, and its value; elements of lists by their names, or else by their places."""
    if isinstance(options, dict):
        yield path, options
        for name, value in options.items():
            yield from values(value, f"{path}.{name}" if path else name)
    elif isinstance(options, list) and options and all(isinstance(each, dict) for each in options):
        for place, each in enumerate(options):
            yield from values(each, f"{path}[{each.get('name', place)}]")
    else:
        yield path, options


def changed(case: Case) -> set[str]:
    """Return the names of the options that a case's mutations change."""
    found: set[str] = set()
    known = dict(values(case.params))
    for mutation in case.mutations:
        named = dict(values(mutation.options))
        found |= {re.sub(r"\[[^]]*\]", "", path) for path, value in named.items() if known.get(path) != value}
        known |= named
    return found


def unchanged(module: str, cases: list[Case]) -> set[str]:
    """Return the names of the options that Azure can change, and that nothing changes."""
    kind = kind_of(module)
    tried = {path for case in cases if case.module == module for path in changed(case)}
    return set(mutable(kind.options, children=kind.children)) - tried


@pytest.mark.parametrize("module", MODULES)
def test_every_option_that_can_change_does(module: str) -> None:
    excused = EXCEPTIONS.get(module, {})
    missing = unchanged(module, CASES)
    assert missing <= excused.keys(), f"no mutation changes {sorted(missing - excused.keys())}"
    assert excused.keys() <= missing, f"no exceptions are {sorted(excused.keys() - missing)}"
    assert all(excused.values())


def test_what_is_only_named_is_not_changed() -> None:
    params = {"storage": {"iops": 1000}, "firewall_rules": [{"name": "kettle", "start_ip_address": "192.0.2.1"}]}
    case = Case("mysql_flexible_server", params, mutations=[Mutation({**params, "version": "8.4"}, {"properties"})])
    missing = unchanged(case.module, [case])
    assert "version" not in missing
    assert {"storage.iops", "firewall_rules.start_ip_address", "sku.name", "configurations"} <= missing
