"""What a soak's client writes into its books."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

import pytest

from benchmarks.soak.art import Studio
from benchmarks.soak.audit import told
from benchmarks.soak.clients import Client, Files
from shared.messages import Done, Outcome, Result, Summary, UploadRequest


class Server:
    """Files everything it is sent; what it is sent a second time, it breaks over."""

    def __init__(self) -> None:
        self.keys: set[str] = set()

    def send(
        self, message: UploadRequest, files: Files, on_outcome: Callable[[Outcome], None]
    ) -> Result:
        key = str(message.idempotency_key)
        if key in self.keys:
            raise RuntimeError
        self.keys.add(key)
        outcomes = [Outcome(file=name, outcome=Done.CREATED, reason="") for name, _ in files]
        for outcome in outcomes:
            on_outcome(outcome)
        summary = Summary(
            uploaded=len(files), duplicates=0, created=len(files), held=0, failed=0, elapsed_ms=1
        )
        return Result(designs=[], total=0, outcomes=outcomes, summary=summary, idempotency_key=key)


def test_a_request_that_is_answered_once_and_not_again_is_a_violation() -> None:
    client = Client("seller", Studio(1), Server().send, 1, Event())

    with pytest.raises(RuntimeError):
        client.run()

    *_, last = client.ledger
    assert list(told(client.ledger)) == [f"request {last.key} has no final answer: []"]
