"""The HTTP edge: errors to statuses, answers that tell nothing of the inside."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from uuid import UUID

import flask
import pytest

from shared import errors
from shared.endpoint import STATUS, Reply, status_of
from shared.errors import (
    DatabaseNotReady,
    DuplicateDesign,
    NasFull,
    NasUnavailable,
    PlatenError,
    ShopTaken,
    StepFailed,
)
from shared.messages import Done, Event, Outcome
from shared.multipart import Upload
from shared.records import Match, State, Tier
from shared.settings import SettingsInvalid
from tests.edge.edge_echo import asked, endpoint

MATCH = Match(
    design_id=UUID(int=1),
    filename="UV_001.png",
    file_path="/share/Graphics/a/UV_001.png",
    state=State.ACTIVE,
    tier=Tier.EXACT,
    test="upload_sha256",
    distances=None,
)
VALID = {"template": "T", "files": [{"filename": "a.png", "content": "AAAA"}]}


def family(parent: type[PlatenError] = PlatenError) -> Iterator[type[PlatenError]]:
    for child in parent.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from family(child)


def failing(error: Exception) -> flask.Response:
    def handle(_request: object, _uploads: list[Upload]) -> Reply:
        raise error

    return asked(endpoint(handle), json=VALID)


class TestAnErrorsStatus:
    @pytest.mark.parametrize("error", [*family()], ids=lambda error: error.__name__)
    def test_is_known_for_the_whole_family(self, error: type[PlatenError]) -> None:
        assert 400 <= status_of(error.__new__(error)) <= 599

    @pytest.mark.parametrize("error", [*family()], ids=lambda error: error.__name__)
    def test_is_503_or_507_where_sending_again_helps(self, error: type[PlatenError]) -> None:
        """A server's fault that passes by itself is told from one that somebody must mend."""
        status = status_of(error.__new__(error))
        if status in (503, 507):
            assert error in (errors.NasError, errors.DatabaseError) or error.retryable
        if status == 502:
            assert not error.retryable

    def test_follows_the_nearest_parent(self) -> None:
        assert status_of(errors.NasLogin()) == STATUS[errors.NasRefused] == 502
        assert status_of(errors.StagedFileMissing()) == STATUS[errors.Conflict] == 409

    def test_of_a_step_is_its_own(self) -> None:
        assert status_of(StepFailed("x", "y", True)) == 502


class TestAFailure:
    def test_has_code_sentence_advice_and_request_id(self) -> None:
        answer = failing(ShopTaken(shop="Nook"))

        assert answer.status_code == 403
        assert answer.json == {
            "code": "shop_taken",
            "message": "The shop 'Nook' belongs to another user.",
            "retryable": False,
            "request_id": answer.headers["X-Request-Id"],
        }
        assert answer.headers["Connection"] == "close"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"

    def test_of_a_duplicate_carries_the_match(self) -> None:
        answer = failing(DuplicateDesign(MATCH, MATCH.filename))

        assert (answer.status_code, answer.json["code"]) == (409, "duplicate")
        assert Match.model_validate(answer.json["match"]) == MATCH

    def test_says_when_to_try_again(self) -> None:
        assert failing(NasUnavailable()).headers["Retry-After"] == "2"
        assert "Retry-After" not in failing(NasFull()).headers

    def test_that_a_server_is_to_blame_for_is_logged_with_its_cause(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        error = NasUnavailable()
        error.__cause__ = OSError("10.0.0.7 refused")

        answer = failing(error)

        assert "10.0.0.7" not in answer.get_data(as_text=True)
        assert "10.0.0.7" in caplog.text
        assert answer.json["request_id"] in caplog.text

    def test_that_the_client_is_to_blame_for_is_not_logged(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        failing(ShopTaken(shop="Nook"))

        assert caplog.records == []

    @pytest.mark.parametrize(
        "error",
        [
            RuntimeError("/home/shop/secret.py: SELECT password FROM users AT db.internal"),
            OSError(28, "No space left on device", "/srv/secret"),
            RecursionError("secret"),
            SettingsInvalid("NAS_PASSWORD_FILE: secret"),
            UnicodeEncodeError("utf-8", "secret", 0, 1, "surrogates"),
            KeyError("secret"),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_that_nobody_foresaw_says_nothing_of_the_inside(
        self, error: Exception, caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = failing(error)

        assert answer.status_code == 500
        assert answer.json.pop("request_id") == answer.headers["X-Request-Id"]
        assert answer.json["code"] == "internal_error"
        assert answer.json["message"] == errors.InternalError().message
        everything = answer.get_data(as_text=True) + str(answer.headers)
        for secret in ("secret", "SELECT", "internal.", "/srv", type(error).__name__):
            assert secret not in everything
        (record,) = caplog.records
        assert record.levelno == logging.ERROR
        assert record.exc_info is not None
        assert record.exc_info[1] is error


class TestAStreamedResult:
    def test_is_whole_to_whoever_reads_it(self) -> None:
        """Fields that hold nothing inside a part are told: readers ask for them."""
        outcome = Outcome(file="a.png", outcome=Done.DUPLICATE, reason="known", match=MATCH)
        event = Event(event="outcome", outcome=outcome)

        answer = asked(endpoint(lambda *_: Reply(iter([event]))), json=VALID)

        assert Event.model_validate_json(answer.get_data()) == event
        assert answer.get_data(as_text=True).startswith('{"event":"outcome","outcome":{"file"')


class TestReadiness:
    def test_tells_why_not(self) -> None:
        def ready() -> None:
            raise DatabaseNotReady(reason="it is not migrated")

        answer = asked(endpoint(ready=ready), "/readyz", method="GET")

        assert (answer.status_code, answer.json["code"]) == (503, "database_not_ready")

    def test_that_breaks_tells_nothing(self) -> None:
        def ready() -> None:
            raise RuntimeError("secret")

        answer = asked(endpoint(ready=ready), "/readyz", method="GET")

        assert (answer.status_code, answer.json["code"]) == (500, "internal_error")
        assert "secret" not in answer.get_data(as_text=True)


class TestARequestId:
    @pytest.mark.parametrize("given", ["abc", "6F0C1c5e-0d0b-4d8e-9b57-2f2d8f4b7a11", "a_b.c"])
    def test_of_the_clients_own_is_kept_where_it_is_a_plain_word(self, given: str) -> None:
        answer = asked(endpoint(), "/healthz", method="GET", headers={"X-Request-Id": given})

        assert answer.headers["X-Request-Id"] == given

    @pytest.mark.parametrize("given", ["", "a b", "a" * 65, "<b>", "a\tb", "naïve", "a;b=1"])
    def test_is_a_fresh_one_otherwise(self, given: str) -> None:
        answers = [
            asked(endpoint(), "/healthz", method="GET", headers={"X-Request-Id": given})
            for _ in range(2)
        ]

        ids = {answer.headers["X-Request-Id"] for answer in answers}
        assert len(ids) == 2
        assert given not in ids


class TestAnAnswer:
    def test_is_streamed_so_that_the_framework_leaves_the_body_alone(self) -> None:
        """functions-framework reads the whole request before it sends any other answer."""
        for answer in (
            asked(endpoint(), "/healthz", method="GET"),
            asked(endpoint(), "/nope"),
            asked(endpoint(), json=VALID),
            asked(endpoint(), json=VALID | {"x": 1}),
        ):
            assert answer.is_streamed
            assert answer.content_length == len(answer.get_data())

    def test_names_what_came_in(self) -> None:
        answer = asked(endpoint(), json=VALID)

        assert answer.status_code == 200
        assert answer.json["files"] == [["a.png", 3]]

    @pytest.mark.parametrize(
        ("accept", "mimetype"),
        [
            (None, "application/x-ndjson"),
            ("*/*", "application/x-ndjson"),
            ("application/json", "application/x-ndjson"),
            ("text/event-stream", "text/event-stream"),
            ("text/event-stream, */*;q=0.1", "text/event-stream"),
            ("text/html;q=x,;;,", "application/x-ndjson"),
        ],
    )
    def test_of_events_has_the_form_asked_for(self, accept: str | None, mimetype: str) -> None:
        def events(_request: object, _uploads: list[Upload]) -> Reply:
            return Reply(iter([Event(event="progress", step=0, message="line\nbreak")]))

        answer = asked(endpoint(events), json=VALID, headers={"Accept": accept} if accept else {})

        assert answer.mimetype == mimetype
        line = '{"event":"progress","step":0,"message":"line\\nbreak"}'
        expected = f"data: {line}\n\n" if mimetype == "text/event-stream" else f"{line}\n"
        assert answer.get_data(as_text=True) == expected
