"""With review=hold, what is similar waits for a person, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driver_verdicts import (
    ART,
    COPY,
    FOLDER,
    GREY,
    MARKED,
    OTHER,
    RED,
    as_told,
    only,
    save_template,
    staged_files,
    take,
    with_settings,
)
from test_driver_evidence import pending
from test_driver_workflow import FailingNas, on_nas, outcomes, rows

from shared.driver.transports import InProcess
from shared.driver.workflow import upload
from shared.flows.source import Source
from shared.messages import ProcessRequest, ProcessResponse, Result, UploadRequest
from shared.records import State, Tier
from shared.wiring import Parts


@pytest.fixture(autouse=True)
def tiny(parts: Parts) -> None:
    save_template(parts)


def by_request(parts: Parts) -> Callable[..., Result]:
    return lambda *files, **request: take(parts, *files, **{"review": "hold"} | request)


def by_setting(parts: Parts) -> Callable[..., Result]:
    return lambda *files, **request: take(
        with_settings(parts, duplicate_review="hold"), *files, **request
    )


@pytest.mark.parametrize("holding", [by_request, by_setting])
class TestHold:
    def test_holds_what_is_similar_and_writes_nothing(
        self, parts: Parts, holding: Callable[[Parts], Callable[..., Result]]
    ) -> None:
        (known,) = take(parts, ART).designs
        before = (rows(parts), on_nas(parts, FOLDER))

        result = holding(parts)(MARKED)

        outcome = only(result)
        assert (outcome.outcome, outcome.code, outcome.verdict) == ("held", "similar", "similar")
        assert outcome.match.design_id == known.id
        assert outcome.reason == "Held: it is similar to UV_001.png. Allow it if both are wanted."
        assert (outcome.design_id, outcome.file_path, result.designs) == (None, None, [])
        assert (result.summary.held, result.summary.created) == (1, 0)
        assert (rows(parts), on_nas(parts, FOLDER)) == before
        assert staged_files(parts) == []

    def test_leaves_duplicates_and_variants_what_they_are(
        self, parts: Parts, holding: Callable[[Parts], Callable[..., Result]]
    ) -> None:
        take(parts, ART)

        assert outcomes(holding(parts)(COPY, GREY, OTHER)) == ["duplicate", "created", "created"]

    def test_holds_the_second_of_two_only_if_the_first_was_filed(
        self, parts: Parts, holding: Callable[[Parts], Callable[..., Result]]
    ) -> None:
        lost = holding(FailingNas(parts, failures=1))(ART, MARKED)
        assert outcomes(lost) == ["failed", "created"]
        assert lost.outcomes[1].verdict == "unique"
        assert len(rows(parts)) == 1

        both = holding(parts)(RED, MARKED, ART, user_id="other", shop="Own")
        assert outcomes(both) == ["created", "created", "held"]
        assert both.outcomes[2].match.design_id == both.designs[1].id
        assert both.outcomes[2].match.tier is Tier.BATCH
        assert both.outcomes[2].match.file_path == both.designs[1].file_path

    def test_files_what_is_allowed(
        self, parts: Parts, holding: Callable[[Parts], Callable[..., Result]]
    ) -> None:
        take(parts, ART)

        outcome = only(holding(parts)(MARKED, allow_duplicate=True))

        assert (outcome.outcome, outcome.verdict) == ("created", "similar")


class TestHoldAgainst:
    def test_a_pending_design_finishes_that_and_holds(self, parts: Parts) -> None:
        pending(parts, ART, "k1")

        outcome = only(take(parts, MARKED, review="hold"))

        assert (outcome.outcome, outcome.code) == ("held", "similar")
        assert outcome.match.state is State.ACTIVE
        assert [row.state for row in rows(parts)] == ["active"]
        assert staged_files(parts) == []

    def test_a_design_that_got_in_meanwhile(
        self, parts: Parts, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Overtaken(InProcess):
            def process(self, source: Source, request: ProcessRequest) -> ProcessResponse:
                take(parts, ART)
                return super().process(source, request)

        request = UploadRequest(template="Tiny UV", user_id="seller", shop="Nook", review="hold")
        with caplog.at_level("INFO", "platen.driver"):
            result = upload(
                [parts.source(*MARKED)],
                request,
                Overtaken(parts),
                parts.settings,
                parts.executor,
                2,
            )

        assert (only(result).outcome, only(result).code) == ("held", "similar")
        assert "👀 File marked.png is similar to UV_001.png, which got in first" in caplog.messages
        assert [row.state for row in rows(parts)] == ["active"]
        assert staged_files(parts) == []

    def test_a_design_of_a_check_is_told_the_same(self, parts: Parts) -> None:
        take(parts, ART)

        asked = take(parts, MARKED, review="hold", check_only=True)

        assert as_told(asked) == as_told(take(parts, MARKED, review="hold"))

    def test_the_same_request_again_holds_the_same(self, parts: Parts) -> None:
        request = {"review": "hold", "idempotency_key": "k1"}
        first = take(parts, ART, MARKED, OTHER, **request)

        again = take(parts, ART, MARKED, OTHER, **request)

        assert outcomes(first) == ["created", "held", "created"]
        assert as_told(again) == as_told(first)
        assert len(rows(parts)) == 2

    def test_what_was_filed_before_is_told_as_it_was(self, parts: Parts) -> None:
        take(parts, ART)
        first = take(parts, MARKED, idempotency_key="k1")

        again = take(parts, MARKED, idempotency_key="k1", review="hold")

        assert as_told(again) == as_told(first)

    def test_what_was_held_is_filed_when_it_is_allowed_under_the_same_key(
        self, parts: Parts
    ) -> None:
        take(parts, ART)
        take(parts, MARKED, review="hold", idempotency_key="k1")

        wanted = take(parts, MARKED, review="hold", idempotency_key="k1", allow_duplicate=[0])

        assert (only(wanted).outcome, only(wanted).filename) == ("created", "UV_002.png")
