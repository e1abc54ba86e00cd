# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the unit tests share."""

from __future__ import annotations

import contextlib
import shutil
import socket
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from ansible_collections.matcha.mlops.plugins.module_utils.local.folder import Folder
from ansible_collections.matcha.mlops.plugins.module_utils.local.processes import processes_of
from ansible_collections.matcha.mlops.plugins.module_utils.stack.lock import LocalLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def folder() -> Iterator[Folder]:
    """Yield the folder of a deployment, with a path that is short enough for a socket. Its processes end."""
    home = Path(tempfile.mkdtemp(prefix="m-"))
    found = Folder(home / "tests")
    found.path.mkdir(mode=0o700)
    yield found
    lock = LocalLock(found.path)
    if lock.holder():
        lock.force()
    # Supervisor would take its time to end.
    while processes := processes_of(found.path):
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
    # A watcher may be tidying up at the same time.
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def stranger() -> Iterator[int]:
    """Yield a port on which this process, which is none of the deployment's, listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_until(condition: Callable[[], Any], what: str, timeout: float = 30) -> Any:
    """Return what a condition gives as soon as it is true."""
    deadline = time.monotonic() + timeout
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        time.sleep(0.01)
    return found


@pytest.fixture(name="wait_until")
def _wait_until() -> Callable[..., Any]:
    return wait_until
