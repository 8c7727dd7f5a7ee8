"""The soak's audit tells what it is there to tell, and nothing of a library in order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from benchmarks.soak.audit import Stores, agreeing, kept, single, told
from benchmarks.soak.ledger import Request
from shared.database.engine import patient
from shared.database.tables import designs
from shared.driver.transports import InProcess
from shared.driver.workflow import upload
from shared.flows.rules import Judgement
from shared.identity import design_id, tenant
from shared.messages import Done, Event, UploadRequest
from shared.records import Template
from shared.wiring import Parts
from tests.draw import encoded, wrap

TINY = Template(name="Tiny UV", width_in=1, height_in=0.5, dpi=72)
SELLER = tenant("seller")
ART = [encoded(wrap(seed, 160, 80)) for seed in (1, 2)]
NAMES = ["new.png", "again.png", "other.png"]
FILES = dict(zip(NAMES, [ART[0], ART[0], ART[1]], strict=True))
FIRST = design_id(SELLER, "k1", 0)


def sent(parts: Parts, request: Request | None = None, **options: Any) -> Request:
    """A request as its client has it in the books; ``request``: it is sent once more."""
    request = request or Request(SELLER, "k1", NAMES)

    def on_event(event: Event) -> None:
        if event.outcome:
            request.told.append(event.outcome)

    message = UploadRequest(
        template=TINY.name,
        user_id="seller",
        shop="Nook",
        idempotency_key=request.key,
        **options,
    )
    sources = [parts.source(name, FILES[name]) for name in NAMES]
    result = upload(
        *(sources, message, InProcess(parts), parts.settings, parts.executor, 3), on_event=on_event
    )
    request.results.append(result)
    return request


@pytest.fixture
def request_(parts: Parts) -> Request:
    parts.designs.save_template(SELLER, TINY)
    return sent(parts)


def share(parts: Parts) -> Path:
    return parts.settings.home / "nas"


def print_file(parts: Parts) -> Path:
    return next(share(parts).rglob("UV_001.png"))


def found(parts: Parts, *requests: Request) -> list[str]:
    engine = patient(str(parts.settings.database_url))
    stores = Stores.read(engine, share(parts), parts.places)
    engine.dispose()
    rule = Judgement.of(UploadRequest(template=TINY.name), parts.settings).rule
    return [*told(requests), *kept(requests, stores), *agreeing(stores), *single(stores, rule)]


def changed(parts: Parts, statement: sa.Executable) -> None:
    engine = patient(str(parts.settings.database_url))
    with engine.begin() as connection:
        connection.execute(statement)
    engine.dispose()


class TestALibraryInOrder:
    def test_is_told_nothing_of(self, parts: Parts, request_: Request) -> None:
        assert [each.outcome for each in request_.told] == ["created", "duplicate", "created"]
        assert found(parts, request_) == []

    def test_stays_so_when_a_request_is_sent_again(self, parts: Parts, request_: Request) -> None:
        assert found(parts, sent(parts, request_)) == []


def remove_file(parts: Parts) -> None:
    print_file(parts).unlink()


def change_file(parts: Parts) -> None:
    data = bytearray(print_file(parts).read_bytes())
    data[-1] ^= 1
    print_file(parts).write_bytes(data)


def add_file(parts: Parts) -> None:
    print_file(parts).with_name("UV_009.png").write_bytes(b"art")


def stage_file(parts: Parts) -> None:
    (share(parts) / ".platen" / "left.part").write_bytes(b"art")


def remove_row(parts: Parts) -> None:
    changed(parts, sa.delete(designs).where(designs.c.id == FIRST))


def set_pending(parts: Parts) -> None:
    row = sa.update(designs).where(designs.c.id == FIRST)
    changed(parts, row.values(state="pending", is_active=False))


class TestADesign:
    @pytest.mark.parametrize(
        ("harm", "words"),
        [
            (remove_file, ["filed as", "duplicate of", "no file of its bytes"]),
            (change_file, ["filed as", "duplicate of", "no file of its bytes"]),
            (remove_row, ["filed as", "duplicate of", "another print file", "has no row"]),
            (set_pending, ["filed as", "duplicate of", "is pending", "has no row"]),
            (add_file, ["UV_009.png has no row"]),
            (stage_file, ["left.part is left over"]),
        ],
    )
    def test_that_is_not_as_was_told_is_a_violation(
        self, parts: Parts, request_: Request, harm: Callable[[Parts], None], words: list[str]
    ) -> None:
        harm(parts)

        violations = found(parts, request_)

        assert len(violations) == len(words)
        assert all(word in text for word, text in zip(words, violations, strict=True)), violations

    def test_that_is_filed_twice_is_a_violation(self, parts: Parts, request_: Request) -> None:
        again = sent(parts, Request(SELLER, "k2", NAMES), allow_duplicate=[0])

        (violation,) = found(parts, request_, again)

        assert violation == (
            f"design {design_id(SELLER, 'k2', 0)} is a duplicate of {FIRST} by upload_sha256"
        )


class TestAnAnswer:
    def test_that_never_came_is_a_violation(self) -> None:
        request = Request(SELLER, "k1", NAMES, retries=["connection lost"])

        assert list(told([request])) == ["request k1 has no final answer: ['connection lost']"]

    def test_that_forbids_to_ask_again_is_a_violation(self) -> None:
        request = Request(SELLER, "k1", NAMES, refused="request_invalid")

        assert list(told([request])) == ["request k1 was refused: request_invalid"]

    def test_with_fewer_outcomes_than_files_is_a_violation(self, request_: Request) -> None:
        result = request_.results[0]
        request_.results[0] = result.model_copy(update={"outcomes": result.outcomes[:2]})

        assert list(told([request_])) == ["request k1 got other outcomes than files"]

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"outcome": Done.FAILED, "code": "internal_error"}, "failed: internal_error"),
            ({"outcome": Done.DUPLICATE}, "a duplicate of its own"),
            ({"file_path": "/elsewhere.png"}, "and as /elsewhere.png"),
        ],
    )
    def test_that_is_another_one_the_second_time_is_a_violation(
        self, request_: Request, change: dict[str, Any], words: str
    ) -> None:
        request_.told.append(request_.told[0].model_copy(update=change))

        (violation,) = told([request_])

        assert violation.startswith("new.png of request k1")
        assert words in violation
