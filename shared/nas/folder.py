"""A NAS in a folder of this machine (``file:///folder``): the embedded default.

A file is written under a temporary name in ``.platen/``, flushed, and then given its name by a hard
link, which never replaces anything: one step on every POSIX system, macOS included. So the folder's
file system must have hard links (ext4, XFS, Btrfs, ZFS, APFS and NFS do, exFAT does not). A
temporary name that a crash left behind is found by ``list(".platen")``.

Every folder below the root is entered by descriptor and symbolic links are never followed, so
nothing on the share can lead a tenant out of it. Whether names that differ only in case are one
name is left to the file system.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from io import FileIO
from pathlib import Path

from shared.errors import NameInvalid
from shared.nas import disk
from shared.nas.names import STAGING, split
from shared.ports import Content
from shared.records import Entry


class FolderNas:
    """Implements `shared.ports.Nas`. Makes ``root`` on the first write; keeps no state."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def publish(self, staged: str, path: str) -> None:
        (*source_folders, source), (*folders, name) = split(staged), split(path)
        with (
            disk.translated(),
            self._folder(source_folders, make=True) as source_folder,
            disk.locked(source_folder, source),
            self._folder(folders, make=True) as folder,
        ):
            disk.link(source_folder, source, folder, name)
            os.fsync(folder)
            with suppress(FileNotFoundError):
                os.unlink(source, dir_fd=source_folder)

    def create(self, path: str, content: Content) -> None:
        *folders, name = split(path)
        with (
            disk.translated(),
            self._folder([STAGING], make=True) as temporary_folder,
            self._folder(folders, make=True) as folder,
        ):
            with disk.temporary(temporary_folder, content) as temporary:
                disk.link(temporary_folder, temporary, folder, name)
            os.fsync(folder)

    def read(self, path: str) -> bytes | None:
        with disk.translated(), self._open(path) as file:
            return None if file is None else file.read()

    def stat(self, path: str) -> Entry | None:
        with disk.translated(), self._open(path) as file:
            if file is None:
                return None
            facts = os.fstat(file.fileno())
            return Entry(path, facts.st_size, facts.st_mtime)

    def digest(self, path: str) -> tuple[int, str] | None:
        with disk.translated(), self._open(path) as file:
            if file is None:
                return None
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            return file.tell(), sha256

    def delete(self, path: str) -> None:
        *folders, name = split(path)
        with (
            disk.translated(),
            suppress(FileNotFoundError, NotADirectoryError),
            self._folder(folders) as folder,
        ):
            os.unlink(name, dir_fd=folder)

    def remove_folder(self, folder: str) -> None:
        *parents, name = split(folder)
        with (
            disk.translated(),
            suppress(FileNotFoundError, NotADirectoryError),
            self._folder(parents) as parent,
        ):
            disk.remove_empty(parent, name)

    def list(self, folder: str) -> Iterator[Entry]:
        with (
            disk.translated(),
            suppress(FileNotFoundError, NotADirectoryError),
            self._folder(split(folder)) as opened,
            os.scandir(opened) as entries,
        ):
            yield from _regular_files(folder, entries)

    def folders(self, folder: str) -> Iterator[str]:
        parts = split(folder) if folder else ()
        with (
            disk.translated(),
            suppress(FileNotFoundError, NotADirectoryError),
            self._folder(parts) as opened,
            os.scandir(opened) as entries,
        ):
            for entry in entries:
                with suppress(NameInvalid):
                    split(path := "/".join((*parts, entry.name)))
                    if entry.is_dir(follow_symlinks=False):
                        yield path

    def check(self) -> None:
        with (
            disk.translated(),
            self._folder([STAGING], make=True) as folder,
            disk.temporary(folder, b""),
        ):
            return

    @contextmanager
    def _folder(self, parts: Sequence[str], *, make: bool = False) -> Iterator[int]:
        """A descriptor of the folder at ``parts``; ``make`` creates what is missing on the way."""
        if make:
            disk.make_root(self._root)
        folder = os.open(self._root, os.O_RDONLY)
        try:
            for part in parts:
                parent, folder = folder, disk.enter(folder, part, make=make)
                os.close(parent)
            yield folder
        finally:
            os.close(folder)

    def _open(self, path: str) -> FileIO | nullcontext[None]:
        """The file at ``path``, opened for reading; None when no plain file is there."""
        *folders, name = split(path)
        try:
            with self._folder(folders) as folder:
                descriptor = os.open(name, disk.LOOK, dir_fd=folder)
        except (FileNotFoundError, NotADirectoryError):
            return nullcontext()
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return nullcontext()
        return FileIO(descriptor)


def _regular_files(folder: str, entries: Iterable[os.DirEntry[str]]) -> Iterator[Entry]:
    for entry in entries:
        # Files may go while the folder is read; a name that isn't UTF-8 can't be asked for.
        with suppress(FileNotFoundError, NameInvalid):
            split(path := f"{folder}/{entry.name}")
            facts = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(facts.st_mode):
                yield Entry(path, facts.st_size, facts.st_mtime)
