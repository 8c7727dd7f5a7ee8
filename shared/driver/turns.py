"""Turns: what is told of a batch's files, one file after the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

Say = Callable[[], None]


class Turns:
    """Holds back what is to be told of a file until all files before it have ended.

    Files are checked while earlier ones are prepared. A reader of the log finds each file's lines
    together, in the files' order, as if they had been worked on one by one.
    """

    def __init__(self) -> None:
        self._turn = 0
        self._held: dict[int, list[Say]] = defaultdict(list)
        self._ended: set[int] = set()

    def tell(self, at: int, say: Say) -> None:
        """Have ``say`` called in the turn of the file at a position: now, or when that comes."""
        if at == self._turn:
            say()
        else:
            self._held[at].append(say)

    def end(self, at: int) -> None:
        """Nothing more will be told of the file."""
        self._ended.add(at)
        while self._turn in self._ended:
            self._turn += 1
            for say in self._held.pop(self._turn, ()):
                say()
