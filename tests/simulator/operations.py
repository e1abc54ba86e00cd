# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long-running operations: they end when the clock has passed their end, and are looked at before every request."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import AzureError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .simulator import Simulator

IN_PROGRESS, SUCCEEDED, FAILED, CANCELED = "InProgress", "Succeeded", "Failed", "Canceled"


@dataclass
class Operation:
    """One long-running operation. `error` is the inner {"code", "message"} of an operation that did not succeed."""

    id: str
    kind: str
    started: float
    ends: float
    status: str = IN_PROGRESS
    ended: float | None = None
    error: dict[str, Any] | None = None
    result: Any = None
    resource: str = ""
    on_done: Callable[[], Any] | None = field(default=None, repr=False)
    on_failed: Callable[[str, dict[str, Any]], Any] | None = field(default=None, repr=False)
    # What the script of faults has in store for it: (status, error) or None.
    fate: tuple[str, dict[str, Any]] | None = None
    # Whether its end had to wait for what stands outside.
    late: bool = False

    @property
    def done(self) -> bool:
        return self.status != IN_PROGRESS


class Operations:
    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._all: dict[str, Operation] = {}
        self._pending: list[Operation] = []

    def start(
        self,
        seconds: float,
        *,
        kind: str,
        on_done: Callable[[], Any] | None = None,
        on_failed: Callable[[str, dict[str, Any]], Any] | None = None,
        resource: Any = "",
        id: str | None = None,  # noqa: A002
    ) -> Operation:
        """Begin an operation that takes `seconds` of Azure's time.

        `kind` names it for the script of faults, e.g. "Microsoft.ContainerService/managedClusters PUT". When it ends
        well, `on_done()` runs and its value becomes the operation's `result`; an AzureError that it raises makes the
        operation fail. When it ends Failed or Canceled, `on_failed(status, error)` runs.
        """
        now = self._simulator.clock.now()
        operation = Operation(
            id or str(uuid.UUID(int=self._simulator.rng.getrandbits(128), version=4)), kind, now, now + seconds
        )
        operation.on_done, operation.on_failed, operation.resource = on_done, on_failed, str(resource)
        operation.fate = self._simulator.faults.fate(operation)
        if operation.fate and operation.fate[0] == IN_PROGRESS:
            # Its polls show an error for as long as it runs; then it ends well.
            operation.error, operation.fate = operation.fate[1], None
        self._all[operation.id.lower()] = operation
        self._pending.append(operation)
        self._simulator.outside.begun(operation)
        return operation

    def find(self, identifier: str) -> Operation | None:
        """Find an operation by its id (without query or suffix).

        With an instant clock every id is that of an operation that has succeeded: a replay polls the ids it has
        recorded, and those can be anything.
        """
        known = self._all.get(identifier.lower())
        if known is None and self._simulator.clock.instant:
            now = self._simulator.clock.now()
            return Operation(identifier, "", now, now, SUCCEEDED, now)
        return known

    def pending(self, resource: Any) -> list[Operation]:
        """List what is under way on a resource."""
        key = str(resource).lower()
        return [operation for operation in self._pending if operation.resource.lower() == key]

    def within(self, scope: Any) -> list[Operation]:
        """List what is under way on resources below an id."""
        below = str(scope).lower() + "/"
        return [operation for operation in self._pending if operation.resource.lower().startswith(below)]

    def cancel(self, operation: Operation, error: dict[str, Any] | None = None) -> None:
        """End an operation at once, as Canceled."""
        if operation in self._pending:
            self._pending.remove(operation)
            error = error or {"code": "OperationPreempted", "message": "The operation was preempted by another one."}
            self._end(operation, self._simulator.clock.now(), (CANCELED, error))

    def settle(self) -> None:
        """End what is due, in the order of its end; what that begins may be due as well."""
        clock = self._simulator.clock
        while due := [one for one in self._pending if clock.passed(one.ends) and not self._held(one)]:
            operation = min(due, key=lambda one: one.ends)
            self._pending.remove(operation)
            at = clock.now() if clock.instant or operation.late else operation.ends
            self._end(operation, at, operation.fate)

    def _held(self, operation: Operation) -> bool:
        held = self._simulator.outside.held(operation)
        operation.late = operation.late or held
        return held

    def _end(self, operation: Operation, at: float, fate: tuple[str, dict[str, Any]] | None) -> None:
        self._close(operation, at, fate)
        self._simulator.outside.ended(operation)

    def _close(self, operation: Operation, at: float, fate: tuple[str, dict[str, Any]] | None) -> None:
        operation.ended = at
        if fate is None:
            try:
                operation.result = operation.on_done() if operation.on_done else None
                operation.status, operation.error = SUCCEEDED, None
                return
            except AzureError as error:
                fate = (FAILED, error.content())
        operation.status, operation.error = fate
        if operation.on_failed:
            operation.on_failed(*fate)
