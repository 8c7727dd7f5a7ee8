"""A TCP proxy that breaks connections and changes what they carry: for fault tests."""

from __future__ import annotations

import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto

_RESET_WHEN_CLOSED = struct.pack("ii", 1, 0)


class Fault(Enum):
    """How a connection ends."""

    RESET = auto()
    """Both ends get a TCP reset."""
    FIN = auto()
    """The server sees the end of the client's stream; the way back stays open until it closes."""
    HALF_OPEN = auto()
    """The client gets a reset; the server is told nothing."""
    HOLE = auto()
    """Everything both send is swallowed; nobody is told."""
    STALL = auto()
    """Nothing is taken from either any more, so that buffers fill up; nobody is told."""


class Broken(Exception):
    """Raised by a `Line` when its connection is to end; ``last`` still reaches the server."""

    def __init__(self, fault: Fault, last: bytes = b"") -> None:
        self.fault = fault
        self.last = last


class Line:
    """What happens to the bytes of one connection; as it is, nothing."""

    forged = b""
    """Sent to the client as if it came from the server, and then emptied."""

    def up(self, data: bytes) -> bytes:
        """What the server gets of what the client sent."""
        return data

    def down(self, data: bytes) -> bytes:
        """What the client gets of what the server sent."""
        return data


class CutAfter(Line):
    """Lets ``size`` bytes of the client's pass, calls ``before``, and breaks the connection."""

    def __init__(self, size: int, fault: Fault, before: Callable[[], None] | None = None) -> None:
        self._left = size
        self._fault = fault
        self._before = before

    def up(self, data: bytes) -> bytes:
        if len(data) < self._left:
            self._left -= len(data)
            return data
        if self._before:
            self._before()
        raise Broken(self._fault, data[: self._left])


class Frames(Line):
    """Cuts the streams into messages: 4 bytes of length, then an SMB2 header ([MS-SMB2] 2.1)."""

    def __init__(self) -> None:
        self._up, self._down = bytearray(), bytearray()

    def request(self, frame: bytes) -> bytes:
        """What the server gets of a whole message of the client's."""
        return frame

    def reply(self, frame: bytes) -> bytes:
        """What the client gets of a whole message of the server's."""
        return frame

    def up(self, data: bytes) -> bytes:
        self._up += data
        return b"".join(map(self.request, _frames(self._up)))

    def down(self, data: bytes) -> bytes:
        self._down += data
        return b"".join(map(self.reply, _frames(self._down)))


def _frames(stream: bytearray) -> Iterator[bytes]:
    while len(stream) >= 4 and len(stream) >= (end := 4 + int.from_bytes(stream[:4], "big")):
        frame = bytes(stream[:end])
        del stream[:end]
        yield frame


class Proxy:
    """Listens on ``port`` of this machine; ``line`` makes the `Line` of each new connection.

    ``server``: a port of this machine, or the path of a socket.
    """

    def __init__(self, server: int | str) -> None:
        self.line: Callable[[], Line] = Line
        self.connections = 0
        """How many the client has made so far."""
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def strike(self, line: Callable[[], Line], *, times: int) -> None:
        """Give the next ``times`` connections such a line, and harmless ones to those after."""
        first = self.connections
        self.line = lambda: line() if self.connections <= first + times else Line()

    def close(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            if not select.select([self._listener], [], [], 0.02)[0]:
                continue
            client, _ = self._listener.accept()
            # Else an answer that comes in pieces waits 40 ms for the client to confirm the first.
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            thread = threading.Thread(target=self._carry, args=(client, self.line()))
            self._threads.append(thread)
            thread.start()

    def _carry(self, client: socket.socket, line: Line) -> None:
        with client, suppress(OSError), _reached(self._server) as server:
            try:
                self._pass_on(client, server, line)
            except Broken as broken:
                with suppress(OSError):
                    server.sendall(broken.last)
                self._break(client, server, broken.fault)

    def _pass_on(self, client: socket.socket, server: socket.socket, line: Line) -> None:
        for source, data in self._received(client, server):
            if not data:
                return
            if source is server:
                client.sendall(line.down(data))
            else:
                server.sendall(line.up(data))
                forged, line.forged = line.forged, b""
                client.sendall(forged)

    def _break(self, client: socket.socket, server: socket.socket, fault: Fault) -> None:
        for end in {Fault.RESET: (client, server), Fault.HALF_OPEN: (client,)}.get(fault, ()):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_WHEN_CLOSED)
            end.close()
        match fault:
            case Fault.FIN:
                server.shutdown(socket.SHUT_WR)
                for source, data in self._received(client, server):
                    if source is server and not data:
                        return
                    if source is server:
                        client.sendall(data)
            case Fault.HOLE:
                for _ in self._received(client, server):
                    pass
            case Fault.STALL | Fault.HALF_OPEN:
                self._over.wait()

    def _received(self, *ends: socket.socket) -> Iterator[tuple[socket.socket, bytes]]:
        """What either end sends, nothing once when it ends; until both have or the proxy closes."""
        open_ends = list(ends)
        while open_ends and not self._over.is_set():
            for source in select.select(open_ends, [], [], 0.02)[0]:
                data = source.recv(1 << 16)
                if not data:
                    open_ends.remove(source)
                yield source, data


def _reached(server: int | str) -> socket.socket:
    if isinstance(server, int):
        return socket.create_connection(("127.0.0.1", server))
    reached = socket.socket(socket.AF_UNIX)
    reached.connect(server)
    return reached


@contextmanager
def proxy(server: int | str) -> Iterator[Proxy]:
    """A proxy before a server of this machine; at the end all its connections are closed."""
    between = Proxy(server)
    try:
        yield between
    finally:
        between.close()
