"""An upload and what it decodes to."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from shared.errors import FileRefused, FileTooLarge, FileUnreadable
from shared.fingerprint.hashes import fingerprint
from shared.fingerprint.normal import normal_form
from shared.imaging import demand
from shared.imaging.decode import Artwork, Spare, decode
from shared.imaging.geometry import Size
from shared.imaging.limits import Header, Limits, judge
from shared.ports import Content
from shared.records import Fingerprint, NormalForm
from shared.settings import MEGABYTE

T = TypeVar("T")


class once(Generic[T]):
    """A property that is made on first use and kept in its object's ``__dict__``.

    ``functools.cached_property`` before Python 3.12 lets one thread at a time make a property, of
    whatever object: files would be decoded one after the other.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> T:
        if instance is None:
            return self  # type: ignore[return-value]  # asked of the class, as for documentation
        made = self._make(instance)
        instance.__dict__[self._name] = made  # found before this from now on
        return made


class Source:
    """One uploaded file. Each thing made from it is made once, on first use, and kept.

    Steps that work in one process share a source, so its artwork is decoded once; `release` lets
    go of the pixels when the last step is done with them. A copy sent to another process starts
    from the bytes, or the path, again. Not for use by two threads at once.
    ``spare`` gives memory for a helper out where other files are worked on in this process.
    Raises the FileRefused that says why when the file can't be taken in.
    """

    _spare: Spare | None = None

    def __init__(
        self,
        filename: str,
        content: Content | Path,
        limits: Limits,
        spare: Spare | None = None,
    ) -> None:
        self.filename = filename
        self._content = content
        self._limits = limits
        self._spare = spare

    @once
    def data(self) -> Content:
        """The upload's bytes. A file that is too large is refused before it is read."""
        if not isinstance(self._content, Path):
            return self._content
        limit = self._limits.max_bytes
        try:
            with self._content.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size > limit:
                    raise FileTooLarge(size_mb=size / MEGABYTE, limit_mb=limit / MEGABYTE)
                # A device tells no size; one byte over the limit shows that it has more.
                return file.read(size or limit + 1)
        except OSError as error:
            raise FileUnreadable(reason=error.strerror or "it is not a file") from error

    def to_read(self) -> int:
        """Bytes of memory that its fingerprint takes; 0 where it is refused before that."""
        header = self._header
        return demand.to_read(header, len(self.data)) if header else 0

    def to_prepare(self, target: Size | None) -> int:
        """The same of its print file: ``target`` pixels at the most, None for its own."""
        header = self._header
        return demand.to_prepare(header, len(self.data), target) if header else 0

    @once
    def _header(self) -> Header | None:
        try:
            return judge(self.data, self._limits)
        except FileRefused:  # told by the step that asks for the artwork
            return None

    @once
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @once
    def artwork(self) -> Artwork:
        return decode(self.data, self._limits, self._spare)

    @once
    def normal_form(self) -> NormalForm:
        return normal_form(self.artwork.pixels, is_opaque=self.artwork.is_opaque)

    @once
    def fingerprint(self) -> Fingerprint:
        return fingerprint(self.normal_form)

    def release(self) -> None:
        """Let go of all pixels and of what was read; they are made again when asked for."""
        for name in ("_header", "artwork", "data", "normal_form"):
            self.__dict__.pop(name, None)

    def __getstate__(self) -> dict[str, object]:
        names = ("filename", "_content", "_limits")
        return {name: self.__dict__[name] for name in names}
