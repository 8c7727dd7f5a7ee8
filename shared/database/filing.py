"""Rows as they are compared with the files on the NAS, whoever recorded them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from shared.database.tables import designs
from shared.records import FINGERPRINT_VERSION, Filing, State


def page(connection: sa.Connection, grace_s: float, after: UUID | None, limit: int) -> list[Filing]:
    query = _rows(grace_s).order_by(designs.c.id).limit(limit)
    if after is not None:
        query = query.where(designs.c.id > after)
    return [_filing(row) for row in connection.execute(query)]


def one(connection: sa.Connection, grace_s: float, design_id: UUID) -> Filing | None:
    row = connection.execute(_rows(grace_s).where(designs.c.id == design_id)).first()
    return None if row is None else _filing(row)


def recorded(connection: sa.Connection, paths: Collection[str]) -> set[str]:
    """Those of the paths that a row has: first by the index of our own rows, then by the others."""
    is_ours = designs.c.fingerprint_version >= FINGERPRINT_VERSION
    ours = _among(connection, paths, is_ours)
    rest = set(paths) - ours
    return ours | _among(connection, rest, ~is_ours) if rest else ours


def _among(
    connection: sa.Connection, paths: Collection[str], which: sa.ColumnElement[bool]
) -> set[str]:
    asked = sa.func.unnest(sa.cast(list(paths), ARRAY(sa.Text))).column_valued("path")
    same = sa.func.lower(designs.c.file_path) == sa.func.lower(asked)
    query = sa.select(asked).where(sa.exists().where(same, which))
    return set(connection.execute(query).scalars())


def _rows(grace_s: float) -> sa.Select[tuple[object, ...]]:
    """Rows that stand for a file, or are to: a removed one is active and has ``is_active`` unset.

    A row without a time was recorded elsewhere, long ago.
    """
    is_old = designs.c.created_at < sa.func.clock_timestamp() - timedelta(seconds=grace_s)
    return sa.select(
        designs.c.id,
        designs.c.user_id,
        designs.c.file_path,
        designs.c.state,
        sa.func.coalesce(is_old, True).label("is_old"),
        designs.c.file_size,
        designs.c.file_sha256,
    ).where(sa.or_(designs.c.state == State.PENDING.value, designs.c.is_active))


def _filing(row: sa.Row[tuple[object, ...]]) -> Filing:
    return Filing(
        design_id=row.id,
        user_id=row.user_id,
        file_path=row.file_path or "",
        state=State(row.state),
        is_old=row.is_old,
        size=row.file_size,
        sha256=row.file_sha256,
    )
