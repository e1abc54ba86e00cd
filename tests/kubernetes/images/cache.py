# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and folders that all checkouts share: each is made once, by one process, whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def cache() -> Path:
    """Return the folder of what may be deleted at any time."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "matcha.mlops" / "images"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"Cannot make {folder} ({error.strerror}): make it writable, or set XDG_CACHE_HOME."
        raise RuntimeError(message) from error
    return folder


@contextmanager
def locked(place: Path) -> Iterator[None]:
    """Hold the lock of one thing in the cache; it ends with the process."""
    with (place.parent / f".{place.name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def discard(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def made(name: str, make: Callable[[Path], None]) -> Path:
    """Return what has this name in the cache; if it is missing, `make` makes it at the path that it is given."""
    place = cache() / name
    if place.exists():
        return place
    with locked(place):
        if not place.exists():
            draft = place.with_name(f".{name}.new")
            discard(draft)
            make(draft)
            draft.rename(place)
    return place
