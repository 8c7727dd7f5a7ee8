"""What a seller has after a fault: rows and files that must agree. And a stopped process."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from shared.flows.reconcile import reconcile
from shared.messages import Discrepancy, Done, Result
from shared.wiring import Parts
from tests.faults.faults_worker import TINY

ROOT = Path(__file__).parents[2]

EVERY_POINT = os.environ.get("FAULTS_EVERY_POINT") == "1"
"""All points take minutes; else a fixed choice of them is tried."""

HEALED = [
    (Done.CREATED, "UV_001.png"),
    (Done.DUPLICATE, "UV_001.png"),
    (Done.CREATED, "UV_002.png"),
]
"""Outcomes of `tests.faults.faults_worker.take_in`, where nothing happens."""


def outcomes(result: Result) -> list[tuple[Done, str | None]]:
    """What became of each file, and the name of the design that is it or stands for it."""
    return [
        (told.outcome, told.filename or (told.match and told.match.filename))
        for told in result.outcomes
    ]


def rows(parts: Parts, seller: str) -> dict[str, str]:
    """The sha256 that each active design's row names, by file name; fails for other rows."""
    engine = sa.create_engine(parts.settings.database_url or "")
    query = sa.text("SELECT * FROM design_images WHERE file_path LIKE :folder")
    with engine.connect() as connection:
        found = connection.execute(query, {"folder": f"%/{seller}/%"}).all()
    engine.dispose()
    assert all(row.state == "active" and row.is_active for row in found), found
    named = {row.filename: row.file_sha256 for row in found}
    assert len(named) == len(found)
    return named


def files(parts: Parts, seller: str) -> dict[str, str]:
    """The sha256 of each file in the seller's folder."""
    return {
        entry.path.rpartition("/")[2]: hashlib.sha256(parts.nas.read(entry.path) or b"").hexdigest()
        for entry in parts.nas.list(f"NookTransfers/{seller}/{TINY.name}")
    }


def reconciled(parts: Parts, *, repair: bool) -> list[Discrepancy]:
    every_age = -60.0
    return list(
        reconcile(parts.designs, parts.nas, parts.places, every_age, repair=repair, verify=True)
    )


@contextmanager
def stopped(settings: dict[str, Any], step: str) -> Iterator[subprocess.Popen[str]]:
    """A process that takes the seller's files in, stopped before a step; its output is a Result."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.faults_worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        try:
            assert process.stdin
            process.stdin.write(
                json.dumps({"settings": settings, "stop": step, "seller": "seller"})
            )
            process.stdin.close()
            _, status = os.waitpid(process.pid, os.WUNTRACED)
            assert os.WIFSTOPPED(status), "it ended without coming to the step"
            yield process
        finally:
            process.kill()
