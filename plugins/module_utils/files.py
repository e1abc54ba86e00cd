# Copyright: Matcha contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are written whole or not at all, and private folders for one process at a time."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace a file's content: a reader, or a crash, sees the old or the new one. Raises ``OSError``."""
    # mkstemp makes the file with mode 0600.
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_text(path: Path) -> str | None:
    """Return a file's content, or None where there is no such file."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def make_private(*folders: Path) -> None:
    """Make folders that only their owner can look into; those above them too, where they are not there yet."""
    for folder in folders:
        if not folder.is_dir():
            make_private(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let one process at a time into a folder, which is made if it is not there: roles work side by side."""
    make_private(folder)
    # The folder itself: a lock file would be one more thing to remove.
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
