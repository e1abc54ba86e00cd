# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders that are made once, whole or not at all, and kept outside the checkout: ~/.cache/matcha.mlops.

Any of them may be deleted at any time when no test runs.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def cache_folder() -> Path:
    """Return the folder of all caches of this project."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "matcha.mlops"


def key(*parts: str | bytes) -> str:
    """Make a short name for these inputs."""
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        whole.update(hashlib.sha256(data).digest())
    return whole.hexdigest()[:16]


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold a lock that all checkouts share, and that is free again when its holder dies."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with (cache_folder() / f".{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def cached(name: str, inputs: str, make: Callable[[Path], None]) -> Path:
    """Return the folder NAME-INPUTS, which `make` fills where it is missing."""
    place = cache_folder() / f"{name}-{inputs}"
    if place.is_dir():
        return place
    with locked(name):
        if not place.is_dir():
            sys.stderr.write(f"Making {place} …\n")
            new = place.with_name(f"{place.name}.new")
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir()
            make(new)
            new.rename(place)
    return place
