"""reconcile: compare rows and files, and put right what uploads left half-way.

Found is, in this order:

- rows that are pending and older than the grace period. Repair finishes them, or forgets them where
  their file is nowhere: nobody was told that these were filed;
- designs whose file is missing, has another size or, by ``verify``, other bytes. These are told of
  and never touched: the row is all that is left to know of the file by;
- what `shared.flows.sweep` removes from the staging folder;
- print files in the shops' folders that no row has and that are older than the grace period. These
  are told of and never touched either. They may be a design's only bytes (after the database was
  set back to a backup), and they need not be wrong: process called alone publishes without a row.

Why live work is never touched: rows and files younger than the grace period are left alone, told by
the clock of whoever stamped them. A pending row may be finished by anybody at any time; it is
forgotten only while it is as it was read, under its tenant's lock. What is found of a design counts
only if its row, read once more, is still the same. And a print file's row is there before the
file has its name, so that asking for the rows of a folder after listing it misses none.

Rows and files are read in pages and told of one by one: memory does not follow the library's size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from shared.errors import (
    Conflict,
    DatabaseRefused,
    NameInvalid,
    NasBusy,
    NasFull,
    NasLogin,
    NasRefused,
    NasShareUnknown,
    NasUnencrypted,
    TemplateInvalid,
    TemplateUnknown,
)
from shared.flows.publish import Publisher
from shared.flows.sweep import now, sweep
from shared.messages import Discrepancy, Trouble
from shared.nas.names import STAGING, Places
from shared.ports import Designs, Nas
from shared.records import Entry, Filing, State

PAGE = 500
"""Rows that are listed, or files that the database is asked about, at once."""

_EVERY_ROWS = (NasLogin, NasShareUnknown, NasUnencrypted)
"""What the next row would meet as well."""
_ONE_ROWS = (
    *(NasBusy, NasRefused, NasFull, NameInvalid),
    *(Conflict, TemplateUnknown, TemplateInvalid, DatabaseRefused),
)
"""What is wrong with one row or its file; the others go on."""

_FINISHED = "The upload had broken off; it is finished."
_FORGOTTEN = "The upload had broken off and its file is lost; its row is removed."


def reconcile(
    designs: Designs,
    nas: Nas,
    places: Places,
    grace_s: float,
    *,
    repair: bool = False,
    verify: bool = False,
) -> Iterator[Discrepancy]:
    """Tell of everything that is not in order; nothing told: all is.

    ``grace_s``: seconds that an upload may take. ``repair`` puts right what can be, as the answer
    is walked through, so that a second run does not tell of it. ``verify`` reads every file.
    Raises NasError or DatabaseError where going on has no sense.
    """
    run = _Run(designs, nas, places, grace_s, repair, verify)
    yield from run.rows()
    yield from run.leftovers()
    yield from run.files()


@dataclass(frozen=True, slots=True)
class _Run:
    designs: Designs
    nas: Nas
    places: Places
    grace_s: float
    repair: bool
    verify: bool

    def rows(self) -> Iterator[Discrepancy]:
        after: UUID | None = None
        while page := self.designs.filings(self.grace_s, after=after, limit=PAGE):
            for row in page:
                found = self._pending(row) if row.state is State.PENDING else self._filed(row)
                if found is not None:
                    yield found
            after = page[-1].design_id

    def leftovers(self) -> Iterator[Discrepancy]:
        for swept in sweep(self.designs, self.nas, self.grace_s, dry_run=not self.repair):
            yield Discrepancy(
                trouble=Trouble.LEFTOVER,
                file_path=self.places.stored(swept.entry.path),
                message=swept.error.message if swept.error else "Nothing waits for this file.",
                repaired=self.repair and swept.error is None,
            )

    def files(self) -> Iterator[Discrepancy]:
        latest: float | None = None
        for folder in self._folders():
            prints = (entry for entry in self.nas.list(folder) if entry.path.endswith(".png"))
            while some := list(islice(prints, PAGE)):
                if latest is None:
                    latest = now(self.nas) - self.grace_s
                yield from self._unrecorded(some, latest)

    def _pending(self, row: Filing) -> Discrepancy | None:
        if not row.is_old:
            return None
        if not self.repair:
            return _told(row, Trouble.PENDING, "The upload broke off before its file had its name.")
        design = self.designs.get(row.user_id, row.design_id)
        if design is None or design.state is not State.PENDING:
            return None
        publisher = Publisher(row.user_id, self.designs, self.nas, self.places)
        try:
            settled = publisher.settle(design)
        except _EVERY_ROWS:
            raise
        except _ONE_ROWS as error:
            return _told(row, Trouble.PENDING, error.message)
        message = _FINISHED if settled else _FORGOTTEN
        return _told(row, Trouble.PENDING, message, repaired=True)

    def _filed(self, row: Filing) -> Discrepancy | None:
        found = self._compared(row)
        if found is None:
            return None
        again = self.designs.filing(self.grace_s, row.design_id)
        if again == row:
            return found
        # Finished, removed or given another fingerprint meanwhile.
        return self._compared(again) if again and again.state is State.ACTIVE else None

    def _compared(self, row: Filing) -> Discrepancy | None:
        try:
            path = self.places.relative(row.file_path)
            entry = self.nas.stat(path)
            if entry is None:
                return _told(row, Trouble.MISSING, "The file is not on the NAS.")
            if row.size is not None and entry.size != row.size:
                message = f"The file has {entry.size:,} bytes; the row says {row.size:,}."
                return _told(row, Trouble.SIZE, message)
            if self.verify and row.sha256 is not None:
                digest = self.nas.digest(path)
                if digest is None or digest[1] != row.sha256:
                    return _told(row, Trouble.CONTENT, "The file has other bytes than were filed.")
        except _EVERY_ROWS:
            raise
        except _ONE_ROWS as error:
            return _told(row, Trouble.UNREAD, error.message)
        return None

    def _folders(self) -> Iterator[str]:
        """Where print files lie: ``{shop}/{template}`` and ``{shop}/Digital/{template}``."""
        for shop in self._within(self.places.root):
            if shop == STAGING:
                continue
            for template in self._within(shop):
                yield template
                if template.endswith("/Digital"):
                    yield from self._within(template)

    def _within(self, folder: str) -> list[str]:
        """The folders in a folder: read to the end, so that no listing waits for another."""
        return sorted(self.nas.folders(folder))

    def _unrecorded(self, entries: list[Entry], latest: float) -> Iterator[Discrepancy]:
        old = {self.places.stored(each.path): each for each in entries if each.modified < latest}
        if not old:
            return
        for path in sorted(old.keys() - self.designs.recorded(old.keys())):
            if self.nas.stat(old[path].path) is not None:
                message = "No row has this file; look at it, then file or remove it by hand."
                yield Discrepancy(trouble=Trouble.UNRECORDED, file_path=path, message=message)


def _told(row: Filing, trouble: Trouble, message: str, *, repaired: bool = False) -> Discrepancy:
    return Discrepancy(
        trouble=trouble,
        file_path=row.file_path,
        design_id=row.design_id,
        user_id=row.user_id,
        message=message,
        repaired=repaired,
    )
