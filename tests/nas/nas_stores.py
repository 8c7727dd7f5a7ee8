"""The stores that the contract suite runs over: add one here and every test runs over it.

A store's entry opens what it needs (a server, a folder) once for the session and yields a callable
that answers an empty store each time. It raises `StoreAbsent` when the machine lacks what it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import uuid4

from shared.nas.folder import FolderNas
from shared.nas.memory import MemoryNas
from shared.ports import Nas


class StoreAbsent(Exception):
    """What the store needs is not on this machine; the text says what is missing."""


Serve = Callable[[Path], AbstractContextManager[Callable[[], Nas]]]


@contextmanager
def memory(_folder: Path) -> Iterator[Callable[[], Nas]]:
    yield MemoryNas


@contextmanager
def folder(folder: Path) -> Iterator[Callable[[], Nas]]:
    yield lambda: FolderNas(folder / uuid4().hex)


STORES: dict[str, Serve] = {"memory": memory, "folder": folder}
