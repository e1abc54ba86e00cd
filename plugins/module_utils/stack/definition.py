# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stacks, components and prefixes: what they may be, and the guard that keeps a stack as it is."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from ..errors import MatchaError

# Azure's tightest limit: with it every name that is made from a prefix is valid.
PREFIX = re.compile(r"[a-z][a-z0-9]{2,10}")
DEFAULT = "default"


class StackError(MatchaError):
    """A stack, a component or a prefix that cannot be."""


@dataclass(frozen=True)
class Stack:
    """A name and the components that a deployment of it has; none where only the name is known."""

    name: str
    components: tuple[str, ...]

    def __str__(self) -> str:
        """Return the stack as a message shows it."""
        return f"'{self.name}'" + (f" ({', '.join(self.components)})" if self.components else "")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint at the nearest known name, and all of them."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'? " if near else ""
    return f"{hint}There are: {', '.join(names)}."


def check_prefix(prefix: str) -> str:
    """Return the prefix. Raises ``StackError`` unless every name can be made from it."""
    if not PREFIX.fullmatch(prefix):
        raise StackError(
            f"matcha_prefix is '{prefix}': it must have 3 to 11 lower-case letters and digits, beginning with a letter."
        )
    return prefix


def define(name: str, stacks: Mapping[str, Sequence[str]], known: Collection[str]) -> Stack:
    """Return a stack by its name.

    ``stacks`` holds the components of each stack, ``known`` the components that exist. Raises
    ``StackError`` for a name that is in neither.
    """
    if name not in stacks:
        raise StackError(f"matcha_stack is '{name}', and there is no such stack: {did_you_mean(name, stacks)}")
    components = stacks[name]
    if isinstance(components, str) or not isinstance(components, Sequence) or not components:
        raise StackError(
            f"The stack '{name}' in matcha_stacks must be a list of components: {', '.join(sorted(known))}."
        )
    for component in components:
        if component not in known:
            raise StackError(
                f"The stack '{name}' has the component '{component}', which does not exist: "
                f"{did_you_mean(str(component), known)}"
            )
    return Stack(name, tuple(dict.fromkeys(components)))


def choose(
    wanted: str, recorded: Stack | None, stacks: Mapping[str, Sequence[str]], known: Collection[str], prefix: str
) -> Stack:
    """Return the stack to work on: the one that is asked for, else the recorded one, else ``default``.

    This is the guard: raises ``StackError`` where a deployment has another stack, or the same one
    with other components.
    """
    if recorded is None:
        return define(wanted or DEFAULT, stacks, known)
    if not recorded.components and (recorded.name in stacks or (wanted or recorded.name) == recorded.name):
        recorded = define(recorded.name, stacks, known)
    # A team's own stack may have left matcha_stacks since: the deployment knows its components.
    if recorded.name not in stacks and (wanted or recorded.name) == recorded.name:
        return recorded
    stack = define(wanted or recorded.name, stacks, known)
    if stack.name != recorded.name or set(stack.components) != set(recorded.components):
        raise StackError(
            f"The deployment '{prefix}' has the stack {recorded}, and a stack cannot be changed while its deployment "
            f"exists; asked for was {stack}. Leave matcha_stack unset to go on with it, destroy the deployment first "
            f"(destroy.yml), or choose another matcha_prefix."
        )
    return recorded
