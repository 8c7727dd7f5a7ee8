"""What is told of a batch's files comes file after file, whatever happens in which order."""

from __future__ import annotations

import random
from functools import partial

import pytest

from shared.driver.transports import InProcess
from shared.driver.turns import Turns
from shared.driver.workflow import upload
from shared.messages import UploadRequest
from shared.wiring import Parts
from tests.draw import encoded, wrap


def test_lines_come_in_the_files_order_and_none_is_lost() -> None:
    events = [(at, line) for at in range(5) for line in range(3)]
    for seed in range(50):
        told: list[tuple[int, int]] = []
        turns, next_line = Turns(), [0] * 5
        files = [at for at, _ in events]
        random.Random(seed).shuffle(files)  # noqa: S311 - no secret
        for at in files:
            turns.tell(at, partial(told.append, (at, next_line[at])))
            next_line[at] += 1
            if next_line[at] == 3:
                turns.end(at)

        assert told == events


def test_what_has_its_turn_is_told_at_once() -> None:
    told: list[str] = []
    turns = Turns()
    turns.tell(1, partial(told.append, "later"))
    turns.tell(0, partial(told.append, "now"))
    assert told == ["now"]
    turns.end(0)
    assert told == ["now", "later"]


@pytest.mark.parametrize("count", [2, 6])
def test_a_batchs_log_has_each_files_lines_together(
    parts: Parts, caplog: pytest.LogCaptureFixture, count: int
) -> None:
    names = [f"{seed}.png" for seed in range(count)]
    sources = [parts.source(name, encoded(wrap(seed))) for seed, name in enumerate(names)]
    with caplog.at_level("INFO", "platen"):
        request = UploadRequest(template="UVDTF 16oz")
        upload(sources, request, InProcess(parts), parts.settings, parts.executor, 3)

    told = (getattr(record, "fields", {}) for record in caplog.records)
    files = [fields["file"] for fields in told if "file" in fields]
    turns = [file for file, before in zip(files, [None, *files], strict=False) if file != before]
    assert turns == names
