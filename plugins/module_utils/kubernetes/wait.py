# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for many objects together, say what is awaited, and give up where nothing is to be hoped for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from .client import Cluster
from .content import redacted
from .errors import KubernetesError, UnreadyError
from .model import Object, label
from .objects import side_by_side
from .ready import FailedError, unready
from .trouble import Trouble, last_words, troubles

# Seconds between two looks, and for how long a trouble that seems hopeless may pass: caches and grants take a while.
INTERVAL, PATIENCE = 1.0, 45.0
# So many crashes take some three minutes. One that had as many before may have been mended: it has one more try.
CRASHES = 5


@dataclass
class Waiter:
    """Waits. ``say`` is told what is awaited; ``hidden`` are the values that no message may show."""

    cluster: Cluster
    timeout: float
    say: Callable[[str], None] = lambda _text: None
    hidden: Iterable[str] = ()
    _since: dict[str, float] = field(default_factory=dict)
    _crashes: dict[Any, int] = field(default_factory=dict)

    def wait(self, items: Iterable[Object]) -> dict[str, Object]:
        """Return the objects when all are ready. Raises ``UnreadyError``, which names each that is not, and why."""
        done: dict[str, Object] = {}
        left = {label(each): each for each in items}
        deadline = time.monotonic() + self.timeout
        while True:
            reasons = {}
            for name, item in left.items():
                reason = self._reason(item)
                if reason:
                    reasons[name] = reason
                else:
                    done[name] = item
            left = {name: item for name, item in left.items() if name in reasons}
            if not left:
                return done
            found = {name: self._troubles(item) for name, item in left.items()}
            self.say(self._sentence(reasons, found))
            self._give_up(found)
            if time.monotonic() > deadline:
                raise UnreadyError(self._late(reasons, found))
            time.sleep(INTERVAL)
            left = self._again(left)

    def _again(self, left: dict[str, Object]) -> dict[str, Object]:
        names = list(left)
        looked = side_by_side(lambda name: self.cluster.read(left[name]), names)
        for name, now in zip(names, looked):
            if now is None:
                raise UnreadyError(f"{name} was deleted by somebody while it was waited for: run this again.")
        return {name: now for name, now in zip(names, looked) if now is not None}

    def _reason(self, item: Object) -> str:
        """Return why an object is not ready."""
        try:
            reason = unready(item)
        except FailedError as error:
            raise UnreadyError(f"{label(item)}: {error}.{self._words(self._troubles(item))}") from None
        if reason and item["kind"] == "PersistentVolumeClaim" and self._waits_for_pod(item):
            return ""
        return reason

    def _waits_for_pod(self, item: Object) -> bool:
        """Return whether a claim is bound only when a pod comes that uses it."""
        name = (item.get("spec") or {}).get("storageClassName")
        if not name or (item["spec"].get("volumeName")):
            return False
        told = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}}
        found = self.cluster.read(told) or {}
        return bool(found.get("volumeBindingMode") == "WaitForFirstConsumer")

    def _troubles(self, item: Object) -> list[Trouble]:
        try:
            return troubles(self.cluster, item)
        except KubernetesError:
            # Who may apply a workload may not be one who can look at its pods.
            return []

    def _sentence(self, reasons: dict[str, str], found: dict[str, list[Trouble]]) -> str:
        """Return what is awaited in one line."""
        parts = [
            f"{name} ({'; '.join([why, *(each.text for each in found[name][:1])])})" for name, why in reasons.items()
        ]
        return redacted("waiting for " + ", ".join(parts), self.hidden)

    def _give_up(self, found: dict[str, list[Trouble]]) -> None:
        """Raise where a trouble is certain, or has stayed for long."""
        now = time.monotonic()
        current = {f"{name} {each.text}" for name, items in found.items() for each in items if each.hopeless}
        # Two messages of one pull come in turn: an object's trouble begins with the first.
        self._since = {
            name: self._since.get(name, now) for name in found if any(each.startswith(f"{name} ") for each in current)
        }
        for name, items in found.items():
            certain = [each for each in items if self._crashed(each)]
            if not certain and now - self._since.get(name, now) < PATIENCE:
                continue
            stuck = certain or [each for each in items if each.hopeless]
            if stuck:
                text = "; ".join(each.text for each in stuck[:3]).rstrip(". ")
                raise UnreadyError(redacted(f"{name} does not become ready: {text}.", self.hidden) + self._words(stuck))

    def _crashed(self, one: Trouble) -> bool:
        """Return whether a container has crashed often, and has done so again while it was looked at."""
        return bool(one.crashes) and one.crashes >= max(CRASHES, self._crashes.setdefault(one.log, one.crashes) + 1)

    def _late(self, reasons: dict[str, str], found: dict[str, list[Trouble]]) -> str:
        lines = [
            f"{name}: {'; '.join([why, *(each.text for each in found[name][:3])])}." for name, why in reasons.items()
        ]
        words = "".join(self._words(found[name]) for name in reasons)
        text = redacted("\n".join(lines), self.hidden)
        return f"Not ready within {self.timeout:.0f} s (wait_timeout): {text}{words}"

    def _words(self, found: Iterable[Trouble]) -> str:
        """Return the last words of the first container that has any, without secrets."""
        for each in found:
            text = last_words(self.cluster, each.log) if each.log else ""
            if text:
                return "\nThe last lines of its log:\n" + redacted(text, self.hidden)
        return ""
