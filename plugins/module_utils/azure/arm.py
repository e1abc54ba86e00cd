# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure Resource Manager through Azure's own SDKs: signed in, patient up to a point, and fenced.

The SDKs are imported when they are needed: each costs a third of a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from ..errors import MatchaError
from .auth import Auth, claims
from .errors import AzureError, translate

# Seconds between two looks at something that takes long: soon at first, then seldom.
FIRST_LOOK, LONGEST_PAUSE = 0.25, 8.0
# By how much each pause is longer: the end of something is seen a tenth of its time late at the most. A refused write
# costs Azure more than a look.
GROWTH, GROWTH_REFUSED = 1.1, 2.0
RESOURCES_API = "2025-04-01"
SUBSCRIPTIONS_API = "2022-12-01"
MISSING = (
    "azure-identity",
    "azure-keyvault-secrets",
    "azure-mgmt-containerservice",
    "azure-mgmt-resource",
    "azure-mgmt-storage",
    "azure-storage-blob",
)


class Deadline:
    """The time that is left for a task, and the pauses in it."""

    def __init__(self, seconds: float) -> None:
        """Begin now."""
        self.seconds = seconds
        self.end = time.monotonic() + seconds
        self._pause = FIRST_LOOK

    def elapsed(self) -> float:
        """Return the seconds since the beginning."""
        return time.monotonic() - self.end + self.seconds

    def begin_anew(self) -> None:
        """Look often again: something new is being waited for."""
        self._pause = FIRST_LOOK

    def pause(self, what: str, longest: float = LONGEST_PAUSE, because: AzureError | None = None) -> None:
        """Wait until a look is worth it. Raises ``AzureError`` when the time is up; the reason, if there is one."""
        seconds = min(self._pause, longest)
        if because and not self.allows(seconds):
            raise because
        self.sleep(seconds, what)
        self._pause = min(self._pause * (GROWTH_REFUSED if because else GROWTH), LONGEST_PAUSE)

    def allows(self, seconds: float) -> bool:
        """Return whether so much time is left."""
        return time.monotonic() + seconds <= self.end

    def sleep(self, seconds: float, what: str) -> None:
        """Wait so long. Raises ``AzureError`` where that is longer than what is left."""
        if not self.allows(seconds):
            raise AzureError(
                what,
                f"not done within {self.seconds:.0f} s, and Azure goes on with it. Run the task again, which carries "
                f"on from here, or set timeout higher",
                "Timeout",
            )
        time.sleep(seconds)


class Arm:
    """What the modules ask of Azure, for one subscription."""

    def __init__(self, auth: Auth, timeout: float, fence: Callable[[], None] | None = None) -> None:
        """Sign in when first needed. ``fence`` is called before every write and raises to forbid it."""
        self.auth = auth
        self.deadline = Deadline(timeout)
        self.warnings: list[str] = []
        # Whether Azure has answered anything: if not, waiting for it is of no use.
        self.answered = False
        # Ids of roles that were looked up by their names, for all twins.
        self.roles: dict[str, str] = {}
        self._fence = fence
        self._vaults: dict[str, Any] = {}

    @cached_property
    def credential(self) -> Any:
        """Return the SDK's credential."""
        with needing_sdk():
            from .pipeline import Retries

            # Left alone the SDK would wait for Entra as long as that says.
            def retries(**_settings: Any) -> Retries:
                return Retries(self.deadline, self.warnings.append)

            return self.auth.credential(retry_policy_class=retries)

    @cached_property
    def subscription(self) -> str:
        """Return the subscription's id: what was said, what ``az`` uses, or the only one there is."""
        told = self.auth.subscription_id or self.auth.subscription_of_cli()
        if told:
            return told
        # The client wants one, though this question is about none.
        client = self._client("azure.mgmt.resource.resources", "ResourceManagementClient", "-")
        found = self.send(client, "GET", f"/subscriptions?api-version={SUBSCRIPTIONS_API}")["value"]
        if len(found) != 1:
            names = ", ".join(f"{each['subscriptionId']} ({each['displayName']})" for each in found) or "none"
            raise MatchaError(
                f"The credential sees {len(found)} subscriptions: set subscription_id or AZURE_SUBSCRIPTION_ID. "
                f"There are: {names}."
            )
        return str(found[0]["subscriptionId"])

    @cached_property
    def _claims(self) -> dict[str, Any]:
        with explaining("Signing in"):
            return claims(self.credential.get_token(self.auth.cloud.scope).token)

    @property
    def principal(self) -> tuple[str, str]:
        """Return who signs in, as an object id and a type, both as role assignments name them."""
        found = self._claims
        return str(found["oid"]), "ServicePrincipal" if found.get("idtyp") == "app" else "User"

    @property
    def tenant(self) -> str:
        """Return the tenant of who signs in."""
        return str(self._claims.get("tid") or self.auth.tenant)

    def twin(self, seconds: float | None = None) -> Arm:
        """Return another one of the same sign-in, for another thread: each has pauses of its own, and may have less."""
        left = self.deadline.end - time.monotonic()
        twin = Arm(self.auth, left if seconds is None else min(left, seconds), self._fence)
        twin.warnings, twin.roles = self.warnings, self.roles
        twin.credential, twin.subscription = self.credential, self.subscription
        return twin

    @cached_property
    def containers(self) -> Any:
        """Return the client for AKS."""
        return self._client("azure.mgmt.containerservice", "ContainerServiceClient", self.subscription)

    @cached_property
    def storage(self) -> Any:
        """Return the client for storage accounts."""
        return self._client("azure.mgmt.storage", "StorageManagementClient", self.subscription)

    @cached_property
    def resources(self) -> Any:
        """Return the client for resource groups, and for resources of any type by their ids."""
        return self._client("azure.mgmt.resource.resources", "ResourceManagementClient", self.subscription)

    def _client(self, package: str, name: str, subscription: str) -> Any:
        with needing_sdk():
            import importlib

            options = self._client_options()
            client = getattr(importlib.import_module(package), name)
            return client(
                self.credential,
                subscription,
                base_url=self.auth.cloud.manager,
                credential_scopes=[self.auth.cloud.scope],
                **options,
            )

    def _client_options(self) -> dict[str, Any]:
        from .pipeline import client_options

        return client_options(self.deadline, self._fence, self.warnings.append)

    def secrets(self, vault_uri: str) -> Any:
        """Return the client for the secrets of a key vault."""
        if vault_uri not in self._vaults:
            with needing_sdk():
                from azure.keyvault.secrets import SecretClient

                self._vaults[vault_uri] = SecretClient(vault_uri, self.credential, **self._client_options())
        return self._vaults[vault_uri]

    @contextmanager
    def _explaining(self, what: str) -> Iterator[None]:
        try:
            with explaining(what):
                yield
            self.answered = True
        except AzureError as error:
            self.answered = self.answered or bool(error.status)
            raise

    def request(self, method: str, path: str, api_version: str, body: Any = None, query: str = "") -> Any:
        """Return the answer to one request that is not a long operation, as JSON; None where it is empty.

        Raises ``AzureError``.
        """
        return self.send(self.resources, method, f"{path}?api-version={api_version}{query}", body)

    def pages(self, path: str, api_version: str, query: str = "") -> Iterator[dict[str, Any]]:
        """Yield the items of a list. Raises ``AzureError``."""
        found = self.request("GET", path, api_version, query=query)
        while True:
            yield from found.get("value") or ()
            if not found.get("nextLink"):
                return
            found = self.send(self.resources, "GET", found["nextLink"])

    def send(self, client: Any, method: str, url: str, body: Any = None) -> Any:
        """Return the answer to one request through a client of the SDK's, as JSON; None where it is empty.

        Raises ``AzureError``.
        """
        with needing_sdk():
            from azure.core.rest import HttpRequest
        with self._explaining(f"{method} {url.partition('?')[0]}"):
            response = client.send_request(HttpRequest(method, url, json=body))
            response.raise_for_status()
            return response.json() if response.text() else None

    def finish(
        self, what: str, begin: Callable[..., Any], *arguments: Any, wait: bool = True, **options: Any
    ) -> dict[str, Any] | None:
        """Begin a long operation of the SDK's and wait until it has ended; return the resource, if Azure does.

        Raises ``AzureError``.
        """
        with self._explaining(what):
            from .pipeline import Polling

            self.deadline.begin_anew()
            polling = Polling(self.deadline, what) if wait else False
            poller = begin(*arguments, polling=polling, **options)
            try:
                found: dict[str, Any] | None = plain(poller.result())
            except ValueError:
                # Some answer with nothing at first, which the SDK takes for JSON where it does not wait.
                if wait:
                    raise
                found = None
            return found

    def act(self, what: str, path: str, api_version: str, wait: bool = True) -> None:
        """Begin a long action on a resource, and wait until it has ended. Raises ``AzureError``."""

        def begin(polling: Any) -> Any:
            from azure.core.polling import LROPoller, NoPolling
            from azure.core.rest import HttpRequest

            client = self.resources._client
            request = HttpRequest("POST", f"{self.auth.cloud.manager}{path}?api-version={api_version}")
            answer = client.send_request(request, _return_pipeline_response=True)
            answer.http_response.raise_for_status()
            # The SDK has no types for it.
            nothing: Any = NoPolling
            return LROPoller(client, answer, lambda _answer: None, polling or nothing())

        self.finish(what, begin, wait=wait)

    def items(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Iterator[Any]:
        """Yield the items of a list of the SDK's, as JSON. Raises ``AzureError``."""
        with self._explaining("Listing"):
            for each in call(*arguments, **options):
                yield plain(each)

    def ask(self, what: str, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Return what a call of the SDK's answers, as JSON; None where it says that nothing is there.

        Raises ``AzureError``.
        """
        try:
            with self._explaining(what):
                return plain(call(*arguments, **options))
        except AzureError as error:
            if error.status == 404:
                return None
            raise


def plain(found: Any) -> Any:
    """Return a model of the SDK's as JSON: it keeps what it does not know, such as a newer property."""
    return found.as_dict() if hasattr(found, "as_dict") else found


@contextmanager
def needing_sdk() -> Iterator[None]:
    """Say how to get what cannot be imported."""
    try:
        yield
    except ImportError as error:
        raise MatchaError(
            f"A Python package for Azure is missing ({error.name}): install {', '.join(MISSING)}, as in the "
            f"collection's requirements.txt, for the Python that runs this module."
        ) from error


@contextmanager
def explaining(what: str) -> Iterator[None]:
    """Turn the SDK's errors into ours."""
    with needing_sdk():
        from azure.core.exceptions import AzureError as SdkError
    try:
        yield
    except SdkError as error:
        raise translate(what, error) from error
