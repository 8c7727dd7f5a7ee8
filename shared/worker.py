"""gunicorn's worker with threads, where a client that is slow takes none of them.

A request is read by the worker's own loop, for any number of clients at once, and a thread gets it
when all of it is there. Answers that nobody takes and connections that nobody closes end in time
too. `shared.mount` has gunicorn use it.
"""

from __future__ import annotations

import errno
import logging
import math
import selectors
import socket
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from gunicorn.http import get_parser
from gunicorn.http.errors import (
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
)
from gunicorn.workers.gthread import TConn, ThreadWorker

from shared.admission import SHARE_OF_ALL, SHARE_OF_BODIES, allowed
from shared.arrival import Arrival
from shared.endpoint import refusal
from shared.errors import (
    Busy,
    HeadTooLarge,
    InternalError,
    PlatenError,
    RequestInvalid,
    RequestTooSlow,
    Stopping,
)
from shared.settings import MEGABYTE, Settings, settings

log = logging.getLogger("platen.worker")

STOP_S = 4.0
"""Seconds after SIGTERM in which a request may still arrive; what is there has gunicorn's grace."""
LINGER_S = 2.0
"""Seconds that a client has to read its answer and hang up. Closing at once would throw away what
it has not read yet, where it has sent more than was read: RFC 9112, section 9.6."""
SMALL_THREADS = 2
"""Threads that answer what has no body, so that a function at work still says that it is well."""

SPARE = 16
"""Descriptors left to those who work, where a process may have fewer than there are clients."""

_RECEIVE = 1 << 18
_GONE = (errno.EAGAIN, errno.ECONNABORTED)
_FULL = (errno.EMFILE, errno.ENFILE)
_OWN_FAULTS = (InvalidResponseHeader, InvalidResponseHeaderName)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(eq=False, slots=True)
class _Visit:
    """A connection whose request is not all there."""

    conn: TConn
    arrival: Arrival
    deadline: float
    """On the monotonic clock."""
    due: int = MEGABYTE
    """Bytes that must be there by then; when they are, there is a new deadline."""


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """Its methods' names are those that gunicorn calls."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = settings()
        self._max_body = own.max_body_mb * MEGABYTE
        self._timeout_s = own.request_timeout_s
        self._visits: set[_Visit] = set()
        self._bodies = _for_bodies(own)
        self._served: dict[TConn, int] = {}
        """And the bytes of their bodies."""
        self._leaving: dict[TConn, float] = {}
        self._stop_by = math.inf

    def init_process(self) -> None:
        # A fork has no threads of its parent's, so they are made here.
        self._small: Executor = ThreadPoolExecutor(SMALL_THREADS, thread_name_prefix="small")
        super().init_process()

    def accept(self, listener: socket.socket) -> None:
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno in _FULL:
                self.worker_connections = max(1, self.nr_conns - SPARE)
            elif error.errno not in _GONE:
                raise
            return
        self.nr_conns += 1
        conn = TConn(self.cfg, sock, client, listener.getsockname())
        visit = _Visit(conn, Arrival(self._max_body), self._deadline())
        self._visits.add(visit)
        self.poller.register(sock, selectors.EVENT_READ, partial(self._receive, visit))

    def _receive(self, visit: _Visit, sock: socket.socket) -> None:
        try:
            data = sock.recv(_RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            self._forget(visit)
            self._close(visit.conn)
            return
        try:
            visit.arrival.take(data)
            self._spare_memory()
        except (MemoryError, OSError):  # the system has no more for it
            self._refuse(visit, Busy())
        except PlatenError as error:
            self._refuse(visit, error)
        else:
            self._go_on(visit, is_over=not data)

    def _go_on(self, visit: _Visit, *, is_over: bool) -> None:
        arrival = visit.arrival
        if arrival.expects_continue:
            arrival.expects_continue = False
            with suppress(OSError):
                visit.conn.sock.send(_CONTINUE)
        if arrival.whole or is_over:
            # Of a client that left half-way too: the parser has the answer.
            self._hand_over(visit)
        elif arrival.received >= visit.due:
            visit.due = arrival.received + MEGABYTE
            visit.deadline = self._deadline()

    def _deadline(self) -> float:
        return min(time.monotonic() + self._timeout_s, self._stop_by)

    def _spare_memory(self) -> None:
        arriving = sum(visit.arrival.held for visit in self._visits)
        if arriving + sum(self._served.values()) > self._bodies:
            raise Busy

    def _hand_over(self, visit: _Visit) -> None:
        """Have a thread answer. It finds the request in memory and waits for nothing."""
        self._forget(visit)
        conn, arrival = visit.conn, visit.arrival
        conn.parser = get_parser(self.cfg, arrival.pieces(), conn.client)
        conn.data_ready = True
        self._served[conn] = arrival.held
        pool = self.tpool if arrival.wanted else self._small
        done = pool.submit(self.handle, conn)
        done.add_done_callback(
            lambda future: self.method_queue.defer(self.finish_request, conn, future)
        )

    def handle_request(self, req: Any, conn: TConn) -> Any:
        # For the answer: each piece of it is taken in time, or the thread is free again.
        conn.sock.settimeout(self._timeout_s)
        return super().handle_request(req, conn)

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:  # noqa: ARG002 - gunicorn's signature
        self._served.pop(conn, None)
        self._part(conn)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:  # noqa: ARG002 - gunicorn's signature
        """Answer what the parser refuses, in JSON as everything else."""
        if isinstance(exc, LimitRequestLine | LimitRequestHeaders):
            error: PlatenError = HeadTooLarge()
        elif isinstance(exc, ParseException) and not isinstance(exc, _OWN_FAULTS):
            error = RequestInvalid(reason="it is not in order as HTTP/1.1")
        else:
            log.error("unexpected", exc_info=exc)
            error = InternalError()
        _send(client, error)

    def _refuse(self, visit: _Visit, error: PlatenError) -> None:
        self._forget(visit)
        _send(visit.conn.sock, error)
        self._part(visit.conn)

    def _forget(self, visit: _Visit) -> None:
        self._visits.remove(visit)
        self.poller.unregister(visit.conn.sock)

    def _part(self, conn: TConn) -> None:
        """Close a connection when its client does, or a little later."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._drain, conn))
        except (OSError, ValueError):  # it is closed already
            self._close(conn)
        else:
            self._leaving[conn] = time.monotonic() + LINGER_S

    def _drain(self, conn: TConn, sock: socket.socket) -> None:
        try:
            more = sock.recv(_RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            more = b""
        if not more:
            self._leave(conn)

    def _leave(self, conn: TConn) -> None:
        del self._leaving[conn]
        self.poller.unregister(conn.sock)
        self._close(conn)

    def _close(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()

    def murder_pending(self) -> None:
        """What gunicorn calls about once a second: end what is over its time."""
        now = time.monotonic()
        for visit in [visit for visit in self._visits if self._is_late(visit, now)]:
            self._refuse(visit, RequestTooSlow() if self.alive else Stopping())
        for conn in [conn for conn, end in self._leaving.items() if end < now]:
            self._leave(conn)

    def _is_late(self, visit: _Visit, now: float) -> bool:
        is_idle = not self.alive and not visit.arrival.received
        return is_idle or min(visit.deadline, self._stop_by) < now

    def handle_exit(self, sig: int, frame: Any) -> None:
        self._stop_by = min(self._stop_by, time.monotonic() + STOP_S)
        super().handle_exit(sig, frame)

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if not self.alive:
            # Nobody waits for a worker that will not come: the next one may listen already.
            for listener in self.sockets:
                listener.close()


def _for_bodies(settings: Settings) -> int:
    """Bytes that the bodies of all requests may take; one of the largest size at the least."""
    pictures = settings.memory_mb
    whole = pictures * MEGABYTE / SHARE_OF_ALL if pictures else allowed()
    return max(settings.max_body_mb * MEGABYTE, int(whole * SHARE_OF_BODIES))


def _send(sock: socket.socket, error: PlatenError) -> None:
    answer = refusal(error)
    head = f"HTTP/1.1 {answer.status}\r\n{answer.headers}".encode("latin-1")
    with suppress(OSError):
        sock.send(head + answer.get_data())
