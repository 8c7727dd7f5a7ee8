"""A process that is stopped in mid-work, outrun by another with the same key, and let go on."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from shared.identity import tenant
from shared.messages import Result
from shared.nas.names import STAGING
from shared.settings import Settings
from shared.wiring import Parts
from tests.faults.faults_checks import stopped
from tests.faults.faults_worker import TINY, take_in


@pytest.mark.parametrize(
    "step",
    [
        pytest.param("designs.unit", id="staged-and-without-a-row"),
        pytest.param("nas.publish", id="recorded-and-without-its-name"),
        pytest.param("designs.activate", id="named-and-pending"),
    ],
)
def test_who_was_outrun_reports_the_same_and_files_nothing_more(
    database_url: str, tmp_path: Path, step: str
) -> None:
    own = {"database_url": database_url, "nas_url": tmp_path.as_uri()}
    parts = Parts(Settings(_env_file=None, **own))
    parts.designs.save_template(tenant("seller"), TINY)
    with stopped(own, step) as slow:
        outran = take_in(parts, "seller")

        slow.send_signal(signal.SIGCONT)
        assert slow.stdout
        told = Result.model_validate_json(slow.stdout.read())

    assert [each.outcome for each in outran.outcomes] == ["created", "duplicate", "created"]
    assert [each.outcome for each in told.outcomes] == ["created", "duplicate", "created"]
    assert [(each.id, each.file_path) for each in told.designs] == [
        (each.id, each.file_path) for each in outran.designs
    ]
    files = list(parts.nas.list(f"NookTransfers/seller/{TINY.name}"))
    assert len(files) == len(list(parts.designs.filings(0, after=None, limit=10))) == 2
    assert list(parts.nas.list(STAGING)) == []
    parts.close()
