"""Processes that are killed at every step of a batch; then a retry, or reconcile alone."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shared.flows.reconcile import reconcile
from shared.messages import Discrepancy, Done, Result, Trouble
from shared.settings import Settings
from shared.wiring import Parts
from tests.faults.faults_worker import LAST, TINY, take_in
from tests.nas.samba import PASSWORD, Samba, SambaAbsent, samba

ROOT = Path(__file__).parents[2]
HEALED = [
    (Done.CREATED, "UV_001.png"),
    (Done.DUPLICATE, "UV_001.png"),
    (Done.CREATED, "UV_002.png"),
]
REPAIRED = {Trouble.PENDING, Trouble.LEFTOVER}
SOME = 5
"""Every so many-th step is tried on an SMB server, where a process takes longer."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Samba]:
    try:
        with samba(tmp_path_factory.mktemp("share")) as running:
            yield running
    except SambaAbsent as absent:
        pytest.skip(str(absent))


@pytest.fixture(params=["folder", "smb"])
def settings(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> dict[str, Any]:
    """Where all processes of a test find the database and an empty NAS."""
    if request.param == "folder":
        return {"database_url": database_url, "nas_url": tmp_path.as_uri()}
    server: Samba = request.getfixturevalue("server")
    (server.folder / tmp_path.name).mkdir()
    url = f"{server.url}/{tmp_path.name}"
    return {"database_url": database_url, "nas_url": url, "nas_password": PASSWORD}


@pytest.fixture
def parts(settings: dict[str, Any]) -> Iterator[Parts]:
    made = Parts(Settings(_env_file=None, **settings))
    yield made
    made.close()


@pytest.fixture
def killed(settings: dict[str, Any]) -> dict[str, str]:
    """The step that each seller's process was killed before."""
    every = SOME if settings["nas_url"].startswith("smb:") else 1
    ended = subprocess.run(  # our own interpreter and program
        [sys.executable, "-m", "tests.faults.faults_worker"],
        input=json.dumps({"settings": settings, "every": every}),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    *points, whole = map(json.loads, ended.stdout.splitlines())
    assert outcomes(Result.model_validate(whole)) == HEALED
    steps = {point["seller"]: point["step"] for point in points}
    if every == 1:
        assert {"os.write", "os.link", "unit.commit", "nas.publish", LAST} <= set(steps.values())
    else:
        assert "smb.send" in steps.values()
    return steps


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


def test_the_same_request_again_ends_as_if_nothing_had_happened(
    parts: Parts, killed: dict[str, str]
) -> None:
    for seller, step in killed.items():
        again = take_in(parts, seller)

        assert outcomes(again) == HEALED, (seller, step)
        filed = rows(parts, seller)
        assert sorted(filed) == ["UV_001.png", "UV_002.png"], (seller, step)
        assert files(parts, seller) == filed, (seller, step)

    # What was being written is nobody's, and the sweep's.
    left = reconciled(parts, repair=True)
    assert {(each.trouble, each.repaired) for each in left} <= {(Trouble.LEFTOVER, True)}
    assert reconciled(parts, repair=False) == []


def test_without_a_retry_reconcile_leaves_whole_designs_alone(
    parts: Parts, killed: dict[str, str]
) -> None:
    told = reconciled(parts, repair=True)

    assert Trouble.PENDING in {each.trouble for each in told} <= REPAIRED
    assert all(each.repaired for each in told), told
    assert reconciled(parts, repair=False) == []
    assert list(parts.nas.list(".platen")) == []
    for seller, step in killed.items():
        filed = rows(parts, seller)
        assert files(parts, seller) == filed, (seller, step)
        if step == LAST:
            assert sorted(filed) == ["UV_001.png", "UV_002.png"]
