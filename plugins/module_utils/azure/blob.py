# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The blob in which a deployment on Azure keeps its state, and on which its lock is a lease.

An owner of a subscription has no right to the data in its accounts by that alone, so the right is granted here,
to whoever signs in, on this one account. Azure takes up to ten minutes to act on a grant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .arm import Arm, Deadline, explaining, needing_sdk
from .auth import Auth
from .converge import converge
from .errors import AzureError
from .kinds.role_assignment import RoleAssignment

ROLE = "Storage Blob Data Contributor"
# Seconds that a grant may take, and between two signs of life.
LONGEST_GRANT, TELL_EVERY = 600, 15
NO_RIGHT = ("AuthorizationPermissionMismatch", "AuthorizationFailure")


@dataclass(frozen=True)
class BlobPlace:
    """Where a blob is, and who signs in to it."""

    auth: Auth
    account: str
    container: str
    blob: str = "state.json"

    @property
    def account_url(self) -> str:
        """Return the address of the account's blobs."""
        return f"https://{self.account}.blob.{self.auth.cloud.storage}"

    def __str__(self) -> str:
        """Return the address of the blob."""
        return f"{self.account_url}/{self.container}/{self.blob}"

    @cached_property
    def client(self) -> Any:
        """Return the SDK's client for the blob; it signs in when it is first used."""
        with needing_sdk():
            from azure.storage.blob import BlobClient

            return BlobClient(
                self.account_url,
                self.container,
                self.blob,
                credential=self.auth.credential(),
                retry_total=5,
                connection_timeout=10,
                read_timeout=20,
            )


def ensure_blob(place: BlobPlace) -> None:
    """Make the blob, empty, if it isn't there: a lease needs something to be on. Raises ``AzureError``."""
    try:
        with explaining(f"Making {place}"):
            if not place.client.exists():
                place.client.upload_blob(b"", overwrite=False)
    except AzureError as error:
        # Somebody else was first.
        if error.code not in ("BlobAlreadyExists", "LeaseIdMissing"):
            raise


def ensure_access(place: BlobPlace, arm: Arm, account_id: str, tell: Callable[[str], None]) -> None:
    """Make sure that who signs in can use the blob; grant it the role, and wait until that works.

    ``tell`` is told what is being waited for, about every 15 seconds. Raises ``AzureError``.
    """
    deadline = Deadline(LONGEST_GRANT)
    granted, told = False, 0.0
    while True:
        try:
            return ensure_blob(place)
        except AzureError as error:
            if error.code not in NO_RIGHT:
                raise
        if not granted:
            grant(arm, account_id)
            granted = True
        waited = deadline.elapsed()
        if not told or waited - told >= TELL_EVERY:
            tell(f"waiting for the right to the data in {place.account} to take effect, {waited:.0f} s so far")
            told = waited or 0.001
        deadline.pause(f"Waiting for the role '{ROLE}' on {place.account} to take effect")


def grant(arm: Arm, scope: str) -> None:
    """Give the role at a scope to who signs in. Raises ``AzureError``."""
    wanted = {"state": "present", "scope": scope, "role_definition": ROLE}
    converge(RoleAssignment(), arm, wanted, check_mode=False)
