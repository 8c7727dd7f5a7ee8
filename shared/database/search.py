"""A tenant's designs as far as matching reads them: the exact tier and the two near ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.database.crowded import Crowded
from shared.database.rows import COLUMNS, to_designs
from shared.database.tables import Bits, designs
from shared.records import FINGERPRINT_VERSION, Design, Probe, State

LIMIT = 64
"""Most designs that a search answers with."""

RECENT = 1_000
"""Designs that the workflow's own rule looks at."""

Condition = sa.ColumnElement[bool]
Number = sa.ColumnElement[int]


class Search:
    """`shared.ports.Library` on one connection."""

    def __init__(self, connection: sa.Connection, crowded: Crowded) -> None:
        self._connection = connection
        self._crowded = crowded

    def exact(self, user_id: UUID, probe: Probe, *, after: int = 0) -> list[Design]:
        prints = probe.fingerprint
        tests = [
            designs.c.upload_sha256 == probe.upload_sha256,
            _kind(probe) & (designs.c.phash == prints.phash),
        ]
        if prints.content_sha256 is not None:
            tests.append(designs.c.content_sha256 == prints.content_sha256)
        if probe.legacy_phash is not None:
            tests.append(_is_legacy() & (designs.c.phash == probe.legacy_phash))
        # Each test by its own index; one that very many designs pass must not hide another's.
        found = sa.union(
            *(
                sa.select(designs.c.id)
                .where(*_scope(user_id, probe, after), test)
                .order_by(designs.c.sequence.desc())
                .limit(LIMIT)
                .subquery()
                .select()
                for test in tests
            )
        )
        query = sa.select(*COLUMNS).where(designs.c.id.in_(found))
        return to_designs(self._connection.execute(query.order_by(designs.c.sequence.desc())))

    def near(self, user_id: UUID, probe: Probe, *, radius: int, after: int = 0) -> list[Design]:
        found: list[sa.Row[Any]] = []
        for kind, version, hash_, distance in _sides(probe):
            keys = self._keys(user_id, version, hash_)
            query = (
                sa.select(*COLUMNS, distance.label("distance"))
                .where(*_scope(user_id, probe, after), kind)
                .where(designs.c.band_keys.overlap(keys) | _has(version, hash_))
                .where(distance <= radius)
            )
            found += self._nearest(query)
        return _merge(found)

    def recent(self, user_id: UUID, probe: Probe, *, radius: int, after: int = 0) -> list[Design]:
        newest = (
            sa.select(designs.c.id)
            .where(*_scope(user_id, probe, after=0))
            .order_by(designs.c.sequence.desc())
            .limit(RECENT)
        )
        found: list[sa.Row[Any]] = []
        for kind, _version, _hash, distance in _sides(probe):
            query = (
                sa.select(*COLUMNS, distance.label("distance"))
                .where(designs.c.id.in_(newest), designs.c.sequence > after, kind)
                .where(distance <= radius)
            )
            found += self._nearest(query)
        return _merge(found)

    def _nearest(self, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        ordered = query.order_by(sa.literal_column("distance"), designs.c.sequence.desc())
        return self._connection.execute(ordered.limit(LIMIT)).all()

    def _keys(self, user_id: UUID, version: int, hash_: str) -> list[int]:
        """The band keys to look up for a hash."""
        keys = sa.func.platen_band_keys(
            sa.bindparam("user", user_id, sa.Uuid), version, _bits(hash_)
        )
        return self._crowded.thin(
            self._connection, self._connection.execute(sa.select(keys)).scalar_one()
        )


Side = tuple[Condition, int, str, Number]
"""Which rows, the version and hash that they are searched by, and their distance in bits."""


def _sides(probe: Probe) -> list[Side]:
    """The two kinds of rows that a probe can be near to: its own, and version 1 if it is opaque.

    Version 1 dropped the alpha, so near to art with alpha it means nothing: equality alone does.
    """
    prints = probe.fingerprint
    by_phash = _distance(sa.func.platen_bits(designs.c.phash), prints.phash)
    sides: list[Side] = []
    if prints.index_hash is not None:
        by_index = _distance(designs.c.index_hash, prints.index_hash)
        least = sa.func.least(by_phash, by_index, type_=sa.Integer)
        sides.append((_kind(probe), prints.version, prints.index_hash, least))
    if probe.legacy_phash is not None and prints.is_opaque:
        distance = _distance(sa.func.platen_bits(designs.c.phash), probe.legacy_phash)
        sides.append((_is_legacy(), 1, probe.legacy_phash, distance))
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


def _kind(probe: Probe) -> Condition:
    """Rows whose hashes mean the same as the probe's."""
    prints = probe.fingerprint
    return (designs.c.fingerprint_version == prints.version) & (
        designs.c.is_opaque == prints.is_opaque
    )


def _is_legacy() -> Condition:
    return designs.c.fingerprint_version < FINGERPRINT_VERSION


def _has(version: int, hash_: str) -> Condition:
    """Rows with the very hash: they are found even where every key of theirs is crowded."""
    if version < FINGERPRINT_VERSION:
        return designs.c.phash == hash_
    return designs.c.index_hash == hash_


def _distance(column: sa.ColumnElement[Any], hash_: str) -> Number:
    """Hamming distance in bits."""
    return sa.func.bit_count(column.op("#")(_bits(hash_)), type_=sa.Integer)


def _bits(hash_: str) -> sa.ColumnElement[str]:
    return sa.literal(hash_, Bits())


def _merge(rows: Sequence[sa.Row[Any]]) -> list[Design]:
    return to_designs(sorted(rows, key=lambda row: (row.distance, -row.sequence))[:LIMIT])
