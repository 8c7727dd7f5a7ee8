"""The questions that matching asks, each built once: building one takes longer than its answer.

Their parameters are those of `values`, whatever a question uses of them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from shared.database.rows import facts
from shared.database.tables import Bits, allowed_pairs, designs, hashes
from shared.records import HASH_BITS, Probe, Reach, State

EQUAL = 64
"""Most designs that one test of the exact tier answers with, the newest ones."""

LIMIT = 500
"""Most designs within the threshold that a near search answers with, the nearest ones. Wraps with
one name each are within some bits of one another by the hundred, and the right one need not be
among the nearest few.
"""

FARTHER = 100
"""The same beyond the threshold, where designs can only be reported, and one is: the strongest, of
equals the nearest. Crowds are far larger there, and each row costs 50 µs and more.
"""

RECENT = 1_000
"""Designs that the workflow's own rule looks at."""

LEGACY = 1
"""The fingerprint version of rows from elsewhere."""

_LOW = f"{sum(1 << (HASH_BITS - 1 - 16 * u - v) for u in range(8) for v in range(8)):064x}"
"""The bits of a hash's 8 x 8 lowest frequencies."""

_USER = sa.bindparam("user", type_=sa.Uuid)
_AFTER = sa.bindparam("after", type_=sa.BigInteger)
_BEFORE = sa.bindparam("before", type_=sa.BigInteger)
_THRESHOLD = sa.bindparam("threshold", type_=sa.Integer)
_RADIUS = sa.bindparam("radius", type_=sa.Integer)
_TEMPLATE = sa.bindparam("template", type_=sa.Text)
_VERSION = sa.bindparam("version", type_=sa.SmallInteger)
_IS_OPAQUE = sa.bindparam("is_opaque", type_=sa.Boolean)
_UPLOAD = sa.bindparam("upload_sha256", type_=sa.String)
_CONTENT = sa.bindparam("content_sha256", type_=sa.String)
_PHASH = sa.bindparam("phash", type_=sa.String)
_LEGACY_PHASH = sa.bindparam("legacy_phash", type_=sa.String)
_PHASH_BITS = sa.bindparam("phash_bits", type_=Bits())
_LEGACY_BITS = sa.bindparam("legacy_bits", type_=Bits())
_INDEX_BITS = sa.bindparam("index_bits", type_=Bits())
_LOW_BITS = sa.bindparam("low_bits", type_=Bits())
_LOOKED_UP = sa.bindparam("keys", type_=ARRAY(sa.BigInteger))
_PHASHES_LOOKED_UP = sa.bindparam("phash_keys", type_=ARRAY(sa.BigInteger))

_KEYS = sa.func.platen_search_keys(
    hashes.c.user_id,
    hashes.c.fingerprint_version.cast(sa.Integer),
    hashes.c.hash,
    type_=ARRAY(sa.BigInteger),
)
_PHASH_KEYS = sa.func.platen_phash_keys(
    hashes.c.user_id,
    hashes.c.fingerprint_version.cast(sa.Integer),
    hashes.c.phash,
    type_=ARRAY(sa.BigInteger),
)
"""What the indexes of keys are made on, word for word."""

Columns = sa.sql.ColumnCollection[str, Any]
Condition = sa.ColumnElement[bool]
Distance = sa.ColumnElement[int]
"""In bits."""
Query = sa.Select[Any] | sa.CompoundSelect[Any]


class Side(Enum):
    """One kind of rows that a probe can be near to.

    Version 1 dropped the alpha: for art with alpha, being near to one of its hashes means nothing.
    """

    LEGACY = "rows of version 1"
    OPAQUE = "opaque art of the probe's version"
    ALPHA = "art with alpha of the probe's version"


def values(
    user_id: UUID,
    probe: Probe,
    reach: Reach,
    *,
    keys: Collection[int] = (),
    phash_keys: Collection[int] = (),
) -> dict[str, Any]:
    prints = probe.fingerprint
    index_hash = prints.index_hash
    return {
        "user": user_id,
        "after": reach.after,
        "before": reach.before,
        "threshold": reach.threshold,
        "radius": reach.radius,
        "keys": list(keys),
        "phash_keys": list(phash_keys),
        "template": probe.template,
        "version": prints.version,
        "is_opaque": prints.is_opaque,
        "upload_sha256": probe.upload_sha256,
        "content_sha256": prints.content_sha256,
        "phash": prints.phash,
        "phash_bits": prints.phash,
        "legacy_phash": probe.legacy_phash,
        "legacy_bits": probe.legacy_phash,
        "index_bits": index_hash,
        "low_bits": index_hash and f"{int(index_hash, 16) & int(_LOW, 16):064x}",
    }


@lru_cache
def exact(*, templated: bool, with_content: bool, with_legacy: bool) -> Query:
    tests = [
        designs.c.upload_sha256 == _UPLOAD,
        _own(designs.c) & (designs.c.phash == _PHASH),
    ]
    if with_content:
        tests.append(designs.c.content_sha256 == _CONTENT)
    if with_legacy:
        legacy = designs.c.fingerprint_version == LEGACY
        tests.append(legacy & (designs.c.phash == _LEGACY_PHASH))
    # Each test by its own index; one that very many designs pass must not hide another's.
    found = sa.union(
        *(
            sa.select(designs.c.id)
            .where(*_scope(templated), test)
            .order_by(designs.c.sequence.desc())
            .limit(EQUAL)
            .subquery()
            .select()
            for test in tests
        )
    )
    query = sa.select(*facts(designs.c)).where(designs.c.id.in_(found))
    return query.order_by(designs.c.sequence.desc())


@lru_cache
def near(side: Side, *, templated: bool) -> Query:
    """The nearest of the whole library."""
    terms = _terms(side, designs.c)
    bits = _narrow(side)
    shares_key = _KEYS.overlap(_LOOKED_UP)
    if side is Side.OPAQUE:
        shares_key |= _PHASH_KEYS.overlap(_PHASHES_LOOKED_UP)
    close = sa.select(hashes.c.design_id, bits.label("distance"), hashes.c.sequence).where(
        shares_key, bits <= _RADIUS, *_between(hashes.c.sequence)
    )
    counts = [*_scope(templated), terms.kind]
    # Found whatever their keys, crowded ones included.
    equal = (
        sa.select(designs.c.id, sa.literal_column("0").label("distance"), designs.c.sequence)
        .where(*counts, terms.equal)
        .order_by(designs.c.sequence.desc())
        .limit(LIMIT)
        .subquery()
    )
    return _nearest(sa.union(close, equal.select()), counts)


@lru_cache
def recent(side: Side, *, templated: bool) -> Query:
    """The nearest of the newest designs."""
    newest = (
        sa.select(designs)
        # What was newest then: what of them is newer than ``after`` is looked at below.
        .where(*_scope(templated, after=False))
        .order_by(designs.c.sequence.desc())
        .limit(RECENT)
        .subquery("newest")
    )
    terms = _terms(side, newest.c)
    close = sa.select(
        newest.c.id.label("design_id"), terms.distance.label("distance"), newest.c.sequence
    ).where(newest.c.sequence > _AFTER, terms.kind, terms.distance <= _RADIUS)
    return _nearest(close, [])


def _nearest(found: sa.SelectBase, counts: list[Condition]) -> Query:
    """The nearest of what was found by its id, distance and sequence, if it ``counts``.

    They are put in order before the wide rows are read, so that only those are read that are
    answered with: a crowd's hundreds, and not all its thousands.
    """
    among = found.cte("among")

    def first(limit: int, where: Condition) -> Query:
        order = among.c.distance, among.c.sequence.desc()
        near = sa.select(among).where(where).order_by(*order).subquery()
        query = sa.select(*facts(designs.c), near.c.distance)
        query = query.join_from(near, designs, designs.c.id == near.c.design_id).where(*counts)
        query = query.order_by(near.c.distance, near.c.sequence.desc()).limit(limit)
        return query.subquery().select()

    within = among.c.distance <= _THRESHOLD
    answer = sa.union_all(first(LIMIT, within), first(FARTHER, ~within))
    return answer.order_by(sa.literal_column("distance"), sa.literal_column("sequence").desc())


@lru_cache
def cropped(*, templated: bool) -> Query:
    low = designs.c.index_hash.op("&")(sa.literal(_LOW, Bits()))
    distance = _distance(low, _LOW_BITS)
    return (
        sa.select(*facts(designs.c))
        .where(*_scope(templated), _own(designs.c), distance <= _RADIUS)
        .order_by(distance, designs.c.sequence.desc())
        .limit(LIMIT)
    )


@lru_cache
def allowed() -> Query:
    """What was wanted beside a picture by designs with a sequence below ``before``."""
    pair, asked = allowed_pairs.c, designs.alias("asked")
    # Both were wanted, so it counts from either side. But a second copy of one picture lets no
    # third one in: who sends it is told of the second.
    sides = [
        (pair.design_id, pair.other_id, sa.true()),
        (pair.other_id, pair.design_id, asked.c.content_sha256 != _CONTENT),
    ]
    return sa.union(
        *(
            sa.select(other)
            .join(designs, designs.c.id == own)
            .join(asked, asked.c.id == pair.design_id)
            .where(
                designs.c.user_id == _USER,
                designs.c.content_sha256 == _CONTENT,
                asked.c.sequence < _BEFORE,
                counts,
            )
            for own, other, counts in sides
        )
    )


@dataclass(frozen=True, slots=True)
class _Terms:
    """Which rows are on a side, which have the probe's very hash, and how far off each is."""

    kind: Condition
    equal: Condition
    distance: Distance


def _terms(side: Side, columns: Columns) -> _Terms:
    if side is Side.LEGACY:
        return _Terms(
            kind=columns.fingerprint_version == LEGACY,
            equal=columns.phash == _LEGACY_PHASH,
            distance=_distance(sa.func.platen_bits(columns.phash), _LEGACY_BITS),
        )
    distance = _distance(columns.index_hash, _INDEX_BITS)
    equal = columns.index_hash == _INDEX_BITS
    if side is Side.OPAQUE:
        # Of ours, a phash is whole: `platen_bits`, which looks first, takes 15 times as long.
        own = columns.fingerprint_version == _VERSION
        phash = sa.case((own, sa.literal("x").concat(columns.phash).cast(Bits())))
        distance = sa.func.least(_distance(phash, _PHASH_BITS), distance, type_=sa.Integer)
        # It can have another's very phash and an index hash far from it.
        equal |= columns.phash == _PHASH
    return _Terms(_own(columns), equal, distance)


def _narrow(side: Side) -> Distance:
    """The distance by the narrow table's columns."""
    if side is Side.LEGACY:
        return _distance(hashes.c.hash, _LEGACY_BITS)
    distance = _distance(hashes.c.hash, _INDEX_BITS)
    if side is Side.OPAQUE:
        phash = sa.func.coalesce(hashes.c.phash, hashes.c.hash)
        distance = sa.func.least(_distance(phash, _PHASH_BITS), distance, type_=sa.Integer)
    return distance


def _between(sequence: sa.ColumnElement[int]) -> list[Condition]:
    """As old as asked for."""
    return [sequence > _AFTER, sequence < _BEFORE]


def _scope(templated: bool, *, after: bool = True) -> list[Condition]:
    """The tenant's designs that count: not removed, as old as asked for, of the template."""
    sequence = designs.c.sequence
    conditions = [
        designs.c.user_id == _USER,
        designs.c.is_active | (designs.c.state == State.PENDING.value),
        *(_between(sequence) if after else [sequence < _BEFORE]),
    ]
    if templated:
        # A legacy row tells its template by its folder alone.
        folder = sa.func.substring(designs.c.file_path, "([^/]+)/[^/]+$")
        own = sa.func.lower(sa.func.coalesce(designs.c.template, folder))
        conditions.append(own == sa.func.lower(_TEMPLATE))
    return conditions


def _own(columns: Columns) -> Condition:
    """Rows whose hashes mean the same as the probe's."""
    return sa.and_(columns.fingerprint_version == _VERSION, columns.is_opaque == _IS_OPAQUE)


def _distance(column: sa.ColumnElement[Any], bits: sa.ColumnElement[str]) -> Distance:
    """Hamming distance."""
    return sa.func.bit_count(column.op("#")(bits), type_=sa.Integer)
