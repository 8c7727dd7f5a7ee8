"""sweep: remove what uploads that came to nothing left in the NAS's staging folder.

Removed is what lies directly in ``.platen/`` under a name of ours (a staged file, or a store's own
temporary one), is older than the grace period, and is not what a pending row waits for: other bytes
that a retry staged for the same design go too. Nothing else is.

Why a file that is needed is never lost, whatever runs at the same time:

- A file has its final name before its row becomes active, and no final name is ever removed. So the
  worst that a sweep can do is to take a staged file away under a request that is on its way.
- process and persist follow each other within seconds. A file that is younger than the grace period
  may be in between, or still be written, so it stays. Age is told by the NAS's own clock, which
  stamped the file: ours may differ by hours. (Staging equal bytes again leaves the old time: the
  file counts as old.)
- The database is asked after the ages were read. A row that was pending by then keeps its file. One
  that became active has none here any more, or one of no use.
- A file may be taken away and staged anew under the same name meanwhile, so its age is read again
  right before it is removed.
- What is left: a request that waited for the whole grace period, or was sent again after it, finds
  its file staged and inserts its row after the database was asked, and the file is removed before
  it is renamed. The request is then answered staged_file_missing, which is retryable: the row
  stays pending, process stages the file again, and persist finishes that very row. If nobody comes
  back, the next upload that the row would stand against forgets it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

from shared.errors import NasBusy, NasError, NasRefused, NasUnavailable
from shared.nas.names import STAGING, staged
from shared.ports import Designs, Nas
from shared.records import Entry

BATCH = 500
"""Files that the database is asked about at once, shortly before they are removed."""

_STAGED = re.compile(
    rf"{re.escape(STAGING)}/([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})"
    r"(?:\.[0-9a-f]{64})?\.part"
)
"""Without a sha256: as an earlier version named them. No row waits for such a file."""
_TEMPORARY = re.compile(rf"{re.escape(STAGING)}/[0-9a-f]{{32}}\.(tmp|trial)")


@dataclass(frozen=True, slots=True)
class Swept:
    """A file that was of no use; ``error`` says why it could not be removed, None that it was."""

    entry: Entry
    error: NasError | None = None


def sweep(designs: Designs, nas: Nas, grace_s: float, *, dry_run: bool = False) -> Iterator[Swept]:
    """Remove each file of no use that is older than ``grace_s`` seconds, and tell of it.

    ``dry_run`` tells of them only; the NAS's clock is read by an empty file that is gone again.
    Raises NasError or DatabaseError where going on has no sense; removing happens as the answer is
    walked through.
    """
    found = [entry for entry in nas.list(STAGING) if _is_ours(entry)]
    if not found:
        return
    latest = now(nas) - grace_s
    old = [entry for entry in found if entry.modified < latest]
    for start in range(0, len(old), BATCH):
        batch = old[start : start + BATCH]
        pending = designs.pending({id_ for id_ in map(_design_id, batch) if id_})
        needed = {staged(id_, sha256) for id_, sha256 in pending.items()}
        for entry in batch:
            if entry.path not in needed and (swept := _remove(nas, entry, latest, dry_run)):
                yield swept


def _remove(nas: Nas, entry: Entry, latest: float, dry_run: bool) -> Swept | None:
    """Remove a file, unless it is gone already or was staged anew after ``latest``."""
    try:
        standing = nas.stat(entry.path)
        if standing is None or standing.modified >= latest:
            return None
        if not dry_run:
            nas.delete(entry.path)
    except (NasBusy, NasRefused) as error:
        return Swept(entry, error)
    return Swept(entry)


def now(nas: Nas) -> float:
    """The time by the clock that stamps the NAS's files, in seconds since 1970."""
    path = f"{STAGING}/{uuid4().hex}.tmp"
    nas.create(path, b"")
    try:
        entry = nas.stat(path)
    finally:
        nas.delete(path)
    if entry is None:
        raise NasUnavailable
    return entry.modified


def _is_ours(entry: Entry) -> bool:
    return bool(_STAGED.fullmatch(entry.path) or _TEMPORARY.fullmatch(entry.path))


def _design_id(entry: Entry) -> UUID | None:
    """Whose staged file it is; None for a temporary file, which no row knows of."""
    named = _STAGED.fullmatch(entry.path)
    return UUID(named[1]) if named else None
