"""A tenant's designs as far as matching reads them: the exact tier and the two near ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.database.bands import band_keys
from shared.database.crowded import Crowded
from shared.database.engine import translated
from shared.database.rows import FACTS, to_candidates
from shared.database.tables import Bits, allowed_pairs, designs
from shared.records import HASH_BITS, Candidate, Probe, State

EQUAL = 64
"""Most designs that one test of the exact tier answers with, the newest ones."""

LIMIT = 500
"""Most designs that a near search answers with, the nearest ones. Wraps with one name each are
within some bits of one another by the hundred, and the right one need not be among the nearest few.
"""

RECENT = 1_000
"""Designs that the workflow's own rule looks at."""

_LOW = f"{sum(1 << (HASH_BITS - 1 - 16 * u - v) for u in range(8) for v in range(8)):064x}"
"""The bits of a hash's 8 x 8 lowest frequencies."""

LEGACY = 1
"""The fingerprint version of rows from elsewhere."""

Columns = sa.sql.ColumnCollection[str, Any]
Condition = sa.ColumnElement[bool]


class Search:
    """`shared.ports.Library` on one connection."""

    def __init__(self, connection: sa.Connection, crowded: Crowded) -> None:
        self._connection = connection
        self._crowded = crowded

    def watermark(self, user_id: UUID) -> int:
        query = sa.select(sa.func.max(designs.c.sequence)).where(designs.c.user_id == user_id)
        with translated():
            return self._connection.execute(query).scalar() or 0

    def exact(self, user_id: UUID, probe: Probe, *, after: int = 0) -> list[Candidate]:
        prints = probe.fingerprint
        tests = [
            designs.c.upload_sha256 == probe.upload_sha256,
            _kind(probe, designs.c) & (designs.c.phash == prints.phash),
        ]
        if prints.content_sha256 is not None:
            tests.append(designs.c.content_sha256 == prints.content_sha256)
        if probe.legacy_phash is not None:
            legacy = designs.c.fingerprint_version == LEGACY
            tests.append(legacy & (designs.c.phash == probe.legacy_phash))
        # Each test by its own index; one that very many designs pass must not hide another's.
        found = sa.union(
            *(
                sa.select(designs.c.id)
                .where(*_scope(user_id, probe, after), test)
                .order_by(designs.c.sequence.desc())
                .limit(EQUAL)
                .subquery()
                .select()
                for test in tests
            )
        )
        query = sa.select(*FACTS).where(designs.c.id.in_(found))
        return to_candidates(self._all(query.order_by(designs.c.sequence.desc())))

    def near(self, user_id: UUID, probe: Probe, *, radius: int, after: int = 0) -> list[Candidate]:
        found: list[sa.Row[Any]] = []
        for side in _sides(probe, designs.c):
            looked_up = designs.c.band_keys.overlap(self._keys(user_id, side)) | side.equal
            query = sa.select(*FACTS).where(*_scope(user_id, probe, after), looked_up)
            found += self._nearest(query, side, radius)
        return _merge(found)

    def recent(
        self, user_id: UUID, probe: Probe, *, radius: int, after: int = 0
    ) -> list[Candidate]:
        newest = (
            sa.select(*FACTS)
            .where(*_scope(user_id, probe, after=0))
            .order_by(designs.c.sequence.desc())
            .limit(RECENT)
            .subquery("newest")
        )
        found: list[sa.Row[Any]] = []
        for side in _sides(probe, newest.c):
            found += self._nearest(newest.select().where(newest.c.sequence > after), side, radius)
        return _merge(found)

    def cropped(self, user_id: UUID, probe: Probe, *, radius: int) -> list[Candidate]:
        low = designs.c.index_hash.op("&")(_bits(_LOW))
        mine = f"{int(str(probe.fingerprint.index_hash), 16) & int(_LOW, 16):064x}"
        distance = _distance(low, mine)
        query = (
            sa.select(*FACTS)
            .where(*_scope(user_id, probe, after=0), _kind(probe, designs.c), distance <= radius)
            .order_by(distance, designs.c.sequence.desc())
            .limit(LIMIT)
        )
        return to_candidates(self._all(query))

    def allowed(
        self, user_id: UUID, content_sha256: str, *, before: int | None = None
    ) -> set[UUID]:
        pair, asked = allowed_pairs.c, designs.alias("asked")
        # Both were wanted, so it counts from either side. But a second copy of one picture lets no
        # third one in: who sends it is told of the second.
        sides = [
            (pair.design_id, pair.other_id, sa.true()),
            (pair.other_id, pair.design_id, asked.c.content_sha256 != content_sha256),
        ]
        found = sa.union(
            *(
                sa.select(other)
                .join(designs, designs.c.id == own)
                .join(asked, asked.c.id == pair.design_id)
                .where(
                    designs.c.user_id == user_id,
                    designs.c.content_sha256 == content_sha256,
                    sa.true() if before is None else asked.c.sequence < before,
                    counts,
                )
                for own, other, counts in sides
            )
        )
        with translated():
            return set(self._connection.execute(found).scalars())

    def _nearest(self, query: sa.Select[Any], side: Side, radius: int) -> Sequence[sa.Row[Any]]:
        """The nearest of the query's designs that are on a side, with their distances."""
        return self._all(
            query.add_columns(side.distance.label("distance"))
            .where(side.kind, side.distance <= radius)
            .order_by(sa.literal_column("distance"), sa.literal_column("sequence").desc())
            .limit(LIMIT)
        )

    def _keys(self, user_id: UUID, side: Side) -> list[int]:
        """The band keys to look up on a side."""
        with translated():
            keys = band_keys(user_id, side.version, side.hash)
            return self._crowded.thin(self._connection, keys)

    def _all(self, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        with translated():
            return self._connection.execute(query).all()


@dataclass(frozen=True, slots=True)
class Side:
    """One kind of rows that a probe can be near to."""

    version: int
    hash: str
    """What the band keys are taken from."""
    kind: Condition
    """Which rows are of the kind."""
    equal: Condition
    """Rows with the very hash: they are found whatever their keys, crowded ones included."""
    distance: sa.ColumnElement[int]
    """In bits."""


def _sides(probe: Probe, columns: Columns) -> list[Side]:
    """The probe's own kind and, where it is opaque, version 1.

    Version 1 dropped the alpha: for art with alpha, being near to one of its hashes means nothing.
    """
    prints = probe.fingerprint
    sides: list[Side] = []
    if probe.legacy_phash is not None and prints.is_opaque:
        # Asked first: a row that is upgraded between the two queries is found by the second.
        sides.append(
            Side(
                version=LEGACY,
                hash=probe.legacy_phash,
                kind=columns.fingerprint_version == LEGACY,
                equal=columns.phash == probe.legacy_phash,
                distance=_distance(sa.func.platen_bits(columns.phash), probe.legacy_phash),
            )
        )
    if prints.index_hash is not None:
        distance = _distance(columns.index_hash, prints.index_hash)
        if prints.is_opaque:
            # Of art with alpha the two are one. Of ours, a phash is whole: `platen_bits`, which
            # looks first, takes 15 times as long.
            own = columns.fingerprint_version == prints.version
            phash = sa.case((own, sa.literal("x").concat(columns.phash).cast(Bits())))
            distance = sa.func.least(_distance(phash, prints.phash), distance, type_=sa.Integer)
        sides.append(
            Side(
                version=prints.version,
                hash=prints.index_hash,
                kind=_kind(probe, columns),
                # Opaque art can have another's very phash and an index hash far from it.
                equal=(columns.index_hash == prints.index_hash) | (columns.phash == prints.phash),
                distance=distance,
            )
        )
    return sides


def _scope(user_id: UUID, probe: Probe, after: int) -> list[Condition]:
    """The tenant's designs that count: not removed, newer than ``after``, of the template."""
    conditions = [
        designs.c.user_id == user_id,
        designs.c.is_active | (designs.c.state == State.PENDING.value),
        designs.c.sequence > after,
    ]
    if probe.template is not None:
        # A legacy row tells its template by its folder alone.
        folder = sa.func.substring(designs.c.file_path, "([^/]+)/[^/]+$")
        own = sa.func.lower(sa.func.coalesce(designs.c.template, folder))
        conditions.append(own == sa.func.lower(probe.template))
    return conditions


def _kind(probe: Probe, columns: Columns) -> Condition:
    """Rows whose hashes mean the same as the probe's."""
    prints = probe.fingerprint
    return sa.and_(
        columns.fingerprint_version == prints.version, columns.is_opaque == prints.is_opaque
    )


def _distance(column: sa.ColumnElement[Any], hash_: str) -> sa.ColumnElement[int]:
    """Hamming distance in bits."""
    return sa.func.bit_count(column.op("#")(_bits(hash_)), type_=sa.Integer)


def _bits(hash_: str) -> sa.ColumnElement[str]:
    return sa.literal(hash_, Bits())


def _merge(rows: Sequence[sa.Row[Any]]) -> list[Candidate]:
    return to_candidates(sorted(rows, key=lambda row: (row.distance, -row.sequence))[:LIMIT])
