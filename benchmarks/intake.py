"""Two designs of about 9 MB, taken in by Platen in process and by the plain workflow.

    python -m benchmarks.intake

Both work on the same files, the same embedded PostgreSQL with 2,000 earlier designs of the tenant,
and a folder as NAS, in turn, several times. The ratio of each pair is what counts.
"""

from __future__ import annotations

import logging
import os
import platform
import statistics
import tempfile
from pathlib import Path
from time import perf_counter
from uuid import UUID, uuid4

import sqlalchemy as sa

from benchmarks import plain
from benchmarks.artwork import noisy_wrap
from shared.database import embedded, migrate
from shared.database.engine import create
from shared.driver.transports import InProcess
from shared.driver.workflow import upload
from shared.messages import Result, UploadRequest
from shared.settings import Settings
from shared.wiring import Parts

PAIRS = 7
"""Counted runs of each, in turn, after one warm-up."""
LIBRARY = 2000
"""Designs that the tenant has already: more than the plain loop's newest 1,000."""


def run() -> None:
    logging.disable()
    with tempfile.TemporaryDirectory(prefix="platen-") as temporary:
        home = Path(temporary)
        home.chmod(0o755)
        with embedded.start(home) as server:
            migrate.upgrade(server.url)
            files = _files(home)
            sizes = [file.stat().st_size for file in files]
            pairs = [_pair(server.url, files, home, turn) for turn in range(PAIRS + 1)][1:]
    _print(pairs, sizes)


def _files(home: Path) -> list[Path]:
    files = [home / "one.png", home / "two.png"]
    for seed, file in enumerate(files):
        file.write_bytes(noisy_wrap(seed))
    return files


def _pair(url: str, files: list[Path], home: Path, turn: int) -> tuple[float, float, Result]:
    """Milliseconds of the plain workflow and of Platen, each for a tenant of its own."""
    engine = create(url, pool=5, timeout_s=10)
    tenants = [uuid4(), uuid4()]
    for tenant in tenants:
        _fill(engine, tenant)
    started = perf_counter()
    created = plain.upload(files, engine, tenants[0], home / "plain" / str(turn))
    plain_ms = (perf_counter() - started) * 1000
    settings = Settings(database_url=url, platen_home=home)
    parts = Parts(settings)
    parts.designs.check()
    request = UploadRequest(template="UVDTF 16oz", user_id=str(tenants[1]), shop=f"Bench{turn}")
    sources = [parts.source(file.name, file) for file in files]
    started = perf_counter()
    result = upload(sources, request, InProcess(parts), settings, parts.executor, parts.workers)
    ours_ms = (perf_counter() - started) * 1000
    assert created == result.summary.created == len(files)
    engine.dispose()
    return plain_ms, ours_ms, result


def _fill(engine: sa.Engine, tenant: UUID) -> None:
    """Earlier designs of a tenant, opaque ones with random hashes."""
    query = sa.text(
        "INSERT INTO design_images (id, user_id, filename, file_path, is_active,"
        " fingerprint_version, is_opaque, phash, ahash, dhash, whash, index_hash, signature,"
        " upload_sha256, content_sha256, crop_width, crop_height)"
        " SELECT gen_random_uuid(), :user, 'UV.png', '/share/Graphics/' || :user || n, true,"
        " 2, true, hash, hash, hash, hash, ('x' || hash)::bit(256), decode(repeat('00', 512),"
        " 'hex'), hash, hash, 1200, 547"
        " FROM (SELECT n, md5(random()::text || n) || md5(random()::text || -n) AS hash"
        " FROM generate_series(1, :count) n) AS made"
    )
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO users (id) VALUES (:user)"), {"user": tenant})
        connection.execute(query, {"user": tenant, "count": LIBRARY})


def _print(pairs: list[tuple[float, float, Result]], sizes: list[int]) -> None:
    ratios = [plain_ms / ours_ms for plain_ms, ours_ms, _ in pairs]
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print(f"2 files of {sizes[0] / 1e6:.1f} and {sizes[1] / 1e6:.1f} MB, {len(pairs)} pairs")
    print(f"{'':24}{'median':>10}{'least':>10}{'most':>10}")
    for name, values, unit in (
        ("plain workflow", [pair[0] for pair in pairs], "ms"),
        ("Platen, in process", [pair[1] for pair in pairs], "ms"),
        ("plain / Platen", ratios, "x"),
    ):
        least, middle, most = min(values), statistics.median(values), max(values)
        print(f"{name:24}{middle:>8.1f} {unit}{least:>8.1f} {unit}{most:>8.1f} {unit}")
    print("Platen's steps, ms a file (median):")
    outcomes = [outcome for *_, result in pairs for outcome in result.outcomes]
    for step in outcomes[0].timings_ms:
        print(f"  {step:12}{statistics.median(o.timings_ms.get(step, 0) for o in outcomes):8.1f}")


if __name__ == "__main__":
    run()
