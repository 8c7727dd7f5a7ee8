"""Fifty uploads at the same moment, on a real PostgreSQL: one row and one file a design."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
import sqlalchemy as sa

from shared.driver.serial import SerialExecutor
from shared.driver.transports import InProcess
from shared.driver.workflow import upload
from shared.identity import tenant
from shared.messages import Done, Outcome, UploadRequest
from shared.nas.names import STAGING
from shared.settings import Settings
from shared.wiring import Parts
from tests.draw import encoded, wrap
from tests.faults.faults_worker import TINY

RACERS = 50


@pytest.fixture
def parts(database_url: str, tmp_path: Path) -> Iterator[Parts]:
    # Time enough for all of them on a busy machine: what is tried is not how long they wait.
    made = Parts(
        Settings(
            _env_file=None,
            database_url=database_url,
            platen_home=tmp_path,
            database_pool=10,
            database_timeout_s=300,
        )
    )
    made.designs.save_template(tenant("seller"), TINY)
    yield made
    made.close()


def race(parts: Parts, uploads: list[bytes], *, key: str | None = None) -> list[Outcome]:
    """Each upload's outcome; all start together."""
    barrier = Barrier(len(uploads))

    def take_in(upload_: bytes) -> Outcome:
        asked = UploadRequest(
            template=TINY.name, user_id="seller", shop="Nook", idempotency_key=key
        )
        source = parts.source("art", upload_)
        barrier.wait()
        (outcome,) = upload(
            [source], asked, InProcess(parts), parts.settings, SerialExecutor(), 1
        ).outcomes
        return outcome

    with ThreadPoolExecutor(len(uploads)) as threads:
        return list(threads.map(take_in, uploads))


def filed(parts: Parts) -> dict[str, str]:
    """The names of the active designs; fails unless each has one file, with the row's sha256."""
    engine = sa.create_engine(parts.settings.database_url or "")
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT * FROM design_images")).all()
    engine.dispose()
    assert {row.state for row in rows} == {"active"}
    named = {row.filename: row.file_sha256 for row in rows}
    assert len(named) == len(rows)
    files = {
        entry.path.rpartition("/")[2]: hashlib.sha256(parts.nas.read(entry.path) or b"").hexdigest()
        for entry in parts.nas.list(f"NookTransfers/Nook/{TINY.name}")
    }
    assert files == named
    assert list(parts.nas.list(STAGING)) == []
    return named


ONE = wrap(1, 400, 182)


@pytest.mark.parametrize(
    "uploads",
    [
        pytest.param([encoded(ONE)] * RACERS, id="the-same-file"),
        pytest.param(
            [encoded(ONE, "JPEG", quality=46 + place) for place in range(RACERS)],
            id="jpegs-of-fifty-qualities",
        ),
    ],
)
def test_one_picture_is_filed_once(parts: Parts, uploads: list[bytes]) -> None:
    told = race(parts, uploads)

    assert Counter(each.outcome for each in told) == {Done.CREATED: 1, Done.DUPLICATE: RACERS - 1}
    (created,) = (each for each in told if each.outcome is Done.CREATED)
    matched = {each.match.design_id for each in told if each.match is not None}
    assert matched == {created.design_id}
    assert len(filed(parts)) == 1


def test_one_request_sent_fifty_times_has_one_answer(parts: Parts) -> None:
    told = race(parts, [encoded(ONE)] * RACERS, key="k1")

    assert {(each.outcome, each.filename) for each in told} == {(Done.CREATED, "UV_001.png")}
    assert len({(each.design_id, each.file_path) for each in told}) == 1
    assert len(filed(parts)) == 1


def test_fifty_designs_have_fifty_names(parts: Parts) -> None:
    told = race(parts, [encoded(wrap(seed, 400, 182)) for seed in range(RACERS)])

    assert {each.outcome for each in told} == {Done.CREATED}
    names = {f"UV_{number:03d}.png" for number in range(1, RACERS + 1)}
    assert {each.filename for each in told} == names == set(filed(parts))
