"""Rows of fingerprint version 1: those that another system recorded."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from shared.database.rows import hashed
from shared.database.tables import designs
from shared.database.unit import one_file_a_path
from shared.records import FINGERPRINT_VERSION, Fingerprint, FoundFile, Legacy


def count(connection: sa.Connection, user_id: UUID | None) -> int:
    query = sa.select(sa.func.count()).select_from(designs).where(*_waiting(user_id))
    return int(connection.execute(query).scalar_one())


def page(
    connection: sa.Connection, user_id: UUID | None, after: Legacy | None, limit: int
) -> list[Legacy]:
    place = (designs.c.user_id, designs.c.id)
    query = (
        sa.select(*place, designs.c.file_path, designs.c.is_digital)
        .where(*_waiting(user_id))
        .order_by(*place)
        .limit(limit)
    )
    if after is not None:
        query = query.where(sa.tuple_(*place) > sa.tuple_(after.user_id, after.design_id))
    return [
        Legacy(row.id, row.user_id, row.file_path or "", bool(row.is_digital))
        for row in connection.execute(query)
    ]


def upgrade(
    connection: sa.Connection, row: Legacy, fingerprint: Fingerprint, file: FoundFile
) -> bool:
    """One statement, so one transaction: of several that upgrade a row, one does."""
    change = {
        **hashed(fingerprint),
        "file_sha256": file.sha256,
        "file_size": file.size,
        "width_px": file.width_px,
        "height_px": file.height_px,
        "dpi": file.dpi,
        "updated_at": sa.func.clock_timestamp(),
    }
    same = sa.and_(
        *_waiting(row.user_id), designs.c.id == row.design_id, designs.c.file_path == row.file_path
    )
    with one_file_a_path(row.file_path.rpartition("/")[2]):
        return connection.execute(sa.update(designs).where(same).values(change)).rowcount > 0


def _waiting(user_id: UUID | None) -> list[sa.ColumnElement[bool]]:
    """Rows to upgrade: removed ones stay as they are."""
    old = [designs.c.fingerprint_version < FINGERPRINT_VERSION, designs.c.is_active]
    return old if user_id is None else [designs.c.user_id == user_id, *old]
