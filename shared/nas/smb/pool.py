"""A few logged-in connections, each lent to one borrower at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from smbprotocol.tree import TreeConnect

from shared.errors import NasLogin, PlatenError
from shared.nas.smb.deadline import Deadline
from shared.nas.smb.status import Lost, translated

SIZE = 4
"""Connections at once: more do not make the disks of a NAS faster."""

IDLE_S = 30.0
"""How long a connection may wait for its next borrower: routers forget idle ones without a word."""

LOGIN_PAUSE_S = 30.0
"""No login for so long after a refused one: a NAS locks accounts and hosts that fail often."""


class Pool:
    """Many threads may borrow; those that find all connections lent wait."""

    def __init__(self, log_in: Callable[[Deadline], TreeConnect]) -> None:
        self._log_in = log_in
        self._places = threading.Semaphore(SIZE)
        self._idle: list[tuple[float, TreeConnect]] = []
        self._login = threading.Lock()
        self._no_login_before = 0.0

    @contextmanager
    def borrow(self, deadline: Deadline) -> Iterator[TreeConnect]:
        """A connection for the block, which is cut off when the deadline passes within it.

        What the server or the connection raises leaves as `translated`. Raises Lost when no
        connection is to be had in time.
        """
        if not self._places.acquire(timeout=deadline.remaining):
            raise Lost("every connection is lent")
        try:
            tree = self._take() or self._connect(deadline)
            with self._lend(tree, deadline):
                yield tree
        finally:
            self._places.release()

    @contextmanager
    def apart(self, deadline: Deadline) -> Iterator[TreeConnect]:
        """A connection of its own for a block that may last: it takes nobody's place."""
        tree = self._connect(deadline)
        try:
            with translated(tree.session.connection):
                yield tree
        finally:
            tree.session.connection.close()

    def close(self) -> None:
        """End the connections that nobody has borrowed."""
        with suppress(IndexError):
            while True:
                self._idle.pop()[1].session.connection.close()

    def _take(self) -> TreeConnect | None:
        """The connection that was returned last, if it is still good."""
        try:
            since, tree = self._idle.pop()
        except IndexError:
            return None
        if time.monotonic() - since < IDLE_S and tree.session.connection.healthy:
            return tree
        tree.session.connection.close()
        # The others have waited even longer.
        self.close()
        return None

    def _connect(self, deadline: Deadline) -> TreeConnect:
        # One after the other, so that a wrong password is tried once and not by every thread.
        if not self._login.acquire(timeout=deadline.remaining):
            raise Lost("another login has not come to an end")
        try:
            if time.monotonic() < self._no_login_before:
                raise NasLogin
            try:
                return self._log_in(deadline)
            except NasLogin:
                self._no_login_before = time.monotonic() + LOGIN_PAUSE_S
                raise
        finally:
            self._login.release()

    @contextmanager
    def _lend(self, tree: TreeConnect, deadline: Deadline) -> Iterator[None]:
        connection = tree.session.connection
        connection.deadline = deadline
        answered = False
        try:
            with translated(connection), deadline.guard(connection.cut):
                yield
            answered = True
        except PlatenError:
            answered = True
            raise
        finally:
            if answered and connection.healthy and not deadline.over:
                self._idle.append((time.monotonic(), tree))
            else:
                connection.close()
                # What ended this connection may have ended the others without their knowing.
                self.close()
