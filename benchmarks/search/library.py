"""Libraries of designs in a shop's database."""

from __future__ import annotations

import io
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from uuid import UUID, uuid5

import sqlalchemy as sa

from benchmarks.search.crowd import Hashes

BATCH = 100_000
"""Designs that one statement inserts."""
TIMEOUT_S = 3600.0
"""For millions of designs, an index takes minutes."""
INDEX = "idx_design_hashes_search_keys"
NEEDED = (
    INDEX,
    "idx_design_hashes_phash_keys",
    "design_hashes_pkey",
    "design_images_pkey",
    "idx_design_images_phash",
    "idx_design_images_user_index_hash",
    "idx_design_images_user_sequence",
)
"""The indexes that a near search can use; the designs' others are left out, to load faster."""

_SPACE = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")

_DESIGNS = (
    "INSERT INTO design_images (id, user_id, shop, template, number, filename, file_path,"
    " source_filename, state, is_active, file_sha256, file_size, width_px, height_px, dpi,"
    " fingerprint_version, is_opaque, phash, ahash, dhash, whash, upload_sha256, content_sha256,"
    " index_hash, signature, crop_width, crop_height)"
    " SELECT gen_random_uuid(), owner, 'LocalShop', 'UVDTF 16oz', n, 'UV_' || n || '.png',"
    " '/share/Graphics/NookTransfers/LocalShop/UVDTF 16oz/UV_' || n || '.png',"
    " 'design ' || n || '.png', 'active', true, other, 10000000, 3800, 1732, 400,"
    " 2, false, hash, other, other, other, other, other, ('x' || hash)::bit(256),"
    " decode(repeat(other, 16), 'hex'), 4200, 2000"
    " FROM (SELECT *, md5(hash) || md5(hash || n) AS other FROM staged) AS rows"
)
"""Rows as wide as those that are filed: 1.6 kB each."""

_HASHES = sa.text(
    "INSERT INTO design_hashes (design_id, user_id, sequence, fingerprint_version, hash)"
    " SELECT id, user_id, sequence, fingerprint_version, index_hash FROM design_images"
)
"""What the trigger does row by row."""


@contextmanager
def session(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection that commits each statement, and has all the time it needs."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("SET statement_timeout = 0"))
        yield connection


def tenant(number: int) -> UUID:
    return uuid5(_SPACE, str(number))


def fill(engine: sa.Engine, hashes: Hashes, tenants: int) -> float:
    """Replace all designs by these, the tenants' in turn; seconds that it took.

    Past the trigger, and with indexes made afterwards: many times as fast as row by row.
    """
    started = perf_counter()
    owners = [tenant(number) for number in range(tenants)]
    with session(engine) as connection:
        connection.execute(sa.text("TRUNCATE design_images CASCADE"))
        connection.execute(
            sa.text("INSERT INTO users (id) SELECT unnest(:ids ::uuid[]) ON CONFLICT DO NOTHING"),
            {"ids": owners},
        )
        made = _drop_indexes(connection)
        # No triggers, and those of foreign keys neither.
        connection.execute(sa.text("SET session_replication_role = replica"))
        connection.execute(
            sa.text("CREATE UNLOGGED TABLE IF NOT EXISTS staged (n bigint, owner uuid, hash text)")
        )
        for at in range(0, len(hashes), BATCH):
            connection.execute(sa.text("TRUNCATE staged"))
            _stage(connection, hashes[at : at + BATCH], at, owners)
            connection.execute(sa.text(_DESIGNS))
        connection.execute(_HASHES)
        connection.execute(sa.text("DROP TABLE staged"))
        connection.execute(sa.text("RESET session_replication_role"))
        connection.execute(sa.text("SET maintenance_work_mem = '1GB'"))
        for statement in made:
            connection.execute(sa.text(statement))
        connection.execute(sa.text(f"ALTER INDEX {INDEX} ALTER COLUMN 1 SET STATISTICS 1000"))
        connection.execute(sa.text("VACUUM ANALYZE design_hashes, design_images"))
        connection.execute(sa.text("RESET maintenance_work_mem"))
    return perf_counter() - started


def sizes(engine: sa.Engine) -> tuple[int, int, int]:
    """Bytes of the index of keys, the narrow table and the designs' table, without indexes."""
    query = sa.text(
        f"SELECT pg_relation_size('{INDEX}'), pg_table_size('design_hashes'),"
        " pg_table_size('design_images')"
    )
    with engine.connect() as connection:
        index, narrow, wide = connection.execute(query).one()
    return index, narrow, wide


def inserts(engine: sa.Engine, hashes: Hashes) -> float:
    """Milliseconds that an insert of one design takes, median; a transaction each.

    Without its wait for the disk, which differs more than an index costs. ``hashes``: one for each.
    The rows are removed afterwards.
    """
    one, times = sa.text(f"{_DESIGNS} WHERE n = :n"), []
    with session(engine) as connection:
        connection.execute(
            sa.text("CREATE TEMPORARY TABLE staged (n bigint, owner uuid, hash text)")
        )
        connection.execute(sa.text("SET synchronous_commit = off"))
        _stage(connection, hashes, -len(hashes), [tenant(0)])
        for n in range(-len(hashes), 0):
            started = perf_counter()
            connection.execute(one, {"n": n})
            times.append((perf_counter() - started) * 1000)
        connection.execute(sa.text("RESET synchronous_commit"))
        connection.execute(sa.text("DROP TABLE staged"))
        connection.execute(sa.text("DELETE FROM design_images WHERE number < 0"))
    return statistics.median(times)


def _drop_indexes(connection: sa.Connection) -> list[str]:
    """Drop all indexes but the primary keys'; the statements that make the needed ones again."""
    found = connection.execute(
        sa.text(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema"
            " AND tablename IN ('design_images', 'design_hashes')"
        )
    ).all()
    for name, _ in found:
        if not name.endswith("_pkey"):
            connection.execute(sa.text(f"DROP INDEX {name}"))
    return [made for name, made in found if name in NEEDED and not name.endswith("_pkey")]


def _stage(connection: sa.Connection, hashes: Hashes, start: int, owners: list[UUID]) -> None:
    text = hashes.tobytes().hex()
    lines = (
        f"{start + at}\t{owners[(start + at) % len(owners)]}\t{text[64 * at : 64 * at + 64]}\n"
        for at in range(len(hashes))
    )
    cursor = connection.connection.cursor()
    cursor.execute("COPY staged FROM STDIN", stream=io.BytesIO("".join(lines).encode()))
