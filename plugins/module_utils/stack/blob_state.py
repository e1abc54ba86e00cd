# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deployment's state in a blob, which Azure lets only the holder of its lease write."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ..azure.arm import explaining
from ..azure.blob import BlobPlace
from ..azure.errors import AzureError
from .state import State, StateError, StateStore, decode

# Somebody of the same run was faster.
STALE = "ConditionNotMet"
LOST = ("LeaseIdMissing", "LeaseIdMismatchWithBlobOperation", "LeaseNotPresentWithBlobOperation", "LeaseLost")
ABSENT = ("BlobNotFound", "ContainerNotFound")


class BlobState(StateStore):
    """A state in a private blob. An empty blob is no state: it is there for its lease."""

    def __init__(self, place: BlobPlace, lease_id: str = "") -> None:
        """Use this blob; a lease is needed only to write."""
        self.place, self.lease_id = place, lease_id

    def read(self) -> State | None:
        """Return the state, or None where there is none. Raises ``StateError``, ``AzureError``."""
        return self._read()[0]

    def _read(self) -> tuple[State | None, str, dict[str, str]]:
        """Return the state, its etag, and the metadata, which say who holds the lease."""
        try:
            with explaining(f"Reading {self.place}"):
                found = self.place.client.download_blob()
                text = found.readall().decode("utf-8")
                etag, metadata = str(found.properties.etag), dict(found.properties.metadata or {})
        except AzureError as error:
            if error.code in ABSENT:
                return None, "", {}
            raise
        except UnicodeDecodeError as error:
            raise StateError(f"The state {self.place} is damaged ({error}): put a copy of it back.") from error
        return (decode(text, str(self.place)) if text else None), etag, metadata

    def update(self, change: Callable[[State | None], State]) -> State:
        """Replace the state; the roles of one run record side by side, so a change is made anew where it must be.

        Raises ``StateError`` where the run does not hold the lease any more.
        """
        while True:
            before, etag, metadata = self._read()
            after = change(json.loads(json.dumps(before)))
            if after == before:
                return after
            try:
                self._write(json.dumps(after, indent=2) + "\n", etag, metadata)
            except AzureError as error:
                if error.code in LOST:
                    raise StateError(
                        f"The state {self.place} was not written, since this run does not hold its lease any more: it "
                        f"was taken away (unlock.yml) or ran out. Run the playbook again."
                    ) from error
                if error.code != STALE:
                    raise
            else:
                return after

    def _write(self, text: str, etag: str, metadata: dict[str, str]) -> None:
        from azure.core import MatchConditions

        # A write takes away what it doesn't name.
        options: dict[str, Any] = {"metadata": metadata, **({"lease": self.lease_id} if self.lease_id else {})}
        if etag:
            options.update(etag=etag, match_condition=MatchConditions.IfNotModified)
        with explaining(f"Writing {self.place}"):
            self.place.client.upload_blob(text.encode(), overwrite=bool(etag), **options)
