"""The POSIX steps that the folder store is made of, on descriptors of folders.

Foreign errors leave here as `shared.errors` through `translated` alone.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from uuid import uuid4

from shared.errors import (
    NameTaken,
    NasError,
    NasFull,
    NasQuota,
    NasRefused,
    NasUnavailable,
    StagedFileMissing,
)
from shared.ports import Content

# Non-blocking: a FIFO on the share must not hold a thread.
LOOK = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW

_ERRORS: dict[int, type[NasError]] = {
    errno.ENOSPC: NasFull,
    errno.EDQUOT: NasQuota,
    errno.EACCES: NasRefused,
    errno.EPERM: NasRefused,
    errno.EROFS: NasRefused,
    errno.ELOOP: NasRefused,
    errno.EEXIST: NasRefused,
    errno.ENOTDIR: NasRefused,
    errno.EISDIR: NasRefused,
    errno.ENAMETOOLONG: NasRefused,
}
"""What a retry can't mend; anything else is NasUnavailable."""


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def make_root(root: Path) -> None:
    """Create ``root`` and what is missing above it, durably."""
    if not root.is_dir():
        make_root(root.parent)
        root.mkdir(exist_ok=True)
        with _opened(root.parent) as parent:
            os.fsync(parent)


def enter(parent: int, name: str, *, make: bool) -> int:
    """Open the folder ``name`` in ``parent``; ``make`` creates it, durably."""
    try:
        return os.open(name, LOOK, dir_fd=parent)
    except FileNotFoundError:
        if not make:
            raise
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=parent)
    os.fsync(parent)
    return os.open(name, LOOK, dir_fd=parent)


def remove_empty(parent: int, name: str) -> None:
    """Remove the folder ``name`` in ``parent``, unless something lies in it."""
    try:
        os.rmdir(name, dir_fd=parent)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


@contextmanager
def temporary(folder: int, content: Content) -> Iterator[str]:
    """The name of a whole, flushed file with ``content``; the name is gone at the end."""
    name = f"{uuid4().hex}.tmp"
    try:
        with FileIO(os.open(name, _NEW, 0o666, dir_fd=folder), "wb") as file:
            rest = memoryview(content).cast("B")
            while rest:
                rest = rest[file.write(rest) :]
            os.fsync(file.fileno())
        yield name
    finally:
        # What can't be removed now is removed by age later; it must not hide how the write went.
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)


@contextmanager
def locked(folder: int, name: str) -> Iterator[None]:
    """Hold a staged file: linking and unlinking it are two steps that must be one rename.

    Else two workers could give one staged file two names.
    """
    try:
        with FileIO(os.open(name, LOOK, dir_fd=folder)) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    except FileNotFoundError as error:
        raise StagedFileMissing from error


def link(source_folder: int, source: str, folder: int, name: str) -> None:
    """Give a file its name, or raise NameTaken: the one step by which names come to be."""
    try:
        os.link(source, name, src_dir_fd=source_folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError as error:
        raise NameTaken(name=name) from error


@contextmanager
def translated() -> Iterator[None]:
    """Raise one of the NasError family for any OSError of the block."""
    try:
        yield
    except OSError as error:
        raise _ERRORS.get(error.errno or 0, NasUnavailable) from error
