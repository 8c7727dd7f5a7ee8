"""A process that stands still inside its tenant's lock: nobody hangs, and others go on."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from shared.identity import tenant
from shared.messages import Done, Result, Trouble
from shared.settings import Settings
from shared.wiring import Parts
from tests.faults.faults_checks import HEALED, files, outcomes, reconciled, rows, stopped
from tests.faults.faults_worker import TINY, take_in

STEP = "unit.insert"
HANGS_S = 200
"""Where nothing bounds the wait, it is as long as the process stands still."""


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> dict[str, Any]:
    return {"database_url": database_url, "nas_url": tmp_path.as_uri()}


@pytest.fixture
def parts(settings: dict[str, Any]) -> Iterator[Parts]:
    made = Parts(Settings(_env_file=None, **settings))
    for seller in ("seller", "other"):
        made.designs.save_template(tenant(seller), TINY)
    yield made
    made.close()


def assert_healed(parts: Parts, *sellers: str) -> None:
    for seller in sellers:
        filed = rows(parts, seller)
        assert sorted(filed) == ["UV_001.png", "UV_002.png"]
        assert files(parts, seller) == filed
    # A file that was a duplicate in the end may have been staged when the first of its kind failed.
    assert {each.trouble for each in reconciled(parts, repair=True)} <= {Trouble.LEFTOVER}
    assert reconciled(parts, repair=False) == []


@pytest.mark.parametrize("end", [signal.SIGCONT, signal.SIGKILL])
def test_others_of_the_tenant_are_told_to_try_again_and_other_tenants_go_on(
    settings: dict[str, Any], parts: Parts, end: signal.Signals
) -> None:
    with (
        stopped(settings | {"database_timeout_s": 10 * HANGS_S}, STEP) as slow,
        ThreadPoolExecutor(2) as threads,
    ):
        same, other = (threads.submit(take_in, parts, seller) for seller in ("seller", "other"))
        assert outcomes(other.result(HANGS_S)) == HEALED
        told = same.result(HANGS_S).outcomes
        slow.send_signal(end)
        assert slow.stdout
        its_own = slow.stdout.read()

    assert {(each.outcome, each.code, each.retryable) for each in told} == {
        (Done.FAILED, "database_unavailable", True)
    }
    if end is signal.SIGCONT:
        assert outcomes(Result.model_validate_json(its_own)) == HEALED
    assert outcomes(take_in(parts, "seller")) == HEALED
    assert_healed(parts, "seller", "other")


def test_a_lock_is_lost_by_who_stands_still_for_longer_than_a_timeout(
    settings: dict[str, Any], parts: Parts
) -> None:
    patient = Parts(Settings(_env_file=None, **settings, database_timeout_s=HANGS_S))
    with stopped(settings | {"database_timeout_s": 10}, STEP) as slow:
        outran = take_in(patient, "seller")
        slow.send_signal(signal.SIGCONT)
        assert slow.stdout
        told = Result.model_validate_json(slow.stdout.read())
    patient.close()

    assert outcomes(outran) == HEALED
    for each in told.outcomes:
        assert each.outcome is not Done.FAILED or each.retryable
    assert outcomes(take_in(parts, "seller")) == HEALED
    assert_healed(parts, "seller")
