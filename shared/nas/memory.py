"""A NAS in this process's memory (``memory://name``): for tests and for trying Platen out."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator

from shared.errors import NameTaken, StagedFileMissing
from shared.nas.names import split
from shared.ports import Content
from shared.records import Entry

_stores: dict[str, MemoryNas] = {}
_stores_lock = threading.Lock()


def open_memory(name: str) -> MemoryNas:
    """The process's store of that name, empty the first time it is asked for."""
    with _stores_lock:
        return _stores.setdefault(name, MemoryNas())


class MemoryNas:
    """Implements `shared.ports.Nas`. Names that differ in case are different files."""

    def __init__(self) -> None:
        self._files: dict[tuple[str, ...], tuple[bytes, float]] = {}
        self._lock = threading.Lock()

    def publish(self, staged: str, path: str) -> None:
        source, target = split(staged), split(path)
        with self._lock:
            if source not in self._files:
                raise StagedFileMissing
            if target in self._files:
                raise NameTaken(name=target[-1])
            self._files[target] = self._files.pop(source)

    def create(self, path: str, content: Content) -> None:
        target, file = split(path), (bytes(content), time.time())
        with self._lock:
            if target in self._files:
                raise NameTaken(name=target[-1])
            self._files[target] = file

    def read(self, path: str) -> bytes | None:
        file = self._files.get(split(path))
        return None if file is None else file[0]

    def stat(self, path: str) -> Entry | None:
        file = self._files.get(split(path))
        return None if file is None else Entry(path, len(file[0]), file[1])

    def digest(self, path: str) -> tuple[int, str] | None:
        content = self.read(path)
        return None if content is None else (len(content), hashlib.sha256(content).hexdigest())

    def delete(self, path: str) -> None:
        with self._lock:
            self._files.pop(split(path), None)

    def remove_folder(self, folder: str) -> None:
        split(folder)  # There are no folders but in the names of files.

    def list(self, folder: str) -> Iterator[Entry]:
        parent = split(folder)
        with self._lock:
            files = [item for item in self._files.items() if item[0][:-1] == parent]
        for parts, (content, modified) in files:
            yield Entry("/".join(parts), len(content), modified)

    def folders(self, folder: str) -> Iterator[str]:
        parent = split(folder) if folder else ()
        depth = len(parent)
        with self._lock:
            found = {parts[: depth + 1] for parts in self._files if len(parts) > depth + 1}
        yield from ("/".join(parts) for parts in found if parts[:depth] == parent)

    def check(self) -> None:
        return
