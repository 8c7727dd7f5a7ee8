"""Near matches among many designs of one tenant, by the band index and by other ways.

    python -m benchmarks.search [DESIGNS]

The designs have random hashes, in an embedded PostgreSQL of the benchmark's own. Each probe is a
stored hash with up to 15 of its bits turned over, so each has a match to find.
"""

from __future__ import annotations

import os
import platform
import random
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from uuid import UUID, uuid4

import imagehash
import sqlalchemy as sa

from shared.database import embedded, migrate
from shared.database.designs import PostgresDesigns
from shared.database.engine import create
from shared.records import Fingerprint, Probe

DESIGNS = 100_000
BATCH = 10_000
"""Designs that one statement inserts."""
PROBES = 200
RADIUS = 15

_INSERT = sa.text(
    "INSERT INTO design_images (id, user_id, filename, file_path, is_active, fingerprint_version,"
    " is_opaque, phash, ahash, dhash, whash, upload_sha256, content_sha256, index_hash, signature,"
    " crop_width, crop_height)"
    " SELECT gen_random_uuid(), :user, 'UV.png', '/share/Graphics/' || h, true, 2,"
    " false, h, h, h, h, h, h, ('x' || h)::bit(256), decode(repeat(h, 16), 'hex'), 1, 1"
    " FROM (SELECT md5(random()::text || n) || md5(random()::text || n) AS h"
    " FROM generate_series(1, :count) n) hashes"
)
_ALL = sa.text(
    "SELECT id FROM design_images WHERE user_id = :user AND is_active"
    " AND bit_count(index_hash # platen_bits(:hash)) <= :radius"
)
_NEWEST = sa.text(
    "SELECT phash FROM design_images WHERE user_id = :user AND is_active"
    " ORDER BY created_at DESC LIMIT 1000"
)


def run(count: int) -> None:
    # Not a folder that is closed to other users: a server of root's runs as one of them.
    with tempfile.TemporaryDirectory(prefix="platen-") as temporary:
        Path(temporary).chmod(0o711)
        with embedded.start(Path(temporary)) as server:
            migrate.upgrade(server.url)
            engine = create(server.url, pool=1, timeout_s=600)
            _measure(engine, count)
            engine.dispose()


def _measure(engine: sa.Engine, count: int) -> None:
    user = uuid4()
    seconds = _fill(engine, user, count)
    with engine.connect() as connection:
        size = connection.execute(
            sa.text("SELECT pg_relation_size('idx_design_images_band_keys')")
        ).scalar_one()
    hashes = _stored(engine, user)
    designs = PostgresDesigns(engine)
    found = sum(bool(designs.near(user, probe, radius=RADIUS)) for probe in map(_probe, hashes))
    print(f"{platform.machine()}, {os.cpu_count()} processors, PostgreSQL 18")
    print(f"{count} designs, {seconds * 1000 / count:.2f} ms each to insert")
    print(f"band index: {size / 1e6:.0f} MB; found {found} of {len(hashes)} within {RADIUS} bits")
    ways: dict[str, Callable[[str], object]] = {
        "band index, all designs": lambda h: designs.near(user, _probe(h), radius=RADIUS),
        "newest 1,000 in SQL": lambda h: designs.recent(user, _probe(h), radius=RADIUS),
        "newest 1,000 in Python": lambda h: _newest_in_python(engine, user, h),
        "all designs in SQL": lambda h: _all_in_sql(engine, user, h),
    }
    print(f"{'ms a search':24}{'median':>10}{'99 %':>10}")
    for name, search in ways.items():
        times = sorted(_milliseconds(search, hash_) for hash_ in hashes)
        print(f"{name:24}{statistics.median(times):>10.1f}{times[len(times) * 99 // 100]:>10.1f}")


def _fill(engine: sa.Engine, user: UUID, count: int) -> float:
    """Seconds that the inserts took."""
    started = perf_counter()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("SET statement_timeout = 0"))
        connection.execute(sa.text("INSERT INTO users (id) VALUES (:user)"), {"user": user})
        for at in range(0, count, BATCH):
            connection.execute(_INSERT, {"user": user, "count": min(BATCH, count - at)})
        seconds = perf_counter() - started
        connection.execute(sa.text("ANALYZE design_images"))
        return seconds


def _stored(engine: sa.Engine, user: UUID) -> list[str]:
    query = sa.text(
        "SELECT phash FROM design_images WHERE user_id = :user ORDER BY random() LIMIT :count"
    )
    with engine.connect() as connection:
        return list(connection.execute(query, {"user": user, "count": PROBES}).scalars())


def _probe(hash_: str) -> Probe:
    bits = int(hash_, 16)
    for bit in random.sample(range(256), random.randint(0, RADIUS)):  # noqa: S311 - no secret
        bits ^= 1 << bit
    near = f"{bits:064x}"
    fingerprint = Fingerprint(
        **dict.fromkeys(("phash", "ahash", "dhash", "whash", "index_hash"), near),
        signature="0" * 1024,
        content_sha256="0" * 64,
        is_opaque=False,
        width_px=1,
        height_px=1,
    )
    return Probe(fingerprint, upload_sha256="0" * 64)


def _all_in_sql(engine: sa.Engine, user: UUID, hash_: str) -> object:
    with engine.connect() as connection:
        values = {"user": user, "hash": hash_, "radius": RADIUS}
        return connection.execute(_ALL, values).all()


def _newest_in_python(engine: sa.Engine, user: UUID, hash_: str) -> list[str]:
    """As the original workflow does it, its threshold apart."""
    with engine.connect() as connection:
        newest = connection.execute(_NEWEST, {"user": user}).scalars().all()
    mine = imagehash.hex_to_hash(hash_)
    return [other for other in newest if mine - imagehash.hex_to_hash(other) <= RADIUS]


def _milliseconds(search: Callable[[str], object], hash_: str) -> float:
    started = perf_counter()
    search(hash_)
    return (perf_counter() - started) * 1000


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else DESIGNS)
