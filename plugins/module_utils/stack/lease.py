# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of a deployment on Azure: a lease on its state, beside the lock in its folder on this machine.

Azure lets nobody write the state without the lease, and ends it within half a minute if nobody renews it. The
watcher of ``watcher.py`` renews it for as long as the controller lives; it ends what the controller left behind,
and only then lets go of the lease.
"""

from __future__ import annotations

import json
import shutil
import time
import uuid
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..azure.arm import explaining
from ..azure.auth import CLOUDS, Auth
from ..azure.blob import BlobPlace
from ..azure.errors import AzureError
from . import watcher
from .lock import Holder, LocalLock

# Seconds: what Azure is asked for, how often it is renewed, and how long a lease goes on after it was broken by force.
# A holder learns of that when it renews, so the last is the longer.
DURATION, INTERVAL, BREAK_PERIOD = 30, 10, 15
# Seconds that a request may be under way when its sender is killed.
GRACE = 3
METADATA = "holder"
# What a run has on this machine, for as long as it lasts: copies of secrets, and what it knows of the deployment.
SECRETS, RUN = "secrets", "run.json"
HELD = ("LeaseAlreadyPresent", "LeaseIsBreakingAndCannotBeAcquired")


def lease_id(token: str) -> str:
    """Return a run's token as Azure wants it."""
    return str(uuid.UUID(hex=token))


class Lease(watcher.Keeper):
    """The lease in the hands of a watcher."""

    interval = INTERVAL
    grace = GRACE

    def __init__(self, place: BlobPlace) -> None:
        """Do nothing yet."""
        self.place = place
        self._lease: Any = None

    def acquire(self, holder: dict[str, Any]) -> str:
        """Take the lease, and say on the blob who has it."""
        from azure.storage.blob import BlobLeaseClient

        begin = time.monotonic()
        lease = BlobLeaseClient(self.place.client, lease_id(holder["token"]))
        try:
            with explaining(f"Taking the lease on {self.place}"):
                lease.acquire(DURATION)
                told = {key: holder[key] for key in ("token", "user", "host", "controller", "since", "purpose")}
                self.place.client.set_blob_metadata({METADATA: json.dumps(told)}, lease=lease)
        except AzureError as error:
            return "elsewhere" if error.code in HELD else str(error).replace("\n", " ")
        self._lease, holder["until"] = lease, begin + DURATION
        return "acquired"

    def renew(self, holder: dict[str, Any]) -> bool:
        """Renew the lease; while Azure cannot be reached, it is ours until it runs out."""
        begin = time.monotonic()
        try:
            with explaining("Renewing"):
                self._lease.renew(timeout=INTERVAL, retry_total=0, connection_timeout=INTERVAL, read_timeout=INTERVAL)
        except AzureError as error:
            return error.busy and time.monotonic() < holder["until"]
        holder["until"] = begin + DURATION
        return True

    def tidy(self, folder: Path) -> None:
        """Remove the copies of secrets, however the run ended."""
        tidy(folder)

    def release(self) -> None:
        """Let go of the lease; one that cannot be let go of runs out."""
        try:
            with explaining("Releasing"):
                self._lease.release(retry_total=1, connection_timeout=INTERVAL, read_timeout=INTERVAL)
        except AzureError:
            return


class LeaseLock(LocalLock):
    """A lock that all machines respect, for a deployment whose state is in a blob."""

    WATCHER = Path(__file__).with_name("lease_watcher.py")

    def __init__(self, folder: Path, place: BlobPlace) -> None:
        """Use a folder of this machine's for what this run leaves on it, and the blob, which must be there."""
        super().__init__(folder)
        self.place = place

    def _secrets(self) -> str:
        place = asdict(self.place)
        clouds = [name for name, cloud in CLOUDS.items() if cloud == self.place.auth.cloud]
        place["auth"]["cloud"] = clouds[0]
        return json.dumps(place)

    def holder(self) -> Holder | None:
        """Return who holds the lease, wherever that is. Raises ``AzureError``."""
        with explaining(f"Reading {self.place}"):
            found = self.place.client.get_blob_properties()
        if found.lease.state not in ("leased", "breaking") or METADATA not in found.metadata:
            return None
        told = json.loads(found.metadata[METADATA])
        return Holder(
            token=told["token"],
            user=told["user"],
            host=told["host"],
            pid=told["controller"]["pid"],
            since=told["since"],
            purpose=told["purpose"],
            # Nobody but its watcher renews it.
            alive=found.lease.state == "leased",
        )

    def force(self) -> None:
        """Break the lease. Its holder's writes of the state fail at once, and the holder ends within seconds."""
        from azure.storage.blob import BlobLeaseClient

        with explaining(f"Breaking the lease on {self.place}"):
            BlobLeaseClient(self.place.client).break_lease(BREAK_PERIOD)
        super().force()
        tidy(self.folder)


def tidy(folder: Path) -> None:
    """Remove what a run leaves on this machine that is of no use after it."""
    shutil.rmtree(folder / SECRETS, ignore_errors=True)
    with suppress(OSError):
        (folder / RUN).unlink(missing_ok=True)


def place_from(text: str) -> BlobPlace:
    """Return the place that ``LeaseLock`` told a watcher of."""
    told = json.loads(text)
    auth = Auth(**{**told["auth"], "cloud": CLOUDS[told["auth"]["cloud"]]})
    return BlobPlace(**{**told, "auth": auth})
