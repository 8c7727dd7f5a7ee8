"""Libraries of designs in an embedded PostgreSQL of the benchmark's own."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from uuid import UUID

import numpy as np
import sqlalchemy as sa

from benchmarks.search.crowd import Hashes
from shared.database import embedded, migrate
from shared.database.engine import create

BATCH = 100_000
"""Designs that one statement inserts."""
INDEX = "idx_design_hashes_band_keys"

_INSERT = sa.text(
    "INSERT INTO design_images (id, user_id, shop, template, number, filename, file_path,"
    " source_filename, state, is_active, file_sha256, file_size, width_px, height_px, dpi,"
    " fingerprint_version, is_opaque, phash, ahash, dhash, whash, upload_sha256, content_sha256,"
    " index_hash, signature, crop_width, crop_height)"
    " SELECT gen_random_uuid(), md5(tenant::text)::uuid, 'Shop ' || tenant, 'UVDTF 16oz', n,"
    " 'UV_' || n || '.png', '/share/Graphics/NookTransfers/Shop ' || tenant || '/UVDTF 16oz/UV_'"
    " || n || '.png', 'design ' || n || '.png', 'active', true, other, 10000000, 3800, 1732, 400,"
    " 2, false, hash, other, other, other, other, other, ('x' || hash)::bit(256),"
    " decode(repeat(other, 16), 'hex'), 4200, 2000"
    " FROM (SELECT *, md5(hash) || md5(hash || n) AS other FROM staged) hashes"
)
"""Rows as wide as those that are filed: 1.3 kB each."""


@contextmanager
def database(home: Path | None = None) -> Iterator[sa.Engine]:
    """An engine on a new database, or on the one that is kept in a folder."""
    with tempfile.TemporaryDirectory(prefix="platen-") as temporary:
        # Not a folder that is closed to other users: a server of root's runs as one of them.
        Path(temporary).chmod(0o711)
        with embedded.start(home or Path(temporary)) as server:
            migrate.upgrade(server.url)
            engine = create(server.url, pool=2, timeout_s=3600)
            try:
                yield engine
            finally:
                engine.dispose()


def tenant(number: int) -> UUID:
    """The tenant of a number, as `_INSERT` has it."""
    import hashlib

    return UUID(hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest())


@contextmanager
def session(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection that commits each statement, and has all the time it needs."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("SET statement_timeout = 0"))
        yield connection


def fill(engine: sa.Engine, hashes: Hashes, tenants: int) -> float:
    """Replace all designs, the tenants' in turn; seconds that it took.

    The index is made afterwards, which is many times as fast.
    """
    started = perf_counter()
    with session(engine) as connection:
        definition = connection.execute(
            sa.text("SELECT pg_get_indexdef(to_regclass(:name))"), {"name": INDEX}
        ).scalar_one()
        connection.execute(sa.text(f"DROP INDEX {INDEX}"))
        connection.execute(sa.text("TRUNCATE design_images CASCADE"))
        connection.execute(
            sa.text(
                "INSERT INTO users (id) SELECT md5(n::text)::uuid FROM generate_series(1, :n) n"
                " ON CONFLICT DO NOTHING"
            ),
            {"n": tenants},
        )
        connection.execute(
            sa.text("CREATE UNLOGGED TABLE IF NOT EXISTS staged (n bigint, tenant int, hash text)")
        )
        for at in range(0, len(hashes), BATCH):
            connection.execute(sa.text("TRUNCATE staged"))
            _stage(connection, hashes[at : at + BATCH], at, tenants)
            connection.execute(_INSERT)
        connection.execute(sa.text("DROP TABLE staged"))
        connection.execute(sa.text("SET maintenance_work_mem = '1GB'"))
        connection.execute(sa.text(definition))
        connection.execute(sa.text("VACUUM ANALYZE design_images"))
        connection.execute(sa.text("RESET maintenance_work_mem"))
    return perf_counter() - started


def _stage(connection: sa.Connection, hashes: Hashes, start: int, tenants: int) -> None:
    text = hashes.tobytes().hex()
    lines = (
        f"{start + at}\t{(start + at) % tenants + 1}\t{text[64 * at : 64 * at + 64]}\n"
        for at in range(len(hashes))
    )
    cursor = connection.connection.cursor()
    cursor.execute("COPY staged FROM STDIN", stream=io.BytesIO("".join(lines).encode()))
