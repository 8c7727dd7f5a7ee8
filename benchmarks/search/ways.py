"""Ways to find what is near to a hash: each answers with the hashes that it found, in hex."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any
from uuid import UUID

import imagehash
import numpy as np
import sqlalchemy as sa

from benchmarks.search.crowd import Hashes
from shared.database.designs import PostgresDesigns
from shared.records import Fingerprint, Probe, Reach

Way = Callable[[str], set[str]]
RADIUS = 31
"""In bits."""
REACH = Reach(threshold=15, radius=RADIUS)
"""What an upload asks for."""
NEIGHBOURS = 500
"""Designs that the approximate rival is asked for: as many as ours answers with at most."""

_BRUTE_FORCE = (
    "SELECT hash::text FROM design_hashes"
    " WHERE user_id = %s AND bit_count(hash # %s::bit(256)) <= %s"
)
_NEWEST = (
    "SELECT phash FROM design_images WHERE user_id = %s AND is_active"
    " ORDER BY sequence DESC LIMIT 1000"
)
_HNSW = "SELECT hash::text FROM design_hashes ORDER BY hash <~> %s::bit(256) LIMIT %s"


def ours(designs: PostgresDesigns, user: UUID) -> Way:
    """All that an upload waits for: the nearest designs of the tenant, with their signatures."""
    return lambda hash_: {
        found.fingerprint.phash for found in designs.near(user, probe(hash_), REACH)
    }


def brute_force(engine: sa.Engine, user: UUID) -> Way:
    """Every row of the tenant's in SQL: of the narrow table, which is faster to read."""

    def search(hash_: str) -> set[str]:
        with engine.connect() as connection:
            return _hexes(connection, _BRUTE_FORCE, (user, _bits(hash_), RADIUS))

    return search


def newest(engine: sa.Engine, user: UUID) -> Way:
    """As the original workflow does it, its threshold apart: a loop over the newest 1,000.

    It had them sorted by their time, which takes a second of a million; ours have an index.
    """

    def search(hash_: str) -> set[str]:
        with engine.connect() as connection:
            rows = connection.exec_driver_sql(_NEWEST, (user,)).scalars().all()
        mine = imagehash.hex_to_hash(hash_)
        return {row for row in rows if mine - imagehash.hex_to_hash(row) <= RADIUS}

    return search


def hnsw(engine: sa.Engine) -> Way:
    """pgvector's graph, of all tenants. It takes a minute and more for each 100,000 designs."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in (
            "SET statement_timeout = 0",
            "SET maintenance_work_mem = '2GB'",
            "CREATE EXTENSION IF NOT EXISTS vector",
            "CREATE INDEX hnsw ON design_hashes USING hnsw (hash bit_hamming_ops)",
            "RESET ALL",
        ):
            connection.exec_driver_sql(statement)

    def search(hash_: str) -> set[str]:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"SET LOCAL hnsw.ef_search = {NEIGHBOURS}")
            return _hexes(connection, _HNSW, (_bits(hash_), NEIGHBOURS))

    return search


def faiss(hashes: Hashes, kind: str) -> Way:
    """An index in this process's memory, of all tenants. Raises ImportError where FAISS is missing.

    ``kind``: ``IndexBinaryFlat``, or ``IndexBinaryMultiHash`` with 16 tables of 16 bits.
    """
    module: Any = import_module("faiss")
    index = (
        module.IndexBinaryFlat(256)
        if kind == "IndexBinaryFlat"
        else module.IndexBinaryMultiHash(256, 16, 16)
    )
    index.add(hashes)

    def search(hash_: str) -> set[str]:
        query = np.frombuffer(bytes.fromhex(hash_), np.uint8)[None]
        # Distances below the radius, and not up to it.
        _, _, found = index.range_search(query, RADIUS + 1)
        return {hashes[at].tobytes().hex() for at in found}

    return search


def probe(hash_: str) -> Probe:
    """An upload of art with alpha by its hash."""
    fingerprint = Fingerprint(
        **dict.fromkeys(("phash", "ahash", "dhash", "whash", "index_hash"), hash_),
        signature="0" * 1024,
        content_sha256="0" * 64,
        is_opaque=False,
        width_px=1,
        height_px=1,
    )
    return Probe(fingerprint, upload_sha256="0" * 64)


def _hexes(connection: sa.Connection, query: str, values: tuple[object, ...]) -> set[str]:
    found = connection.exec_driver_sql(query, values).scalars()
    return {f"{int(bits, 2):064x}" for bits in found}


def _bits(hash_: str) -> str:
    return f"{int(hash_, 16):0256b}"
