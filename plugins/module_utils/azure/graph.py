# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many resources in one go: each begins as soon as what it needs is there, and waits for nothing else.

What a resource needs is seen from its options: ``{of: KEY.path}`` in place of a value is what Azure says of another.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import MatchaError
from ..files import alone
from .arm import Arm
from .converge import Outcome, converge
from .errors import AzureError
from .graph_nodes import Node
from .kind import SETTLED
from .kinds.plain import PlainKind
from .kinds.role_assignment import RoleAssignment
from .options import Document

# What is asked of Azure at the same time.
WIDTH = 16
# Seconds for which somebody who does not wait does.
PATIENCE = 5


class GraphError(MatchaError):
    """Some resources could not be made what the task says; the others were."""

    def __init__(self, graph: Graph) -> None:
        """Say of each what was wrong."""
        failed = {key: state.error for key, state in graph.states.items() if state.error}
        lines = [f"{key}: {error}" for key, error in failed.items()]
        left = [key for key, state in graph.states.items() if not state.error and not state.outcome]
        about = f" Not begun, since they need these: {', '.join(left)}." if left and graph.waits else ""
        count = f"{len(lines)} of {len(graph.states)} resources failed" if len(graph.states) > 1 else "Failed"
        super().__init__(lines[0] + about if len(lines) == 1 else f"{count}.{about}\n" + "\n".join(lines))
        first = next(iter(failed.values()))
        self._details = {**graph.result(), **(first.details if first else {})}

    @property
    def details(self) -> dict[str, Any]:
        """Return what became of all of them, and what Azure refused the first with."""
        return self._details


@dataclass
class NodeState:
    """How far a resource has come."""

    outcome: Outcome | None = None
    # Nothing is left to do or to wait for.
    done: bool = False
    error: MatchaError | None = None


@dataclass
class Graph:
    """Resources by their keys, on their way to what a task says of them."""

    nodes: Mapping[str, Node]
    arm: Arm
    waits: bool
    check_mode: bool
    # Runs side by side, of the same deployment, do not send the same twice.
    folder: Path | None = None
    states: dict[str, NodeState] = field(default_factory=dict)

    def run(self) -> None:
        """Converge all of them. Raises ``GraphError``."""
        self.states = {key: NodeState() for key in self.nodes}
        local = threading.local()
        # Not in the threads: the first of them would find the others asking too.
        self.arm.twin()
        with ThreadPoolExecutor(WIDTH) as pool:
            waiting, running = dict(self.nodes), dict[Future[None], str]()
            while True:
                for key in [key for key, node in waiting.items() if self._ready(node)]:
                    running[pool.submit(self._converge, waiting.pop(key), local)] = key
                if not running:
                    break
                for each in wait(running, return_when=FIRST_COMPLETED).done:
                    key, error = running.pop(each), each.exception()
                    if error is not None and not isinstance(error, (MatchaError, OSError)):
                        raise error
                    self.states[key].error = MatchaError(str(error)) if isinstance(error, OSError) else error
        if any(state.error for state in self.states.values()):
            raise GraphError(self)

    def _ready(self, node: Node) -> bool:
        begun = all(self.states[key].outcome or self.states[key].done for key in node.follows)
        return begun and all(self.states[key].done for key in node.needs)

    def _converge(self, node: Node, local: threading.local) -> None:
        waits = self.waits if node.wait is None else node.wait
        arm = self._arm(local, node, waits)
        planned = self._planned(node)
        params = {**node.params(self._value, planned.options if planned else None)}
        # A plan is of all that will be, in the end.
        params["wait"] = waits or self.check_mode
        state = self.states[node.key]
        lock = alone(self.folder / "platform" / node.key) if self.folder and not self.check_mode else nullcontext()
        with lock:
            try:
                state.outcome = outcome = converge(node.kind, arm, params, self.check_mode)
            except AzureError as error:
                if waits or not (node.kind.passes(error, params) or error.code == "Timeout"):
                    raise
                # What passes by itself is for those who wait.
                return
        if planned:
            told = self.states[planned.key].outcome
            outcome.after = {name: each for name, each in outcome.after.items() if told and name not in told.after}
        state.done = self.check_mode or waits or isinstance(node.kind, PlainKind) or self._settled(node, outcome)

    def _planned(self, node: Node) -> Node | None:
        """Return the part of the same resource that a plan has made already, which is not there for all that."""
        for key in node.needs if self.check_mode and node.names_itself else ():
            other, outcome = self.nodes[key], self.states[key].outcome
            absent = outcome is not None and outcome.resource is None
            if absent and other.module == node.module and self.id(key) == self.id(node.key):
                return other
        return None

    def _arm(self, local: threading.local, node: Node, waits: bool) -> Arm:
        """Return this thread's own; a role of somebody new takes half a minute, for which only some can wait."""
        if not waits and isinstance(node.kind, RoleAssignment):
            return self.arm.twin(PATIENCE)
        if not hasattr(local, "arm"):
            local.arm = self.arm.twin()
        found: Arm = local.arm
        return found

    @staticmethod
    def _settled(node: Node, outcome: Outcome) -> bool:
        """Return whether there is nothing to wait for: what was sent just now may yet fail."""
        found = outcome.resource
        return not outcome.changed and found is not None and node.kind.provisioning_state(found) in SETTLED

    def _value(self, key: str, path: tuple[str, ...]) -> Any:
        """Return what Azure says of a resource that another one names. Raises ``MatchaError``."""
        outcome = self.states[key].outcome
        found: Any = (outcome and outcome.resource) or {}
        for step in path:
            found = found.get(step) if isinstance(found, Mapping) else None
        if found is not None:
            return found
        where = ".".join(path)
        if where == "id":
            return self.id(key)
        if self.check_mode:
            return f"({where} of {key}, known once that is made)"
        raise MatchaError(f"Azure does not tell {where} of {key}: run the task again, or name what it has.")

    def id(self, key: str) -> str:
        """Return the id of a resource, whether it is there or not."""
        node = self.nodes[key]
        return node.kind.id(self.arm, node.options)

    def result(self) -> dict[str, Any]:
        """Return what a module tells of the resources."""
        outcomes = {key: state.outcome for key, state in self.states.items() if state.outcome}
        return {
            "changed": any(each.changed for each in outcomes.values()),
            "diff": {
                "before": {key: each.before for key, each in outcomes.items() if each.before},
                "after": {key: each.after for key, each in outcomes.items() if each.after and each.changed},
            },
            "resources": {key: shown(self.nodes[key], each) for key, each in outcomes.items()},
            "plan": {key: said(self.states[key]) for key in self.nodes},
            "done": [key for key, state in self.states.items() if state.done],
            "ids": dict(self._ids()),
            "tenant_id": self.arm.tenant,
        }

    def _ids(self) -> Iterator[tuple[str, str]]:
        for key, node in self.nodes.items():
            if node.names_itself:
                yield key, self.id(key)


def shown(node: Node, outcome: Outcome) -> Document | None:
    """Return a resource without its secrets."""
    return None if outcome.resource is None else node.kind.shown(outcome.resource)


def said(state: NodeState) -> str:
    """Return a word for what was, or would be, done to a resource."""
    if state.outcome is None:
        return "failed" if state.error else "later"
    if not state.outcome.changed:
        return "unchanged"
    return "created" if not state.outcome.before else "changed"
