# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong in Azure, by a script: rules that say when, and a storm that draws its faults from a seed."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .fault_kinds import AFTER, BEFORE, FATES, KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .arm import Answer, Operation, Request

# What a storm makes of a request: a client that retries comes through all of these.
STORM = (
    "throttled",
    "throttled_without_retry_after",
    "server_error",
    "bad_gateway",
    "bad_gateway_html",
    "unavailable",
    "gateway_timeout",
    "drop_before",
    "drop_after",
)


@dataclass
class Rule:
    """One fault: at the `nth` request that matches (1: the first; 0: every one) and at `times - 1` more after it.

    A `host` can have a star. For the faults of operations, `path` is searched in the kind, a space, and the resource.
    """

    fault: str
    method: str = ".*"
    path: str = ""
    host: str = "management.azure.com"
    nth: int = 1
    times: int = 1
    options: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    done: int = 0

    def __post_init__(self) -> None:
        if self.fault not in KINDS:
            raise ValueError(f"There is no fault {self.fault!r}; there are {', '.join(KINDS)}.")

    def due(self) -> bool:
        """Count one match, and say whether the fault is to happen at it."""
        self.seen += 1
        now = not self.nth or self.nth <= self.seen < self.nth + self.times
        self.done += now
        return now

    def matches(self, request: Request) -> bool:
        return (
            re.fullmatch(self.method, request.method, re.IGNORECASE) is not None
            and re.fullmatch(re.escape(self.host).replace(r"\*", ".*"), request.host) is not None
            and re.search(self.path, request.path, re.IGNORECASE) is not None
        )


class Faults:
    """`rate` is the part of all requests that a storm spoils, `at_most` how many of them one after another."""

    def __init__(
        self,
        seed: int = 0,
        rate: float = 0.0,
        rules: Iterable[Rule | dict[str, Any]] = (),
        kinds: Iterable[str] = STORM,
        at_most: int = 2,
    ) -> None:
        self.rules = [one if isinstance(one, Rule) else Rule(**one) for one in rules]
        self.rate, self.kinds, self.at_most = rate, tuple(kinds), at_most
        # What has happened: the fault's name, the method and the path.
        self.happened: list[tuple[str, str, str]] = []
        self._random = random.Random(seed)
        self._running = 0

    def add(self, fault: str, **rule: Any) -> Rule:
        self.rules.append(Rule(fault, **rule))
        return self.rules[-1]

    def clear(self) -> None:
        self.rules.clear()
        self.rate = 0.0

    def check(self, request: Request) -> Answer | None:
        """Before a provider runs: an answer in place of its own, an exception, or None."""
        name, options = self._choose(request)
        if name is None:
            return None
        self.happened.append((name, request.method, request.path))
        if name in BEFORE:
            return BEFORE[name](request, options)
        request.spoilt = name, options
        return None

    def after(self, request: Request, answer: Answer) -> Answer:
        """Spoil the answer of a request that was carried out."""
        if request.spoilt is None:
            return answer
        name, options = request.spoilt
        return AFTER[name](request, options)

    def fate(self, operation: Operation) -> tuple[str, dict[str, Any]] | None:
        """How an operation that begins now will end: (status, error), or None for well."""
        for rule in self.rules:
            names = f"{operation.kind} {operation.resource}"
            if rule.fault in FATES and re.search(rule.path, names, re.IGNORECASE) and rule.due():
                self.happened.append((rule.fault, operation.kind, operation.resource))
                return FATES[rule.fault](rule.options)
        return None

    def _choose(self, request: Request) -> tuple[str | None, dict[str, Any]]:
        # Every rule counts its matches, also where another one comes first.
        due = [rule for rule in self.rules if rule.fault not in FATES and rule.matches(request) and rule.due()]
        if due:
            return due[0].fault, due[0].options
        if not self.rate or request.host != "management.azure.com":
            return None, {}
        if self._random.random() < self.rate and self._running < self.at_most:
            self._running += 1
            return self._random.choice(self.kinds), {}
        self._running = 0
        return None, {}
