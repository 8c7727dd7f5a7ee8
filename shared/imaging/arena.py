"""An arena: memory that a process and its helper both see, so that pixels need no pipe.

It is a file without a name or a place on any disk (memfd, Linux). Its pages stay when a file's
pixels were taken out: to have new ones given takes longer than to fill those there are.
"""

from __future__ import annotations

import mmap
import os

import numpy as np
import numpy.typing as npt

Octets = npt.NDArray[np.uint8]

KEPT = 64 << 20
"""Bytes that stay from one file to the next."""


class Arena:
    """One side's view of it. ``file``: its descriptor, ``size``: its bytes."""

    def __init__(self, file: int) -> None:
        self.file = file
        self.size = 0
        self._octets = np.empty(0, np.uint8)

    @classmethod
    def make(cls) -> Arena | None:
        """A new one, or None where the system has none to give."""
        try:
            file = os.memfd_create("platen")
        except (AttributeError, OSError):
            return None
        arena = cls(file)
        if arena.grow(1):
            return arena
        arena.close()
        return None

    def grow(self, size: int) -> bool:
        """Whether it holds ``size`` bytes now: a limit on files or memory may forbid it."""
        try:
            if size > self.size:
                os.truncate(self.file, size)
                self.map(size)
        except (OSError, MemoryError):
            return False
        return True

    def map(self, size: int) -> None:
        """See the ``size`` bytes that it has by now. Raises MemoryError."""
        if size == self.size:
            return
        self._forget()
        try:
            self._octets = np.frombuffer(mmap.mmap(self.file, size), np.uint8)
        except OSError as error:
            raise MemoryError from error
        self.size = size

    def first(self, count: int) -> Octets:
        """The first bytes, to read and to write."""
        return self._octets[:count]

    def shrink(self) -> None:
        """Give back what a large file took. No side may be at work on it."""
        if self.size > KEPT:
            os.truncate(self.file, 0)
            self._forget()

    def close(self) -> None:
        """A second time is harmless."""
        self._forget()
        if self.file >= 0:
            os.close(self.file)
            self.file = -1

    def _forget(self) -> None:
        self._octets, self.size = np.empty(0, np.uint8), 0
