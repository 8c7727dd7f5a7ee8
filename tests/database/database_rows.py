"""Designs for the tests, with hashes drawn at random."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from shared.database.designs import PostgresDesigns
from shared.database.engine import patient
from shared.records import Design, Fingerprint, Preflight, PrintFile, Probe, State

USER = UUID("00000000-0000-4000-8000-000000000001")

_draw = random.Random(20)  # noqa: S311 - pictures, not secrets


def a_hash() -> str:
    return f"{_draw.getrandbits(256):064x}"


def flipped(hash_: str, bits: int) -> str:
    """The hash with that many of its bits, drawn at random, turned over."""
    value = int(hash_, 16)
    for bit in _draw.sample(range(256), bits):
        value ^= 1 << bit
    return f"{value:064x}"


def a_fingerprint(**own: Any) -> Fingerprint:
    """A fingerprint of art with alpha, whose index hash is its phash."""
    phash = own.pop("phash", None) or a_hash()
    fields = {
        "phash": phash,
        "ahash": a_hash(),
        "dhash": a_hash(),
        "whash": a_hash(),
        "index_hash": phash,
        "signature": a_hash() * 16,
        "content_sha256": a_hash(),
        "is_opaque": False,
        "width_px": 3000,
        "height_px": 2000,
    }
    return Fingerprint(**(fields | own))


def a_design(**own: Any) -> Design:
    design_id = uuid4()
    fields = {
        "design_id": design_id,
        "user_id": USER,
        "shop": "LocalShop",
        "template": "UVDTF 16oz",
        "is_digital": False,
        "number": 1,
        "filename": "UV_001.png",
        "file_path": f"/share/Graphics/NookTransfers/LocalShop/{design_id}/UV_001.png",
        "source_filename": "Blümchen 🌸.png",
        "upload_sha256": a_hash(),
        "state": State.PENDING,
        "print_file": PrintFile(
            sha256=a_hash(), size=10_000_000, width_px=3800, height_px=1732, dpi=400
        ),
        "preflight": Preflight(
            width_px=4200,
            height_px=2000,
            width_in=9.5,
            height_in=4.33,
            effective_dpi=442.1,
            scale=0.9,
            distortion=0.04,
            soft_alpha=0.013,
        ),
        "fingerprint": own.pop("fingerprint", None) or a_fingerprint(),
        "created_at": datetime(2026, 1, 2, tzinfo=UTC),
    }
    return Design(**(fields | own))


def a_probe(design: Design, **own: Any) -> Probe:
    """A probe with the design's own fingerprint and another upload's sha256."""
    return Probe(**({"fingerprint": design.fingerprint, "upload_sha256": a_hash()} | own))


def file_design(designs: PostgresDesigns, design: Design) -> Design:
    """The design, inserted and active."""
    with designs.unit(design.user_id) as unit:
        unit.claim(design.shop)
        inserted = unit.insert(design)
    designs.activate(design)
    return inserted.model_copy(update={"state": State.ACTIVE})


def insert_many(url: str, hashes: list[str], user: UUID = USER) -> None:
    """Active designs of art with alpha, by their phashes, in this order, past the adapter."""
    engine = patient(url)
    with engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO users (id) VALUES (:user) ON CONFLICT DO NOTHING"), {"user": user}
        )
        connection.execute(sa.text(_MANY), {"user": user, "hashes": hashes})
    engine.dispose()


def disconnect_all(url: str) -> None:
    """End every other connection to the database, as a restart of the server would."""
    engine = patient(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    engine.dispose()


_MANY = """
INSERT INTO design_images (
    user_id, filename, file_path, template, phash, ahash, dhash, whash, index_hash, signature,
    content_sha256, is_opaque, crop_width, crop_height, fingerprint_version
)
SELECT :user, 'UV.png', gen_random_uuid() || '/UV.png', 'UVDTF 16oz', hash, hash, hash, hash,
       platen_bits(hash), decode(repeat(hash, 16), 'hex'),
       encode(sha256(uuid_send(gen_random_uuid())), 'hex'), false, 100, 100, 2
FROM unnest(CAST(:hashes AS text[])) WITH ORDINALITY AS given (hash, place) ORDER BY place
"""
