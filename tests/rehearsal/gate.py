# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A way through to another port of this machine, for those who may."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def refusal(message: str) -> bytes:
    """Write the packet with which MySQL turns a client away before it has said anything."""
    body = b"\xff" + (9000).to_bytes(2, "little") + message.encode()
    return len(body).to_bytes(3, "little") + b"\x00" + body


class Gate:
    """Listens on 127.0.0.1. `way` returns the port to go on to, or what the client is told instead."""

    def __init__(self, way: Callable[[], int | bytes]) -> None:
        self._way = way
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._serve, name="gate", daemon=True).start()

    @property
    def port(self) -> int:
        return self._listener.getsockname()[1]

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._let_in, args=(client,), name="gate-client", daemon=True).start()

    def _let_in(self, client: socket.socket) -> None:
        way = self._way()
        if isinstance(way, bytes):
            with client, suppress(OSError):
                client.sendall(way)
            return
        try:
            other = socket.create_connection(("127.0.0.1", way), timeout=10)
        except OSError:
            client.close()
            return
        other.settimeout(None)
        with self._lock:
            self._open |= {client, other}
        back = threading.Thread(target=self._copy, args=(other, client), name="gate-back", daemon=True)
        back.start()
        self._copy(client, other)
        back.join()
        with self._lock:
            self._open -= {client, other}
        client.close()
        other.close()

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for one, how in ((target, socket.SHUT_WR), (source, socket.SHUT_RD)):
            with suppress(OSError):
                one.shutdown(how)

    def cut(self) -> None:
        """End all connections there are."""
        with self._lock:
            for one in self._open:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
