"""pg8000 with statements that the server keeps.

pg8000 sends a statement's text each time, asks what it is and then runs it, which takes three trips
to the server, and it looks at every character of the text for its parameters. Here a connection
has a text prepared when it meets it first; from then on it takes one trip.
"""

from __future__ import annotations

from collections.abc import Sequence
from selectors import EVENT_READ, DefaultSelector
from time import monotonic
from typing import Any

import pg8000
from pg8000.converters import make_params
from pg8000.exceptions import DatabaseError
from pg8000.legacy import convert_paramstyle

_MOST = 200
"""Statements that a connection has kept at most; what Platen asks is much less."""

_STALE = ("0A000", "26000")
"""What the server says of a statement whose columns have changed since, or that it has no more."""


_FRESH_SECONDS = 5.0
"""Within them, a connection that was in use counts as good while nothing has arrived on it. After
them, a silent one may have been cut off on the way.
"""


class Connection(pg8000.Connection):  # type: ignore[misc]  # pg8000 has no types
    """To be used with `autocommit`: a transaction begins and ends by statements of its own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._kept: dict[str, tuple[Any, ...]] = {}
        self._taken_at = monotonic()

    def ask_for_life(self) -> None:
        """Raises whatever the server's end of the connection does.

        A server says why it ends a connection, or at least closes it: something has arrived then.
        """
        since, self._taken_at = self._taken_at, monotonic()
        if self._taken_at - since > _FRESH_SECONDS or self._has_news():
            self.execute_simple(";")

    def _has_news(self) -> bool:
        with DefaultSelector() as selector:
            selector.register(self._usock, EVENT_READ)
            return bool(selector.select(timeout=0))

    def cursor(self) -> Cursor:
        return Cursor(self)

    def rollback(self) -> None:
        if self._in_transaction:
            self.execute_simple("ROLLBACK")

    def answer(self, text: str, values: Sequence[Any]) -> Any:
        """What the server answers to a statement with ``%s`` for its parameters."""
        if text not in self._kept:
            statement, _ = convert_paramstyle("format", text, values)
            if len(self._kept) >= _MOST:
                return self.execute_unnamed(statement, values)
            self._kept[text] = self.prepare_statement(statement, ())
        name, columns, readers = self._kept[text]
        try:
            given = make_params(self.py_types, values)
            return self.execute_named(name, given, columns, readers, text)
        except DatabaseError as error:
            if error.args[0]["C"] in _STALE:  # prepared anew when it is sent again
                del self._kept[text]
            raise


class Cursor(pg8000.Cursor):  # type: ignore[misc]  # pg8000 has no types
    def execute(self, operation: str, args: Sequence[Any] = (), stream: object = None) -> Cursor:
        """Raises pg8000's DatabaseError where the server refuses."""
        if args:
            self._context = self._c.answer(operation, args)
            self._row_iter = iter(self._context.rows or ())
        else:
            super().execute(operation, stream=stream)
        return self
