# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways through the wall of a network namespace, for TCP alone.

A socket belongs for ever to the namespace in which it was made, whichever thread uses it then. So a thread that has
entered the namespace makes them, and any other hands the bytes on.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CLONE_NEWNET = 0x40000000
CONNECT_TIMEOUT = 20
SIZE = 1 << 16
Address = tuple[str, int]


class Inside:
    """The network of a process, in which sockets can be made."""

    def __init__(self, pid: int) -> None:
        self._worker = ThreadPoolExecutor(1, "inside", self._enter, (pid,))
        # An error of entering shows here.
        self._worker.submit(os.getpid).result()

    @staticmethod
    def _enter(pid: int) -> None:
        descriptor = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "The node's network could not be entered")
        finally:
            os.close(descriptor)

    def socket(self) -> socket.socket:
        return self._worker.submit(socket.socket, socket.AF_INET, socket.SOCK_STREAM).result()

    def close(self) -> None:
        self._worker.shutdown()


@dataclass
class Relays:
    """All relays of a node. Those of the host stay when the node is stopped, and lead to it when it runs again."""

    inside: Inside | None = None
    _outside: list[socket.socket] = field(default_factory=list)
    # Relays of the node end with its network, which lives as long as they do, and are made again with the next one.
    _inside: list[socket.socket] = field(default_factory=list)
    _wanted_inside: dict[Address, Address] = field(default_factory=dict)
    _connections: set[socket.socket] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def from_host(self, target: Address, port: int = 0) -> int:
        """Listen on 127.0.0.1 for what leads to an address in the node, and return the port."""
        listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self._outside.append(listener)
        self._serve(listener, lambda: self._connected_inside(target))
        return int(listener.getsockname()[1])

    def from_node(self, address: Address, target: Address) -> None:
        """Listen on an address of the node for what leads to one of the host."""
        with self._lock:
            self._wanted_inside[address] = target
        if self.inside:
            self._listen_inside(address, target)

    def enter(self, pid: int) -> None:
        """Lead to the network of this process from now on."""
        self.leave()
        self.inside = Inside(pid)
        for address, target in list(self._wanted_inside.items()):
            self._listen_inside(address, target)

    def leave(self) -> None:
        """Lead nowhere: the node is gone."""
        inside, self.inside = self.inside, None
        if inside:
            inside.close()
        _end(self._inside)
        # The other ends may be gone without a word, and nobody is to wait for them.
        with self._lock:
            for connection in self._connections:
                _shut(connection)

    def close(self) -> None:
        self.leave()
        _end(self._outside)

    def _listen_inside(self, address: Address, target: Address) -> None:
        assert self.inside
        listener = self.inside.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
        self._inside.append(listener)
        self._serve(listener, lambda: socket.create_connection(target, CONNECT_TIMEOUT))

    def _connected_inside(self, target: Address) -> socket.socket:
        inside = self.inside
        if not inside:
            raise ConnectionError("The node is stopped.")
        connection = inside.socket()
        connection.settimeout(CONNECT_TIMEOUT)
        try:
            connection.connect(target)
        except OSError:
            connection.close()
            raise
        return connection

    def _serve(self, listener: socket.socket, connect: Callable[[], socket.socket]) -> None:
        threading.Thread(target=self._accept, args=(listener, connect), daemon=True).start()

    def _accept(self, listener: socket.socket, connect: Callable[[], socket.socket]) -> None:
        while True:
            try:
                client, _address = listener.accept()
            except OSError:
                # It was closed, or its network is gone.
                return
            threading.Thread(target=self._join, args=(client, connect), daemon=True).start()

    def _join(self, client: socket.socket, connect: Callable[[], socket.socket]) -> None:
        with client:
            try:
                server = connect()
            except (OSError, RuntimeError):
                return
            with server, self._counted(client, server):
                for connection in (client, server):
                    connection.settimeout(None)
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                back = threading.Thread(target=_copy, args=(server, client), daemon=True)
                back.start()
                _copy(client, server)
                back.join()

    @contextlib.contextmanager
    def _counted(self, *connections: socket.socket) -> Iterator[None]:
        with self._lock:
            self._connections.update(connections)
        try:
            yield
        finally:
            with self._lock:
                self._connections.difference_update(connections)


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(SIZE):
            target.sendall(data)
    except OSError:
        # One side is gone, so the other has nobody to talk to.
        for end in (source, target):
            _shut(end)
        return
    # The other direction may go on.
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _end(listeners: list[socket.socket]) -> None:
    while listeners:
        listener = listeners.pop()
        # Closing alone does not wake the thread that accepts.
        _shut(listener)
        listener.close()
