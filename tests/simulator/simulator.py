# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator: everything behind the listeners."""

from __future__ import annotations

import random
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .access import NO_DELAYS, Access, Delays
from .arm import Answer, AzureError, DropConnectionError, Request
from .blobs import Blobs
from .clock import Clock
from .faults import Faults
from .federation import issuer_document
from .metadata import Machine
from .operations import Operations
from .principals import Directory
from .providers import all_types, data_planes
from .providers.compute import Compute
from .router import Router
from .store import Store
from .tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .http import Running
    from .operations import Operation

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
TENANT = "54826b22-38d6-4fb2-bad9-b7b93a3e9c5a"
ARM_HOST, LOGIN_HOST = "management.azure.com", "login.microsoftonline.com"


class Outside:
    """What is real and follows the simulation, such as a cluster for that which is simulated. Here: nothing.

    It is told with the simulator locked, so it must not take long.
    """

    def begun(self, operation: Operation) -> None:
        """Hear of an operation's beginning."""

    def held(self, operation: Operation) -> bool:
        """Whether an operation that is due has to go on, until something outside is ready."""
        del operation
        return False

    def ended(self, operation: Operation) -> None:
        """Hear of an operation's end, after what it changes was changed."""


class Simulator:
    """One subscription of Azure, in memory. Requests may come from any thread; one runs at a time.

    `client_address` is where requests to data planes seem to come from.
    """

    subscription = SUBSCRIPTION
    tenant = TENANT

    def __init__(
        self,
        *,
        speed: float = 1.0,
        instant: bool = False,
        seed: int = 0,
        faults: Faults | None = None,
        delays: Delays | None = None,
    ) -> None:
        self._clock = {"speed": speed, "instant": instant}
        self._delays = delays or (NO_DELAYS if instant else Delays())
        self._seed = seed
        self._types = all_types()
        self._planes = data_planes()
        self.outside = Outside()
        self.lock = threading.RLock()
        self.faults = faults or Faults()
        self.blobs = Blobs(self)
        self.reset()

    def reset(self) -> None:
        """Forget everything but the script of faults."""
        with self.lock:
            self.clock = Clock(**self._clock)
            self.rng = random.Random(self._seed)
            self.delays = self._delays
            self.client_address = "203.0.113.7"
            self.store = Store()
            self.principals = Directory(self)
            self.tokens = Tokens(self)
            self.access = Access(self)
            self.machine = Machine(self)
            self.compute = Compute()
            self.operations = Operations(self)
            self.router = Router(self, self._types)
            self.log: list[dict[str, Any]] = []
            # When a registration is finished; None: it was taken back. All others are registered from the start.
            self._registrations: dict[str, float | None] = {}
            self.owner = self.principals.add_service_principal("owner", f"owner-{self.rng.getrandbits(128):032x}")
            self.access.grant(self.owner, "Owner", f"/subscriptions/{self.subscription}")
        self.blobs.close()

    def close(self) -> None:
        self.blobs.close()

    def registration(self, namespace: str) -> str:
        """Say whether the subscription may use a resource provider: NotRegistered, Registering or Registered."""
        done = self._registrations.get(namespace.lower(), 0.0)
        return "NotRegistered" if done is None else "Registered" if self.clock.passed(done) else "Registering"

    def register(self, namespace: str, seconds: float) -> None:
        if self._registrations.get(namespace.lower(), 0.0) is None:
            self._registrations[namespace.lower()] = self.clock.now() + seconds

    def unregister(self, namespace: str) -> None:
        self._registrations[namespace.lower()] = None

    def handle(self, request: Request) -> Answer:
        """Answer a request, and write it down."""
        answer = None
        try:
            answer = self._answer(request)
            answer = self.faults.after(request, answer)
        except DropConnectionError:
            answer = None
            raise
        finally:
            with self.lock:
                self._write_down(request, answer)
        if "Retry-After" in answer.headers and self.clock.speed not in {0, 1}:
            # Clients sleep in real time. 0 makes the SDKs use their own interval.
            answer.headers["Retry-After"] = str(int(int(answer.headers["Retry-After"]) / self.clock.speed))
        return answer

    def _answer(self, request: Request) -> Answer:
        plane = next((found for suffix, found in self._planes.items() if request.host.endswith(suffix)), None)
        try:
            with self.lock:
                self.operations.settle()
                if plane is None:
                    return self._handle_here(request)
                answer = self.faults.check(request)
            return plane(request) if answer is None else answer
        except AzureError as error:
            return error.answer()

    def _handle_here(self, request: Request) -> Answer:
        if request.host == ARM_HOST and not request.plain:
            request.principal = self.tokens.authenticate(request)
        answer = self.faults.check(request)
        if answer is not None:
            return answer
        if request.host == ARM_HOST:
            return self.router.route(request)
        return self.tokens.handle(request) if request.host == LOGIN_HOST else issuer_document(self, request)

    def _write_down(self, request: Request, answer: Answer | None) -> None:
        """Log a request. A `status` of 0 stands for a connection that was dropped."""
        principal = request.principal
        self.log.append(
            {
                "n": len(self.log),
                "time": self.clock.now(),
                "method": request.method,
                "host": request.host,
                "path": request.path,
                "query": request.query,
                "status": answer.status if answer else 0,
                "principal": principal.object_id if principal else None,
                "body": request.body,
                "client_request_id": request.headers.get("x-ms-client-request-id"),
                "user_agent": request.headers.get("user-agent", ""),
            }
        )


@contextmanager
def running(**settings: Any) -> Iterator[Running]:
    """Start a simulator with its listeners, and stop it. By default a second takes a thousandth of a second."""
    from .http import Running

    settings.setdefault("speed", 1000.0)
    run = Running(Simulator(**settings))
    try:
        yield run
    finally:
        run.stop()
