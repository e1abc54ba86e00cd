# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the credential may do at a scope, by all of its roles: also through groups, and custom ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from .arm import Arm
from .errors import AzureError

AUTHORIZATION_API = "2022-04-01"
EXCEPT = {"actions": "notActions", "dataActions": "notDataActions"}


def missing_rights(arm: Arm, scope: str, wanted: Iterable[str], kind: str) -> tuple[str, list[str]]:
    """Return the scope that was looked at, and which of the actions are not granted there. Raises ``AzureError``.

    What is not there yet inherits the rights of what is around it.
    """
    *narrow, widest = scopes(scope or f"/subscriptions/{arm.subscription}")
    for each in narrow:
        try:
            return each, _missing(arm, each, wanted, kind)
        except AzureError as error:
            if error.status != 404:
                raise
    return widest, _missing(arm, widest, wanted, kind)


def _missing(arm: Arm, scope: str, wanted: Iterable[str], kind: str) -> list[str]:
    found = list(arm.pages(f"{scope}/providers/Microsoft.Authorization/permissions", AUTHORIZATION_API))
    return [action for action in wanted if not any(grants(one, action, kind) for one in found)]


def scopes(scope: str) -> Iterator[str]:
    """Yield a scope, then its resource group and its subscription."""
    scope = scope.rstrip("/")
    yield scope
    parts = scope.split("/")
    for length in (5, 3):
        if len(parts) > length and parts[1].casefold() == "subscriptions":
            yield "/".join(parts[:length])


def grants(permission: Mapping[str, Any], action: str, kind: str) -> bool:
    """Return whether one role's permission has an action: named by it, and not taken out again."""

    def named(key: str) -> bool:
        return any(fnmatchcase(action.casefold(), pattern.casefold()) for pattern in permission.get(key) or ())

    return named(kind) and not named(EXCEPT[kind])
