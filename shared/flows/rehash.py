"""rehash: give rows from another system the fingerprint that new designs have.

Such a row (fingerprint version 1) has hashes that were taken with the alpha dropped, or shorter
ones, or none. Its upload is gone, but its print file is on the NAS and shows the same picture. Here
that is decoded, brought to its normal form and hashed as an upload is.

- The normal form is cropped and has one shape for all pictures, so neither a canvas around the art
  nor a stretch to the template's size keeps it from being found. But what the upload measured can
  not be told from a print file: the crop's size stays unknown, except for digital rows, whose files
  have the upload's own pixels.
- Every row is written by one statement, and only while it is still what it was when it was listed.
  So a run may be cut off anywhere, run again, and run beside others and beside uploads: a row is
  upgraded once, and nothing else is ever written. Rows of version 2 are not even read.
- Rows are listed page by page, each from where the one before it ended. Pixels are held by the
  tasks that run, and by nothing that waits: memory follows the workers, whatever the library's
  size.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from uuid import UUID

from shared.errors import (
    DatabaseRefused,
    FileRefused,
    FileTooLarge,
    FileUnreadable,
    NameInvalid,
    NameTaken,
    NasBusy,
    NasLogin,
    NasRefused,
    NasShareUnknown,
    NasUnencrypted,
)
from shared.flows.source import Source
from shared.imaging.limits import Limits
from shared.nas.names import Places
from shared.ports import Designs, Nas
from shared.records import Fingerprint, FoundFile, Legacy
from shared.settings import MEGABYTE

PAGE = 500
"""Rows that are listed at once."""

_EVERY_ROWS = (NasLogin, NasShareUnknown, NasUnencrypted)
"""What the next row would meet as well."""
_FILES_OWN = (FileRefused, NameInvalid, NasBusy, NasRefused)
"""What is wrong with one row's file; the others go on."""

Hashed = tuple[Fingerprint, FoundFile]


@dataclass(frozen=True, slots=True)
class Rehashed:
    """What became of a row that was listed.

    Neither upgraded nor with a reason: it was removed, moved or upgraded by another run meanwhile.
    """

    row: Legacy
    is_upgraded: bool = False
    reason: str | None = None
    """Why it stays of version 1, in a sentence."""


@dataclass(frozen=True, slots=True)
class Rehash:
    """Upgrades rows of version 1 from their print files."""

    designs: Designs
    nas: Nas
    places: Places
    limits: Limits
    executor: Executor
    workers: int
    """Files that the executor works on at once."""

    def run(self, user_id: UUID | None, *, dry_run: bool = False) -> Iterator[Rehashed]:
        """Upgrade the tenant's rows, or with None everybody's, and tell of each.

        Upgrading happens as the answer is walked through. ``dry_run`` reads and hashes the files
        and writes nothing; that another design has a row's path shows only in writing.
        Raises NasError or DatabaseError where going on has no sense.
        """
        under_way: deque[tuple[Legacy, Future[Hashed | str]]] = deque()
        try:
            for row in self._rows(user_id):
                under_way.append((row, self.executor.submit(self._hash, row)))
                # Twice as many as are worked on: nobody waits while a row is written.
                if len(under_way) >= 2 * self.workers:
                    yield self._finish(*under_way.popleft(), dry_run=dry_run)
            while under_way:
                yield self._finish(*under_way.popleft(), dry_run=dry_run)
        finally:
            for _, future in under_way:
                future.cancel()
            wait([future for _, future in under_way])

    def _rows(self, user_id: UUID | None) -> Iterator[Legacy]:
        after = None
        while page := self.designs.legacy(user_id, after=after, limit=PAGE):
            yield from page
            after = page[-1]

    def _finish(self, row: Legacy, future: Future[Hashed | str], *, dry_run: bool) -> Rehashed:
        hashed = future.result()
        if isinstance(hashed, str):
            return Rehashed(row, reason=hashed)
        try:
            return Rehashed(row, dry_run or self.designs.upgrade(row, *hashed))
        except NameTaken:
            return Rehashed(row, reason="Another design is filed under this path.")
        except DatabaseRefused as error:
            return Rehashed(row, reason=error.message)

    def _hash(self, row: Legacy) -> Hashed | str:
        """The fingerprint of a row's print file and the facts of the file, or why there is none.

        A reason and no exception: that would hold the pixels for as long as it waits.
        """
        try:
            return self._taken(row)
        except _EVERY_ROWS:
            raise
        except _FILES_OWN as error:
            return error.message

    def _taken(self, row: Legacy) -> Hashed:
        source = Source(row.file_path, self._read(row), self.limits)
        height, width = source.artwork.pixels.shape[:2]
        file = FoundFile(source.sha256, len(source.data), width, height, source.artwork.dpi)
        prints = source.fingerprint
        if not row.is_digital:
            prints = prints.model_copy(update={"width_px": None, "height_px": None})
        return prints, file

    def _read(self, row: Legacy) -> bytes:
        """A row's print file. One that is too large is refused before it is read."""
        path = self.places.relative(row.file_path)
        entry = self.nas.stat(path)
        limit = self.limits.max_bytes
        if entry is not None and entry.size > limit:
            raise FileTooLarge(size_mb=entry.size / MEGABYTE, limit_mb=limit / MEGABYTE)
        data = None if entry is None else self.nas.read(path)
        if data is None:
            raise FileUnreadable(reason="it is not on the NAS")
        return data
