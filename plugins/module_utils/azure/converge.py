# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is there to what the task says: read, compare, change only that, wait, report.

Check mode and the diff are the plan itself: they come from the same comparison as the writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import MatchaError
from .arm import Arm
from .errors import AzureError
from .kind import BROKEN, SETTLED, Kind, Params
from .options import Change, Document, apply, differences, dig, place

# In place of a secret, before and after.
OLD, NEW = "(old)", "(new)"
PROVIDERS_API = "2025-04-01"


class Outcome:
    """What a task did, or would do: whether anything, the difference, and the resource."""

    def __init__(self) -> None:
        """Begin with nothing done."""
        self.changed = False
        self.before: Document = {}
        self.after: Document = {}
        self.resource: Document | None = None

    def note(self, changes: list[Change]) -> None:
        """Take in changes. A later look at the same property does not blur what the first one found."""
        for change in changes:
            self.changed = True
            for tree, value, mask in ((self.before, change.before, OLD), (self.after, change.after, NEW)):
                if value is not None:
                    place(tree, change.path, mask if change.option.no_log else value)

    def add(self, name: str, key: str, part: Outcome) -> None:
        """Take in what was done to a resource below this one."""
        self.changed = self.changed or part.changed
        for tree, value in ((self.before, part.before), (self.after, part.after)):
            if value:
                tree.setdefault(name, {})[key] = value


def converge(kind: Kind, arm: Arm, params: Params, check_mode: bool) -> Outcome:
    """Make a resource, and what is below it, what the task says. Raises ``AzureError``, ``MatchaError``."""
    kind.check(params)
    params = kind.complete(arm, params)
    run = Run(kind, arm, params, check_mode)
    run.converge()
    if params.get("state") != "absent":
        if kind.reachable(params, run.outcome.resource):
            for name, child in kind.children.items():
                run.converge_below(name, child)
        run.end()
    return run.outcome


class Run:
    """One resource on its way to what a task says.

    Somebody else's change in between, and an answer that never came, begin it again until the time is up.
    """

    def __init__(self, kind: Kind, arm: Arm, params: Params, check_mode: bool) -> None:
        """Do nothing yet."""
        self.kind, self.arm, self.params, self.check_mode = kind, arm, params, check_mode
        self.outcome = Outcome()
        self._registered = False

    def converge(self, found: Document | None = None, known: bool = False) -> None:
        """Bring the resource to its state. ``found`` is it as it is, if ``known``."""
        step = self._remove if self.params.get("state") == "absent" else self._make
        self._persist(step, found, known)

    def end(self) -> None:
        """Do what comes last, after what is below the resource."""
        self._persist(self._end, self.outcome.resource, known=True)

    def converge_below(self, name: str, child: Kind) -> None:
        """Bring the resources of an option's to what the task lists; others stay."""
        wanted = self.params.get(name)
        if not wanted:
            return
        around = {**self.params, "tags": None, "state": "present", "parent": self.params["name"]}
        elements = [{**around, **each} for each in child.elements(wanted)]
        below = self._below(child, elements[0]) if self.outcome.resource is not None else {}
        for each in elements:
            child.check(each)
            key = str(each["name"])
            run = Run(child, self.arm, each, self.check_mode)
            # Nothing is below what is not there, but for what comes with it.
            known = self.outcome.resource is None or (below is not None and child.listed(each))
            run.converge((below or {}).get(key.casefold(), child.born), known)
            if each["state"] != "absent":
                run.end()
            self.outcome.add(name, key, run.outcome)

    def _below(self, child: Kind, params: Params) -> dict[str, Document] | None:
        """Return all of a kind below this one, by their names, with one request; None if each must be read."""
        if child.born is not None:
            return None
        try:
            return {str(each["name"]).rpartition("/")[2].casefold(): each for each in child.listing(self.arm, params)}
        except AzureError as error:
            if error.busy:
                return None
            raise

    def _persist(self, step: Callable[[Document | None], bool], found: Document | None, known: bool) -> None:
        """Take a step, each time with the resource as it is by then, until it is done."""
        while True:
            refusal: AzureError | None = None
            try:
                if not known:
                    found = self.kind.read(self.arm, self.params)
                known = False
                self.outcome.resource = found
                if step(found):
                    return
            except AzureError as error:
                if self.check_mode or not self._worth_another_try(error):
                    raise
                refusal = error
            self.arm.deadline.pause(self.kind.label(self.params), because=refusal)

    def _worth_another_try(self, error: AzureError) -> bool:
        if error.code == "MissingSubscriptionRegistration" and not self._registered:
            self._registered = True
            register(self.arm, self.kind.path.partition("/providers/")[2].partition("/")[0])
            return True
        # Where nobody answers at all, it is this machine's network.
        return self.kind.passes(error, self.params) and (self.arm.answered or bool(error.status))

    # Each returns whether it is done; if not, it is called again with the resource as it is by then.

    def _remove(self, found: Document | None) -> bool:
        if found is None:
            return True
        self.outcome.changed = True
        self.outcome.before, self.outcome.after = {"state": "present"}, {"state": "absent"}
        if self.check_mode:
            return True
        if self.kind.provisioning_state(found) == "deleting":
            return not self.params.get("wait", True)
        try:
            self.kind.delete(self.arm, self.params)
        except AzureError as error:
            # It went meanwhile, by somebody else or by a request of ours whose answer was lost: look again.
            if error.status != 404:
                raise
            return False
        self.outcome.resource = None
        return True

    def _make(self, found: Document | None) -> bool:
        if found is None:
            self._create()
        elif not self._change(found):
            return False
        return True

    def _end(self, found: Document | None) -> bool:
        if found is not None or self.check_mode:
            self.outcome.note(self.kind.after(self.arm, self.params, found or {}, self.check_mode))
        return True

    def _create(self) -> None:
        base = self.kind.defaults(self.params)
        params = self.kind.adapt(self.params, base)
        changes = differences(self.kind.options, params, base, new=True)
        body = self.kind.tidy(apply(base, changes))
        # All that will be, also what the task leaves to us.
        self.outcome.after = apply(body, [])
        self.outcome.note(changes)
        self.outcome.changed = True
        if not self.check_mode:
            self.outcome.resource = self.kind.put(self.arm, self.params, body, None)

    def _change(self, found: Document) -> bool:
        kind, arm, params = self.kind, self.arm, self.params
        state = kind.provisioning_state(found)
        waits = not self.check_mode and state not in SETTLED
        if waits and params.get("wait", True):
            return False
        self.outcome.note(kind.before(arm, params, found, self.check_mode))
        wanted = kind.adapt(params, found)
        changes = differences(kind.options, wanted, found)
        kind.refuse(params, found, changes)
        broken = state in BROKEN
        if not changes and not broken:
            return True
        if waits:
            return False
        self.outcome.note(changes)
        if broken:
            self.outcome.note([kind.repair(found)])
        if not self.check_mode:
            self._write(found, changes, broken)
        return True

    def _write(self, found: Document, changes: list[Change], broken: bool) -> None:
        kind, arm, params = self.kind, self.arm, self.params
        arm.deadline.begin_anew()
        body = kind.tidy(apply(kind.writable(found), changes))
        if kind.patches and not broken:
            answer = kind.patch(arm, params, part_of(body, changes))
        else:
            answer = kind.put(arm, params, body, found)
        self.outcome.resource = answer or found


def part_of(body: Document, changes: list[Change]) -> Document:
    """Return the properties that changes touch, each of them whole: Azure replaces a property, it doesn't merge it."""
    part: Document = {}
    for change in changes:
        step = str(change.path[0])
        if step == "properties" and len(change.path) > 1:
            name = str(change.path[1])
            part.setdefault(step, {})[name] = body[step][name]
        else:
            part[step] = body[step]
    for change in changes:
        there = dig(part, change.path) if change.option.merged else None
        if there is not None:
            there.update({name: None for name in change.before or () if dig(there, (name,)) is None})
    return part


def register(arm: Arm, namespace: str) -> None:
    """Register a resource provider with the subscription, as ``az`` does, and wait until it is."""
    path = f"/subscriptions/{arm.subscription}/providers/{namespace}"
    arm.request("POST", f"{path}/register", PROVIDERS_API)
    arm.deadline.begin_anew()
    while arm.request("GET", path, PROVIDERS_API).get("registrationState") != "Registered":
        arm.deadline.pause(f"Registering the resource provider {namespace}")


def information(kind: Kind, arm: Arm, params: Params) -> list[Document]:
    """Return the resources that are meant: the one of this name, or all in the same place."""
    if params.get("name"):
        if not params.get("resource_group", "here"):
            raise MatchaError(f"{kind.label(params)} is in a resource group: set resource_group, or leave out name.")
        found = kind.read(arm, params)
        resources = [] if found is None else [found]
    else:
        resources = list(kind.listing(arm, {**params, "name": "-"}))
    tags: Mapping[str, Any] = params.get("tags") or {}
    return [kind.shown(each) for each in resources if tags.items() <= (each.get("tags") or {}).items()]
