"""The protocols between the flows and the world: the NAS gateway and the database.

Adapters translate every foreign exception into `shared.errors` once, with ``from``. Everything
here may be called from several threads at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

from shared.records import (
    EVER,
    Candidate,
    Design,
    Entry,
    Filing,
    Fingerprint,
    FoundFile,
    Legacy,
    Probe,
    Reach,
    Template,
)

Content = bytes | bytearray | memoryview


class Nas(Protocol):
    """A share that print files are filed on.

    Paths are relative to the share, with ``/`` between parts that `shared.nas.names` has passed.
    A file appears under a path whole or not at all, and never replaces another one.
    Every verb raises NasUnavailable, NasFull or NasRefused where the store fails.
    """

    def publish(self, staged: str, path: str) -> None:
        """Rename a staged file to ``path`` without replacing anything, durably.

        Raises NameTaken when something stands at ``path`` (the staged file stays) and
        StagedFileMissing when no file is at ``staged``.
        """
        ...

    def create(self, path: str, content: Content) -> None:
        """Write ``content`` to ``path`` by exclusive create, whole and flushed.

        Raises NameTaken when something stands there.
        """
        ...

    def read(self, path: str) -> bytes | None:
        """The whole file, or None when there is none."""
        ...

    def stat(self, path: str) -> Entry | None:
        """Size and time of a file, or None when there is none."""
        ...

    def digest(self, path: str) -> tuple[int, str] | None:
        """Size in bytes and sha256 (hex) of a file as it stands, or None when there is none."""
        ...

    def delete(self, path: str) -> None:
        """Remove a file; removing none is harmless."""
        ...

    def remove_folder(self, folder: str) -> None:
        """Remove an empty folder; one that isn't empty stays, and removing none is harmless."""
        ...

    def list(self, folder: str) -> Iterator[Entry]:
        """The files directly in ``folder`` (none when there is no such folder), read in pages."""
        ...

    def folders(self, folder: str) -> Iterator[str]:
        """The paths of the folders directly in ``folder``; empty is the share itself."""
        ...

    def check(self) -> None:
        """Return when the store answers; else raise why it does not."""
        ...


class Library(Protocol):
    """A tenant's designs, as far as matching reads them.

    ``after`` leaves out designs with a sequence at or below it, ``before`` those at or above it, as
    if they were not there. Pending designs count as matches, removed ones do not. Raises
    DatabaseUnavailable or DatabaseRefused where the database fails.
    """

    def watermark(self, user_id: UUID) -> int:
        """The tenant's newest sequence; what comes later has a greater one."""
        ...

    def exact(
        self, user_id: UUID, probe: Probe, *, after: int = 0, before: int = EVER
    ) -> list[Candidate]:
        """Designs with the probe's upload sha256, content sha256 or equal phash, newest first.

        Version-1 rows are found by an equal phash (``probe.legacy_phash``).
        """
        ...

    def near(self, user_id: UUID, probe: Probe, reach: Reach) -> list[Candidate]:
        """The nearest designs within reach by phash or index hash, nearest first.

        Of each fingerprint version at most 500 within the threshold, and 100 farther off. Searches
        the whole library by an index, version-1 rows by ``probe.legacy_phash``. Complete up to 15
        bits by the index hash and up to 5 by the phash, but for crowded keys; best effort above.
        """
        ...

    def recent(self, user_id: UUID, probe: Probe, reach: Reach) -> list[Candidate]:
        """Like `near`, among the newest 1,000 designs only: the workflow's own rule."""
        ...

    def cropped(
        self, user_id: UUID, probe: Probe, *, radius: int, before: int = EVER
    ) -> list[Candidate]:
        """The at most 500 nearest designs by the 64 low frequencies of the index hash alone.

        ``radius``: bits of these 64. Cuts and small turns change them least. Looks at every row
        of the tenant's, so it takes time that grows with the library.
        """
        ...

    def allowed(self, user_id: UUID, content_sha256: str, *, before: int = EVER) -> set[UUID]:
        """Designs that the tenant wanted beside the picture of that content hash.

        ``before``: only as said when designs with a sequence below it were filed.
        """
        ...


class Unit(Library, Protocol):
    """One short transaction under the tenant's lock, rolled back when an error leaves it.

    Raises DatabaseUnavailable at its end where it was not committed, or where nobody can tell: a
    lost answer is no error while the row that was inserted or moved is there.
    """

    def get(self, design_id: UUID) -> Design | None: ...

    def claim(self, shop: str) -> str:
        """Make ``shop`` the tenant's, or raise ShopTaken when it is another's.

        Names that differ only in case are the same shop. The answer is its name as it was first
        claimed: that of its folder.
        """
        ...

    def take_number(self, folder: str, *, above: int = 0) -> int:
        """The next number of a folder (share-relative), greater than ``above``; never given twice.

        Starts above what the folder's rows already hold, else at 1.
        """
        ...

    def insert(self, design: Design) -> Design:
        """Add the row as `State.PENDING`; the answer has its ``created_at`` and ``sequence``."""
        ...

    def allow(self, design_id: UUID, others: Collection[UUID]) -> None:
        """Remember that the tenant wants the design beside the others."""
        ...

    def move(self, design: Design) -> None:
        """Record the design's new ``number``, ``filename`` and ``file_path``."""
        ...

    def forget(self, design_id: UUID) -> None:
        """Remove a row that is still pending."""
        ...


class Designs(Library, Protocol):
    """The database of designs and templates."""

    def template(self, user_id: UUID, name: str) -> Template:
        """The tenant's own template of that name, else the built-in one.

        Names are compared without case. Raises TemplateUnknown.
        """
        ...

    def templates(self, user_id: UUID) -> list[Template]:
        """What the tenant can name, by name: its own, and the built-in ones these leave."""
        ...

    def save_template(self, user_id: UUID, template: Template) -> None:
        """Add the tenant's own template, or change the one of that name."""
        ...

    def remove_template(self, user_id: UUID, name: str) -> None:
        """Remove the tenant's own template. Raises TemplateUnknown when it has none of the name."""
        ...

    def get(self, user_id: UUID, design_id: UUID) -> Design | None: ...

    def pending(self, design_ids: Collection[UUID]) -> dict[UUID, str]:
        """Those of the designs, at most some thousand, that are pending, whoever's they are.

        Each with the sha256 of its print file.
        """
        ...

    def filings(self, grace_s: float, *, after: UUID | None, limit: int) -> list[Filing]:
        """At most ``limit`` rows, everybody's, by id, those that follow ``after``.

        What the seller removed is left out. Rows older than ``grace_s`` seconds are old, by the
        database's clock.
        """
        ...

    def filing(self, grace_s: float, design_id: UUID) -> Filing | None:
        """One row, as `filings` has it."""
        ...

    def recorded(self, paths: Collection[str]) -> set[str]:
        """Those of the paths (in the NAS's own names, at most some thousand) that a row has.

        Removed rows count, and so does a path that differs only in case.
        """
        ...

    def has_legacy(self, user_id: UUID) -> bool:
        """Whether the tenant has rows of fingerprint version 1."""
        ...

    def count_legacy(self, user_id: UUID | None) -> int:
        """How many rows `legacy` walks through."""
        ...

    def legacy(self, user_id: UUID | None, *, after: Legacy | None, limit: int) -> list[Legacy]:
        """At most ``limit`` active rows of fingerprint version 1, whatever their hashes are.

        The tenant's, or with None everybody's; by tenant and id, those that follow ``after``.
        """
        ...

    def upgrade(self, row: Legacy, fingerprint: Fingerprint, file: FoundFile) -> bool:
        """Give a row the fingerprint and the facts of the print file that it was taken from.

        Writes only while the row is active, of version 1 and filed under ``row.file_path``; the
        answer is whether it was. Its place in the order of designs stays. Raises NameTaken when
        another design of version 2 is filed under that path, DatabaseRefused or
        DatabaseUnavailable.
        """
        ...

    def unit(self, user_id: UUID) -> AbstractContextManager[Unit]:
        """A transaction under the tenant's lock."""
        ...

    def activate(self, design: Design) -> bool:
        """Set a pending design active; setting it again is harmless.

        False when its row is gone, or has another path or print file than ``design`` by now.
        """
        ...

    def check(self) -> None:
        """Return when the database answers and is migrated; else raise why it is not."""
        ...

    def close(self) -> None:
        """Close what is open; a later call opens it again."""
        ...
