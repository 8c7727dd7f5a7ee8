"""What a file costs in trips to the database: each takes as long as the network does."""

from __future__ import annotations

import pytest
from pg8000.core import CoreConnection

from shared.database import prepared
from shared.driver.transports import InProcess
from shared.driver.workflow import upload
from shared.messages import Result, UploadRequest
from shared.wiring import Parts
from tests.draw import encoded, wrap

NEW = 21
"""5 to check, 6 to look again, 9 under the tenant's lock, 1 to set the design active."""
DUPLICATE = 5


def take_in(parts: Parts, *files: bytes) -> Result:
    request = UploadRequest(template="UVDTF 16oz", user_id="seller", shop="Nook")
    sources = [parts.source(f"{place}.png", data) for place, data in enumerate(files)]
    return upload(sources, request, InProcess(parts), parts.settings, parts.executor, 1)


def test_a_file_takes_a_trip_for_each_question_and_no_more(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips = 0
    wait = CoreConnection.handle_messages

    def counted(self: CoreConnection, context: object) -> None:
        nonlocal trips
        trips += 1
        wait(self, context)

    first, second = encoded(wrap(1)), encoded(wrap(2))
    for data in (first, encoded(wrap(3)), first):
        take_in(parts, data)  # every statement is met, the shop and the folder are known
    monkeypatch.setattr(CoreConnection, "handle_messages", counted)
    monkeypatch.setattr(prepared, "_FRESH_SECONDS", 3600.0)

    assert take_in(parts, second).summary.created == 1
    assert trips == NEW
    trips = 0
    assert take_in(parts, second).summary.duplicates == 1
    assert trips == DUPLICATE
