"""A shop to measure in: an embedded PostgreSQL with earlier designs, and a folder as NAS."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from uuid import UUID, uuid4

import sqlalchemy as sa

from benchmarks.artwork import noisy_wrap
from shared.database import embedded, migrate
from shared.database.engine import create

LIBRARY = 2000
"""Designs that a tenant has already: more than the plain loop's newest 1,000."""


@dataclass(frozen=True, slots=True)
class Shop:
    home: Path
    url: str
    engine: sa.Engine

    def tenant(self) -> UUID:
        """A new user with earlier designs, opaque ones with random hashes."""
        tenant = uuid4()
        with self.engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO users (id) VALUES (:user)"), {"user": tenant})
            connection.execute(_FILL, {"user": tenant, "count": LIBRARY})
        return tenant

    def files(self, count: int, width: int = 4200, height: int = 2000) -> list[Path]:
        """Noisy wraps, of 9 MB where the size is not said."""
        files = [self.home / f"{number:02d}-{width}.png" for number in range(count)]
        draw = partial(noisy_wrap, width=width, height=height)
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            for file, data in zip(files, pool.map(draw, range(count)), strict=True):
                file.write_bytes(data)
        return files


@contextmanager
def shop(timeout_s: float = 10) -> Iterator[Shop]:
    """Its engine waits for an answer for ``timeout_s`` at the most."""
    # Not a folder that is closed to other users: a server of root's runs as one of them.
    with tempfile.TemporaryDirectory(prefix="platen-") as temporary:
        home = Path(temporary)
        home.chmod(0o755)
        with embedded.start(home) as server:
            migrate.upgrade(server.url)
            engine = create(server.url, pool=5, timeout_s=timeout_s)
            try:
                yield Shop(home, server.url, engine)
            finally:
                engine.dispose()


_FILL = sa.text(
    "INSERT INTO design_images (id, user_id, filename, file_path, is_active,"
    " fingerprint_version, is_opaque, phash, ahash, dhash, whash, index_hash, signature,"
    " upload_sha256, content_sha256, crop_width, crop_height)"
    " SELECT gen_random_uuid(), :user, 'UV.png', '/share/Graphics/' || :user || n, true,"
    " 2, true, hash, hash, hash, hash, ('x' || hash)::bit(256), decode(repeat('00', 512),"
    " 'hex'), hash, hash, 1200, 547"
    " FROM (SELECT n, md5(random()::text || n) || md5(random()::text || -n) AS hash"
    " FROM generate_series(1, :count) n) AS made"
)
