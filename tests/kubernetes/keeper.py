# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that owns a test node: it starts it, does what a harness asks, and removes it when the harness is gone.

    python -m tests.kubernetes.keeper FOLDER [--owned]

With --owned the node ends with whoever holds the other end of the keeper's input, even if that was killed.
"""

from __future__ import annotations

import contextlib
import os
import queue
import secrets
import shutil
import signal
import sys
import threading
import traceback
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import Any

from tests.kubernetes import cgroups
from tests.kubernetes.layout import Layout
from tests.kubernetes.node_life import Node

DOWN = "down"


@dataclass
class Keeper:
    """Takes requests from any number of clients, one at a time."""

    layout: Layout
    node: Node
    requests: queue.SimpleQueue[tuple[str, dict[str, Any], Connection | None]] = field(
        default_factory=queue.SimpleQueue
    )
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def listen(self) -> None:
        listener = Listener(("127.0.0.1", 0), authkey=self.key)
        state = {"pid": os.getpid(), "control": list(listener.address), "key": self.key.hex()}
        self.layout.write({**self.layout.read(), **state, "port": self.node.port})
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: Listener) -> None:
        while True:
            # A client without the key is none.
            with contextlib.suppress(OSError, EOFError, Exception):
                client = listener.accept()
                threading.Thread(target=self._read, args=(client,), daemon=True).start()

    def _read(self, client: Connection) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                name, arguments = client.recv()
                self.requests.put((name, arguments, client))

    def watch_owner(self) -> None:
        """End when the harness has closed its end, or was killed."""

        def read() -> None:
            while os.read(0, 4096):
                pass
            self.requests.put((DOWN, {}, None))

        threading.Thread(target=read, daemon=True).start()

    def work(self) -> None:
        """Do what is asked, in the thread that the node's processes live and die with."""
        while True:
            name, arguments, client = self.requests.get()
            if name == DOWN:
                self._answer(client, True, None)
                return
            try:
                result = getattr(self.node, f"do_{name}")(**arguments)
            except Exception as error:  # noqa: BLE001 - whatever it is, the client has to know, and the node goes on
                traceback.print_exc()
                self._answer(client, False, f"{error}")
            else:
                self._answer(client, True, result)

    @staticmethod
    def _answer(client: Connection | None, good: bool, content: object) -> None:
        if client:
            with contextlib.suppress(OSError):
                client.send((good, content))


def main() -> None:
    folder, owned = Path(sys.argv[1]), "--owned" in sys.argv[2:]
    layout = Layout(folder)
    layout.make()
    cgroups.sweep()
    keeper = Keeper(layout, Node(layout, f"{cgroups.PREFIX}{os.getpid()}"))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: keeper.requests.put((DOWN, {}, None)))
    try:
        keeper.listen()
        if owned:
            keeper.watch_owner()
        keeper.work()
    finally:
        keeper.node.remove()
        layout.write({**layout.read(), "pid": None})
        if layout.read().get("temporary"):
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
