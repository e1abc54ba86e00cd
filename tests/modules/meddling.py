# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens in a simulated Azure between a module's requests, and a clock that goes only when it is told to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from simulator.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from modules.conftest import Azure


class Meddler:
    """Does something before a request is routed; what it returns, if anything, is the answer."""

    def __init__(self, azure: Azure) -> None:
        self._azure = azure
        self._router = azure.simulator.router
        self._route = self._router.route
        self._router.route = self._meddle
        self._rules: list[tuple[str, str, Callable[[], Any]]] = []

    def before(self, method: str, path: str, does: Callable[[], Any], *, nth: int = 1) -> None:
        """Do it once, before the `nth` request of a method to paths that end so."""
        count = iter(range(1, nth + 1))

        def once() -> Any:
            return does() if next(count, None) == nth else None

        self._rules.append((method, path, once))

    def always(self, method: str, path: str, does: Callable[[], Any]) -> None:
        self._rules.append((method, path, does))

    def _meddle(self, request: Any) -> Any:
        for method, path, does in self._rules:
            if request.method == method and re.search(f"{path}$", request.path, re.IGNORECASE):
                answer = does()
                if answer is not None:
                    return answer
        return self._route(request)

    def time_stands_still(self) -> None:
        """From now on nothing ends, until `pass_time`. A second on this machine is one in Azure."""
        self._azure.simulator.clock = Clock(speed=1)

    def pass_time(self) -> None:
        """Let everything that is under way end, at the next request."""
        self._azure.simulator.clock.advance(86400)

    def resource(self, path: str) -> dict[str, Any]:
        """Return a resource below the resource group "tea" as it is stored: a change of it is somebody else's."""
        found = self._azure.simulator.store.get(
            f"/subscriptions/{self._azure.simulator.subscription}/resourceGroups/tea/providers/{path}"
        )
        assert found
        return found
