"""How a file comes to stand under its name: whole, flushed, and replacing nothing.

It is written under a unique temporary name, and the NAS is told to delete it when the connection
ends, however it ends. Once it is whole and flushed, it is spared and renamed in one round trip.
Paths are the share's, with backslashes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from smbprotocol.exceptions import SharingViolation, SMBResponseException
from smbprotocol.open import Open
from smbprotocol.tree import TreeConnect
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from shared.errors import NameTaken, NasFull, StagedFileMissing
from shared.nas.smb import asks
from shared.nas.smb.asks import Ask
from shared.nas.smb.status import ABSENT, IN_THE_WAY, NO_FOLDER, NO_NAME
from shared.nas.smb.transfer import read, together, write

# Another worker that publishes the same file is done with it by then.
_while_it_is_moved = Retrying(
    retry=retry_if_exception_type(SharingViolation),
    stop=stop_after_delay(2),
    wait=wait_fixed(0.05),
    reraise=True,
)


def create(tree: TreeConnect, draft: str, path: str, content: memoryview, ours: set[int]) -> None:
    """Write ``content`` to ``path`` by way of ``draft``, or raise NameTaken.

    ``ours`` are the index numbers of the files that earlier attempts may have renamed to ``path``
    without seeing the reply: one of those standing there, with this content, is success (a number
    alone may have gone to another file since). This attempt's is added.
    """
    with temporary(tree, draft, content.nbytes) as (opened, index):
        write(tree, opened, content)
        together(tree, asks.flushed(opened))
        try:
            spared, doomed = asks.doomed(opened, False), asks.doomed(opened, True)
            _name(tree, path, spared, asks.renamed(opened, path), back=doomed)
        except NameTaken:
            if not _landed(tree, path, ours) or not _holds(tree, path, content):
                raise
            together(tree, doomed)
        else:
            together(tree, asks.flushed(opened))
        finally:
            ours.add(index)


def publish(tree: TreeConnect, source: str, path: str, ours: set[int]) -> None:
    """Rename ``source`` to ``path``; raises StagedFileMissing or NameTaken. ``ours``: as above."""
    opened = Open(tree, source)
    opening = (asks.movable(opened), asks.index(opened))
    try:
        _, index = _while_it_is_moved(together, tree, *opening)
    except SMBResponseException as error:
        if error.status not in ABSENT:
            raise
        if _landed(tree, path, ours):
            return
        raise StagedFileMissing from error
    with closing(tree, opened):
        ours.add(index)
        _name(tree, path, asks.renamed(opened, path))
        together(tree, asks.flushed(opened))


@contextmanager
def closing(tree: TreeConnect, opened: Open) -> Iterator[None]:
    """Close it at the end. What the block did stands by then, so failing to close is no failure."""
    try:
        yield
    finally:
        if opened.connected:
            with suppress(Exception):
                together(tree, asks.closed(opened))


@contextmanager
def temporary(tree: TreeConnect, path: str, size: int) -> Iterator[tuple[Open, int]]:
    """A new file for ``size`` bytes, and its index number.

    Closed at the end, and deleted with that unless the block spared it. Raises NasFull when the
    NAS says that there is no room for it.
    """
    opened = Open(tree, path)
    opening = (
        asks.new(opened),
        asks.doomed(opened, True),
        asks.index(opened),
        asks.free(opened),
    )
    with closing(tree, opened):
        *_, index, free = _in_folder(tree, path, *opening)
        if free < size:
            raise NasFull
        try:
            yield opened, index
        except BaseException:
            with suppress(Exception):
                together(tree, asks.doomed(opened, True))
            raise


def _name(tree: TreeConnect, path: str, *steps: Ask, back: Ask | None = None) -> None:
    """Take the steps that give a file its name, or raise NameTaken when something stands there."""
    try:
        _in_folder(tree, path, *steps, back=back)
    except SMBResponseException as error:
        # An open file answers as if it were locked, and a locked folder does so too: look.
        if error.status not in IN_THE_WAY or not _stands(tree, path):
            raise
        raise NameTaken(name=path.rpartition("\\")[2]) from error


def _in_folder(tree: TreeConnect, path: str, *steps: Ask, back: Ask | None = None) -> list[Any]:
    """The steps in one round trip; where the folders of ``path`` are missing, they are made.

    ``back`` undoes meanwhile what the steps did before they failed.
    """
    try:
        return together(tree, *steps)
    except SMBResponseException as error:
        if error.status not in NO_FOLDER:
            raise
    if back:
        together(tree, back)
    parts = path.split("\\")
    for depth in range(1, len(parts)):
        folder = Open(tree, "\\".join(parts[:depth]))
        together(tree, asks.made(folder), asks.closed(folder))
    return together(tree, *steps)


def _stands(tree: TreeConnect, path: str) -> bool:
    """Whether anything has this name, a file that is about to be deleted included."""
    opened = Open(tree, path)
    try:
        together(tree, asks.visible(opened, any_kind=True), asks.closed(opened))
    except SMBResponseException as error:
        return error.status not in NO_NAME
    return True


def _landed(tree: TreeConnect, path: str, ours: set[int]) -> bool:
    """Whether one of our files stands at ``path``; flushed then."""
    opened = Open(tree, path)
    steps = (asks.flushable(opened), asks.index(opened), asks.flushed(opened), asks.closed(opened))
    try:
        _, index, *_ = together(tree, *steps) if ours else (None, 0)
    except SMBResponseException:
        return False
    return index != 0 and index in ours


def _holds(tree: TreeConnect, path: str, content: memoryview) -> bool:
    """Whether the file at ``path`` has just these bytes."""
    opened = Open(tree, path)
    together(tree, asks.readable(opened))
    with closing(tree, opened):
        if opened.end_of_file != len(content):
            return False
        start = 0
        for chunk in read(tree, opened):
            if chunk != content[start : start + len(chunk)]:
                return False
            start += len(chunk)
        return True
