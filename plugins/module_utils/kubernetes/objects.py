# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring objects to what is wanted: look at all, then change only those that would become something else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, TypeVar

from ..errors import MatchaError
from .client import Cluster
from .errors import KubernetesError, UnreachableError, UnreadyError
from .model import CHECKSUM, Object, Wanted, clean, label, pod_template, shown, shown_both

# Requests under way at once.
WIDTH = 8
INTERVAL = 1.0

A = TypeVar("A")
B = TypeVar("B")


@dataclass
class Plan:
    """What is to become of one object."""

    wanted: Wanted
    live: Object | None = None
    # What it would be; None where the server could not be asked, because its namespace or kind is not there yet.
    tried: Object | None = None

    @property
    def changed(self) -> bool:
        """Return whether there is something to do."""
        return self.live is None or (not self.wanted.unknown and clean(self.live) != clean(self.tried))

    def difference(self) -> tuple[Object, Object]:
        """Return it as it is and as it would be, without what is secret."""
        if self.live is None:
            return shown_both({}, self.wanted.object)
        return shown_both(clean(self.live), clean(self.tried))


@dataclass
class Outcome:
    """What was found and made: differences by object, and the objects as they are now."""

    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    objects: list[Object] = field(default_factory=list)
    # Why nothing could be compared, in check mode.
    planned: str = ""

    @property
    def changed(self) -> bool:
        """Return whether anything differs."""
        return self.before != self.after

    def result(self) -> dict[str, Any]:
        """Return the part of a module's result that tells of it."""
        found = {
            "changed": self.changed,
            "diff": {"before": self.before, "after": self.after},
            "objects": [shown(each) for each in self.objects],
        }
        return {**found, "planned": True, "msg": self.planned} if self.planned else found


def side_by_side(does: Callable[[A], B], items: Sequence[A]) -> list[B]:
    """Return what a function makes of each; the first error is raised when all have ended."""
    if len(items) < 2:
        return [does(each) for each in items]
    with ThreadPoolExecutor(min(WIDTH, len(items))) as pool:
        return list(pool.map(does, items))


def applied(cluster: Cluster, wanted: Sequence[Wanted], apply: bool, force: bool = True) -> Outcome:
    """Bring objects to what is wanted, or say what that would do."""
    try:
        plans = planned(cluster, wanted, force, apply)
    except UnreachableError as error:
        if apply:
            raise
        return _all_new(wanted, error)
    outcome = Outcome(objects=[each.tried or each.live or each.wanted.object for each in plans])
    for each in plans:
        if each.changed:
            before, after = each.difference()
            outcome.before.update({each.wanted.label: before} if before else {})
            outcome.after[each.wanted.label] = after
    if apply:
        made = _carry_out(cluster, [each for each in plans if each.changed], force)
        outcome.objects = [made.get(id(each.wanted)) or each.live or {} for each in plans]
    return outcome


def planned(cluster: Cluster, wanted: Sequence[Wanted], force: bool, apply: bool) -> list[Plan]:
    """Return what is to become of each object, in their order."""
    # The client's discovery is for one thread.
    for each in wanted:
        cluster.path(each.object)
        if apply and each.object["kind"] == "Namespace":
            # What is in one that is on its way out would go with it.
            _await_end(cluster, each.object)

    def look(one: Wanted) -> Plan:
        live = cluster.read(one.object)
        if live is not None and live["metadata"].get("deletionTimestamp"):
            # It is on its way out, and has to be made anew.
            return Plan(one)
        if live is None or one.unknown:
            return Plan(one, live, live or _tried_new(cluster, one, wanted, apply))
        return Plan(one, live, cluster.apply(_comparable(one.object, live), force, dry_run=True))

    return side_by_side(look, wanted)


def _comparable(item: Object, live: Object) -> Object:
    """Return the object with the live one's checksum where ours is not known."""
    template, there = pod_template(item), pod_template(live)
    annotations = ((template or {}).get("metadata") or {}).get("annotations") or {}
    if annotations.get(CHECKSUM) == "(hidden)":
        now = ((there or {}).get("metadata") or {}).get("annotations") or {}
        annotations[CHECKSUM] = now.get(CHECKSUM, "(hidden)")
    return item


def _tried_new(cluster: Cluster, one: Wanted, wanted: Iterable[Wanted], apply: bool) -> Object | None:
    """Let the server check a new object in check mode, if what it lies in is there."""
    if apply or one.unknown or cluster.path(one.object) is None:
        return None
    try:
        return cluster.apply(one.object, dry_run=True)
    except KubernetesError as error:
        there = {(each.object["kind"], each.object["metadata"]["name"]) for each in wanted}
        namespace = one.object["metadata"].get("namespace")
        # What this very task would have made before; or, for a namespace, another one.
        made_before = error.status == 404 or any(
            kind in ("ServiceAccount", "PriorityClass", "StorageClass", "Role") and f'"{name}" not found' in str(error)
            for kind, name in there
        )
        if made_before or ("Namespace", namespace) in there:
            return None
        raise


def _carry_out(cluster: Cluster, plans: Sequence[Plan], force: bool) -> dict[int, Object]:
    """Apply what differs, stage by stage; return what it is now, by identity of what was wanted."""
    made: dict[int, Object] = {}
    stages = sorted(plans, key=lambda each: each.wanted.stage)
    for _stage, group in groupby(stages, key=lambda each: each.wanted.stage):
        members = list(group)
        for each in members:
            _await_kind(cluster, each.wanted.object, plans)
            if each.live is None:
                _await_end(cluster, each.wanted.object)
        results = side_by_side(lambda one: cluster.apply(one.wanted.object, force), members)
        made.update({id(each.wanted): result for each, result in zip(members, results)})
    return made


def _await_kind(cluster: Cluster, item: Object, plans: Iterable[Plan]) -> None:
    """Wait until the API serves a kind whose definition was just applied."""
    group = item["apiVersion"].rpartition("/")[0]
    told = [each.wanted.object for each in plans if each.wanted.object["kind"] == "CustomResourceDefinition"]
    ours = any(
        each["spec"].get("group") == group and each["spec"].get("names", {}).get("kind") == item["kind"]
        for each in told
    )
    deadline = time.monotonic() + cluster.patience
    while cluster.resource(item["apiVersion"], item["kind"]) is None:
        cluster.resource(item["apiVersion"], item["kind"], fresh=True)
        if not ours or time.monotonic() > deadline:
            return
        time.sleep(INTERVAL / 4)


def _await_end(cluster: Cluster, item: Object, timeout: float = 300) -> None:
    """Wait until an object that is being deleted is gone."""
    deadline = time.monotonic() + timeout
    while True:
        live = cluster.read(item)
        if live is None or not live["metadata"].get("deletionTimestamp"):
            return
        if time.monotonic() > deadline:
            raise UnreadyError(_stuck(live))
        time.sleep(INTERVAL)


def removed(
    cluster: Cluster, wanted: Sequence[Wanted], apply: bool, wait: float, say: Callable[[str], None]
) -> Outcome:
    """Remove objects in reverse order, and wait up to so many seconds until they are gone."""
    try:
        for each in wanted:
            cluster.path(each.object)
        live = side_by_side(lambda one: cluster.read(one.object), list(wanted))
    except UnreachableError as error:
        if apply:
            raise
        return Outcome(planned=f"Nothing can be compared, since there is no cluster to ask: {error}")
    there = [each for each in live if each is not None]
    outcome = Outcome(before={label(each): shown(clean(each)) for each in there})
    deadline = time.monotonic() + wait
    stages = {label(each.object): each.stage for each in wanted}
    there.sort(key=lambda each: -stages[label(each)])
    for _stage, group in groupby(there if apply else (), key=lambda each: stages[label(each)]):
        members = list(group)
        side_by_side(cluster.delete, members)
        if wait:
            _await_gone(cluster, members, deadline, say)
    return outcome


def _await_gone(cluster: Cluster, items: Sequence[Object], deadline: float, say: Callable[[str], None]) -> None:
    left = list(items)
    while True:
        found = [(each, cluster.read(each)) for each in left]
        # Another one of the same name is not what was deleted.
        left = [now for each, now in found if now is not None and now["metadata"]["uid"] == each["metadata"].get("uid")]
        if not left:
            return
        say("waiting for the end of " + ", ".join(label(each) for each in left))
        if time.monotonic() > deadline:
            raise UnreadyError(" ".join(_stuck(each) for each in left))
        time.sleep(INTERVAL / 2)


def _stuck(item: Object) -> str:
    """Say why an object that was deleted is still there."""
    finalizers = item["metadata"].get("finalizers") or (item.get("spec") or {}).get("finalizers") or []
    conditions = (item.get("status") or {}).get("conditions") or ()
    why = "; ".join(
        str(each["message"])
        for each in conditions
        if each.get("status") == "True" and "Delet" not in str(each.get("reason")) and each.get("message")
    )
    left = f" It waits for {', '.join(finalizers)}: see that whoever cares for that runs." if finalizers else ""
    return f"{label(item)} was deleted and is still there.{left}{f' {why}' if why else ''}"


def _all_new(wanted: Sequence[Wanted], error: MatchaError) -> Outcome:
    """Return the plan for a cluster that is not there yet."""
    return Outcome(
        after={each.wanted.label: each.difference()[1] for each in map(Plan, wanted)},
        objects=[each.object for each in wanted],
        planned=f"All would be created, since there is no cluster to ask: {error}",
    )
