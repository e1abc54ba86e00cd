# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What we change in the SDK's pipeline: the fence, how long it waits, and that it says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .errors import AzureError, correlation_of

try:
    from azure.core.pipeline.policies import RetryPolicy, SansIOHTTPPolicy
    from azure.mgmt.core.polling.arm_polling import ARMPolling
except ImportError:

    class Missing:
        """Stands for what is not installed; ``needing_sdk`` tells whoever wants to use it."""

        def __init__(self, *_arguments: Any, **_options: Any) -> None:
            """Raise what the import would have raised."""
            raise ModuleNotFoundError("No module named 'azure.core'", name="azure.core")

        def __class_getitem__(cls, _item: Any) -> Any:
            """Be of any type."""
            return cls

    RetryPolicy = SansIOHTTPPolicy = ARMPolling = Missing  # type: ignore[misc,assignment]

if TYPE_CHECKING:
    from .arm import Deadline

READS = ("GET", "HEAD", "OPTIONS")
# Seconds before the second try again; it doubles each time.
BACKOFF = 0.2
# Seconds of a single pause from which on a user should know of it.
WORTH_TELLING = 10


def client_options(deadline: Deadline, fence: Callable[[], None] | None, warn: Callable[[str], None]) -> dict[str, Any]:
    """Return the keyword arguments for a client of the SDK's."""
    return {
        "retry_policy": Retries(deadline, warn),
        "per_retry_policies": [Fence(fence)] if fence else [],
        "user_agent": "matcha.mlops",
        "logging_enable": False,
    }


def created_is_accepted(response: Any) -> None:
    """Read the answer 201 to a PATCH, which the SDK's generic client takes for an error, as 202."""
    if response.http_response.status_code == 201:
        response.http_response.status_code = 202


class Fence(SansIOHTTPPolicy[Any, Any]):
    """Ask before every write, and before every repetition of one, whether it is still ours to make."""

    def __init__(self, check: Callable[[], None]) -> None:
        """``check`` raises to forbid the write."""
        super().__init__()
        self._check = check

    def on_request(self, request: Any) -> None:
        """Check a write."""
        if request.http_request.method not in READS:
            self._check()


class Retries(RetryPolicy[Any, Any]):
    """The SDK's retries, but no pause beyond the task's own timeout, and none unheard of.

    Left alone the SDK sleeps for as long as any ``Retry-After`` says, without a word.
    """

    def __init__(self, deadline: Deadline, warn: Callable[[str], None]) -> None:
        """Stay within a deadline, and tell of long pauses."""
        super().__init__(retry_total=10, retry_status=8, retry_connect=5, retry_read=5, retry_backoff_factor=BACKOFF)
        self.BACKOFF_MAX = 30
        self._deadline, self._warn = deadline, warn

    def sleep(self, settings: dict[str, Any], transport: Any, response: Any = None) -> None:
        """Pause before the next try."""
        asked = response and self.get_retry_after(response)
        seconds = asked or self.get_backoff_time(settings)
        why = f"HTTP {response.http_response.status_code}" if response else "no answer"
        pause = f"{'asked for' if asked else 'is not well and gets'} a pause of {seconds:.0f} s ({why})"
        if seconds >= WORTH_TELLING:
            self._warn(f"Azure {pause}.")
        fits = self._deadline.allows(seconds)
        if asked and not fits:
            raise AzureError(
                "Azure",
                f"{pause}, which is longer than what is left of this task's {self._deadline.seconds:.0f} s. "
                f"Run the task again later, or set timeout higher",
                "Timeout",
                correlation_id=correlation_of(response.http_response.headers),
            )
        # At the end of the time the last tries come at once, and then the SDK says what was wrong.
        if seconds > 0 and fits:
            self._deadline.sleep(seconds, "Azure")


class Polling(ARMPolling):
    """The SDK's polling, soon at first and seldom later.

    AKS never says how long to wait, and the SDK then waits 30 s each time.
    """

    def __init__(self, deadline: Deadline, what: str) -> None:
        """Stay within a deadline. ``what`` says what is being waited for."""
        super().__init__()
        self._deadline, self._what = deadline, what

    def _delay(self) -> None:
        # What Azure says is how long it will take at the most, not how often one may ask.
        self._deadline.pause(self._what, self._extract_delay())
