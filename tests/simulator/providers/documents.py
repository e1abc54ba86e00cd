# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What providers do to resources' documents: merge a request into one, and write Azure's kinds of time and name."""

from __future__ import annotations

import base64
import uuid
from copy import deepcopy
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random


def merged(current: Any, change: Any) -> Any:
    """JSON merge patch: objects are merged, a null removes, everything else replaces."""
    if not isinstance(change, dict) or not isinstance(current, dict):
        return deepcopy(without_nulls(change))
    result = dict(current)
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(current.get(key), value)
    return result


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def properties(body: Any) -> dict[str, Any]:
    """Get a request's properties; none where it has none or is no object."""
    found = body.get("properties") if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}


def azure_time(seconds: float, zone: str = "Z") -> str:
    """2026-11-24T19:00:00.1234567Z: seven digits, as most providers write it."""
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}0{zone}"


def whole_time(seconds: float) -> str:
    """As the storage services write it: no fraction, but its digits."""
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%S}.0000000Z"


def guid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def secret(rng: random.Random, size: int) -> str:
    """Base64 of so many bytes. From the seeded generator, since a run must repeat itself; it guards nothing."""
    return base64.b64encode(rng.randbytes(size)).decode()


def etag(seconds: float) -> str:
    """Write a time in hexadecimal, as the storage services do."""
    return f'"0x8D{int(seconds * 1e7) & 0xFFFFFFFFFFFFF:013X}"'


def system_data(request: Any, created: dict[str, Any] | None = None) -> dict[str, Any]:
    """Who made and who changed a resource, and when."""
    now = azure_time(request.simulator.clock.now(), "+00:00")
    principal = request.principal
    name = (getattr(principal, "name", None) or getattr(principal, "object_id", None)) if principal else None
    by, kind = (name, "Application") if name else ("user@example.com", "User")
    made = {k: created[k] for k in ("createdBy", "createdByType", "createdAt")} if created else None
    return {
        **(made or {"createdBy": by, "createdByType": kind, "createdAt": now}),
        "lastModifiedBy": by,
        "lastModifiedByType": kind,
        "lastModifiedAt": now,
    }


def retry_after(request: Any, seconds: int) -> dict[str, str]:
    """Ask for patience, in Azure's seconds. A replay's instant clock asks for none."""
    return {} if request.simulator.clock.instant else {"Retry-After": str(seconds)}


def presumes(request: Any, rid: Any) -> bool:
    """Whether a resource that a write to another one needs is taken to be there.

    Only in a replay: what a recording's test prepared beforehand was not recorded.
    """
    replay = request.simulator.clock.instant and request.principal is None
    return replay and request.method in ("PUT", "POST") and request.path.rstrip("/").lower() != rid.key
