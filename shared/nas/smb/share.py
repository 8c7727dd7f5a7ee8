"""The store's verbs on one connection: for one thread at a time, without second tries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import Any
from uuid import uuid4

from smbprotocol.exceptions import NoMoreFiles, NoSuchFile, SMBResponseException
from smbprotocol.file_info import FileAttributes, FileInformationClass
from smbprotocol.header import NtStatus
from smbprotocol.open import Open
from smbprotocol.tree import TreeConnect

from shared.errors import NameInvalid
from shared.nas.names import STAGING, split
from shared.nas.smb import asks, filing
from shared.nas.smb.connection import StrictConnection
from shared.nas.smb.status import ABSENT
from shared.nas.smb.transfer import read, together
from shared.ports import Content
from shared.records import Entry


class Share:
    """A share that is logged in to; its verbs are those of `shared.ports.Nas`.

    They raise Lost where the connection is no good any more. ``ours`` carries what a verb did from
    one attempt to the next: see `shared.nas.smb.filing`.
    """

    def __init__(self, tree: TreeConnect, folders: tuple[str, ...]) -> None:
        self._tree = tree
        self._folders = folders
        self._connection: StrictConnection = tree.session.connection

    def create(self, path: str, content: Content, ours: set[int] | None = None) -> None:
        target, whole = self._path(path), memoryview(content).cast("B")
        filing.create(self._tree, self._draft(), target, whole, set() if ours is None else ours)

    def publish(self, staged: str, path: str, ours: set[int] | None = None) -> None:
        source, target = self._path(staged), self._path(path)
        filing.publish(self._tree, source, target, set() if ours is None else ours)

    def read(self, path: str) -> bytes | None:
        with self._readable(path) as file:
            if file is None:
                return None
            content = BytesIO()
            content.writelines(read(self._tree, file))
            return content.getvalue()

    def digest(self, path: str) -> tuple[int, str] | None:
        with self._readable(path) as file:
            if file is None:
                return None
            sha256 = hashlib.sha256()
            for chunk in read(self._tree, file):
                sha256.update(chunk)
            return file.end_of_file, sha256.hexdigest()

    def stat(self, path: str) -> Entry | None:
        file = Open(self._tree, self._path(path))
        try:
            together(self._tree, asks.visible(file), asks.closed(file))
        except SMBResponseException as error:
            if error.status not in ABSENT:
                raise
            return None
        return Entry(path, file.end_of_file, file.last_write_time.timestamp())

    def delete(self, path: str) -> None:
        file = Open(self._tree, self._path(path))
        try:
            together(self._tree, asks.going(file), asks.closed(file))
        except SMBResponseException as error:
            if error.status not in ABSENT:
                raise

    def remove_folder(self, folder: str) -> None:
        opened = Open(self._tree, self._path(folder))
        doomed = asks.doomed(opened, True)
        try:
            together(self._tree, asks.removable(opened), doomed, asks.closed(opened))
        except SMBResponseException as error:
            if error.status not in ABSENT | {NtStatus.STATUS_DIRECTORY_NOT_EMPTY}:
                raise

    def list(self, folder: str) -> Iterator[Entry]:
        for found in self._found(self._path(folder)):
            entry = _entry(folder, found)
            if entry is not None:
                yield entry

    def folders(self, folder: str) -> Iterator[str]:
        parts = split(folder) if folder else ()
        for found in self._found("\\".join((*self._folders, *parts))):
            name = _name(found)
            if _is(found, FileAttributes.FILE_ATTRIBUTE_DIRECTORY) and not _is(
                found, FileAttributes.FILE_ATTRIBUTE_REPARSE_POINT
            ):
                with suppress(NameInvalid):
                    split(path := "/".join((*parts, name)))
                    yield path

    def _found(self, path: str) -> Iterator[Any]:
        """What lies directly in the folder at ``path``, itself and its parent included."""
        opened = Open(self._tree, path)
        try:
            together(self._tree, asks.listable(opened))
        except SMBResponseException as error:
            if error.status not in ABSENT:
                raise
            return
        with filing.closing(self._tree, opened), suppress(NoMoreFiles, NoSuchFile):
            while True:
                self._connection.deadline.restart()
                page = opened.query_directory("*", FileInformationClass.FILE_DIRECTORY_INFORMATION)
                yield from page

    def check(self) -> None:
        """Return when a file can be written here, of which nothing stays."""
        with filing.temporary(self._tree, self._draft(), 0):
            return

    def _draft(self) -> str:
        """A path that no file ever had."""
        return self._path(f"{STAGING}/{uuid4().hex}.tmp")

    def _path(self, path: str) -> str:
        """The share's own way to write ``path``. Raises NameInvalid."""
        return "\\".join((*self._folders, *split(path)))

    @contextmanager
    def _readable(self, path: str) -> Iterator[Open | None]:
        """The file opened for reading, None when there is none."""
        file = Open(self._tree, self._path(path))
        try:
            together(self._tree, asks.readable(file))
        except SMBResponseException as error:
            if error.status not in ABSENT:
                raise
            yield None
            return
        with filing.closing(self._tree, file):
            yield file


def _entry(folder: str, found: Any) -> Entry | None:
    """What a folder holds under a name; None for what is no plain file or can't be asked for."""
    if _is(found, FileAttributes.FILE_ATTRIBUTE_DIRECTORY) or _is(
        found, FileAttributes.FILE_ATTRIBUTE_REPARSE_POINT
    ):
        return None
    try:
        split(path := f"{folder}/{_name(found)}")
    except NameInvalid:
        return None
    modified = found["last_write_time"].get_value().timestamp()
    return Entry(path, found["end_of_file"].get_value(), modified)


def _is(found: Any, attribute: int) -> bool:
    return bool(found["file_attributes"].has_flag(attribute))


def _name(found: Any) -> str:
    return str(found["file_name"].get_value().decode("utf-16-le", "surrogatepass"))
