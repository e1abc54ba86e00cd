# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that several kinds have in the same way: identities, and rules of who may connect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..kind import Params
from ..options import Option

BOTH = "SystemAssigned, UserAssigned"


def same_but_blanks(wanted: Any, found: Any) -> bool:
    """Compare lists in one text, which some write with blanks."""
    return _packed(wanted) == _packed(found)


def _packed(value: Any) -> str:
    return str(value).replace(" ", "").casefold()


def identity(write_type: Callable[[Any], Any] = str) -> Option:
    """Return the option of a resource's own identity; ``write_type`` is how its provider spells a type."""
    return Option(
        "dict",
        options={
            "type": Option(
                choices=("None", "SystemAssigned", "UserAssigned", BOTH),
                absent=("None",),
                same=same_but_blanks,
                write=write_type,
            ),
            "user_assigned_identities": Option(
                "list",
                write=lambda ids: {each: {} for each in ids},
                # None is one that goes.
                read=lambda found: [each for each, known in found.items() if known is not None],
                merged=True,
            ),
        },
    )


def rules(key: str) -> dict[str, Any]:
    """Return the spelling of an option that is a list of who may connect, each of them below a key at Azure."""
    return {
        "write": lambda wanted: [{key: each, "action": "Allow"} for each in wanted],
        "read": lambda found: [each[key] for each in found],
    }


def with_default_action(params: Params, name: str, found: Any) -> Params:
    """Return the options; rules that are new forbid what they don't allow, if the task does not say otherwise."""
    wanted = params.get(name)
    if not isinstance(wanted, Mapping) or wanted.get("default_action") or found:
        return params
    return {**params, name: {**wanted, "default_action": "Deny"}}
