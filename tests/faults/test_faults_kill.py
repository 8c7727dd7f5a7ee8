"""Processes that are killed at every step of a batch; then a retry, or reconcile alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.messages import Result, Trouble
from shared.settings import Settings
from shared.wiring import Parts
from tests.faults.faults_checks import EVERY_POINT, HEALED, files, outcomes, reconciled, rows
from tests.faults.faults_worker import LAST, take_in
from tests.nas.samba import PASSWORD, Samba, SambaAbsent, samba

ROOT = Path(__file__).parents[2]
REPAIRED = {Trouble.PENDING, Trouble.LEFTOVER}
EVERY = {"file": 1, "smb": 1 if EVERY_POINT else 7}
"""Each so many-th step is tried, by the kind of NAS: a folder has 47, a Samba server more."""


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
    kind = settings["nas_url"].partition(":")[0]
    ended = subprocess.run(  # our own interpreter and program
        [sys.executable, "-m", "tests.faults.faults_worker"],
        input=json.dumps({"settings": settings, "every": EVERY[kind]}),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    *points, whole = map(json.loads, ended.stdout.splitlines())
    assert outcomes(Result.model_validate(whole)) == HEALED
    steps = {point["seller"]: point["step"] for point in points}
    if EVERY[kind] == 1:
        assert {"unit.commit", "nas.publish", LAST} <= set(steps.values())
    assert {"smb": "smb.send", "file": "os.write"}[kind] in steps.values()
    return steps


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
