"""What the seller wants beside another design is filed, and that is remembered."""

from __future__ import annotations

from typing import Any

import pytest
from driver_verdicts import (
    ART,
    BLUE,
    COPY,
    HALF,
    MARKED,
    MARKED_AGAIN,
    RED,
    as_told,
    only,
    remove,
    said,
    save_template,
    take,
)
from test_driver_workflow import outcomes, rows

from shared.messages import UploadRequest
from shared.records import Tier, Verdict
from shared.wiring import Parts
from tests.draw import encoded, marked, wrap


@pytest.fixture(autouse=True)
def tiny(parts: Parts) -> None:
    save_template(parts)


class TestAllowedByPosition:
    def test_files_these_alone(self, parts: Parts) -> None:
        take(parts, ART)

        result = take(parts, COPY, HALF, ART, allow_duplicate=[1])

        assert outcomes(result) == ["duplicate", "created", "duplicate"]
        assert result.outcomes[1].verdict == "duplicate"
        assert "the shop has it as UV_001.png too, as allowed" in result.outcomes[1].reason

    @pytest.mark.parametrize("allowed", [[], [1], [7, 10**12]])
    def test_leaves_out_positions_that_no_file_is_at(
        self, parts: Parts, allowed: list[int]
    ) -> None:
        take(parts, ART)

        assert outcomes(take(parts, COPY, allow_duplicate=allowed)) == ["duplicate"]

    def test_refuses_what_is_no_position(self) -> None:
        with pytest.raises(ValueError, match="allow_duplicate"):
            UploadRequest(template="Tiny UV", allow_duplicate=[-1])

    def test_counts_within_the_batch_too(self, parts: Parts) -> None:
        result = take(parts, ART, COPY, HALF, allow_duplicate=[2])

        assert outcomes(result) == ["created", "duplicate", "created"]
        assert said(result.outcomes[2])[1] is Tier.BATCH


class TestADecision:
    """ART is filed, MARKED beside it though similar ones are held: both are wanted."""

    @pytest.fixture
    def both(self, parts: Parts) -> tuple[Any, Any]:
        (first,) = take(parts, ART).designs
        (second,) = take(parts, MARKED, review="hold", allow_duplicate=True).designs
        return first, second

    def test_is_not_asked_for_again(self, parts: Parts, both: tuple[Any, Any]) -> None:
        remove(parts, both[1].id)

        outcome = only(take(parts, MARKED_AGAIN, review="hold"))

        assert (outcome.outcome, outcome.verdict, outcome.match) == ("created", "unique", None)

    def test_counts_from_the_other_side(self, parts: Parts, both: tuple[Any, Any]) -> None:
        remove(parts, both[0].id)

        outcome = only(take(parts, ART, review="hold"))

        assert (outcome.outcome, outcome.verdict) == ("created", "unique")

    def test_goes_on_with_a_design_that_was_let_in_by_it(
        self, parts: Parts, both: tuple[Any, Any]
    ) -> None:
        remove(parts, both[1].id)
        take(parts, MARKED_AGAIN, review="hold")
        remove(parts, both[0].id)

        assert outcomes(take(parts, ART, review="hold")) == ["created"]

    def test_is_the_pictures_and_of_no_copy_that_differs(
        self, parts: Parts, both: tuple[Any, Any]
    ) -> None:
        remove(parts, both[1].id)
        other_picture = ("m.png", encoded(marked(wrap(1, 320, 146), left=40, top=100)))

        assert outcomes(take(parts, other_picture, review="hold")) == ["held"]

    def test_hides_no_other_design(self, parts: Parts, both: tuple[Any, Any]) -> None:
        outcome = only(take(parts, MARKED_AGAIN))

        assert (outcome.outcome, outcome.match.design_id) == ("duplicate", both[1].id)
        assert said(outcome) == (Verdict.DUPLICATE, Tier.EXACT, "content_sha256")

    def test_is_one_tenants(self, parts: Parts, both: tuple[Any, Any]) -> None:  # noqa: ARG002
        own = {"user_id": "other", "shop": "Own", "review": "hold"}
        take(parts, ART, **own)

        assert outcomes(take(parts, MARKED, **own)) == ["held"]

    def test_is_none_where_nothing_was_near(self, parts: Parts) -> None:
        take(parts, ART, allow_duplicate=True)
        (second,) = take(parts, MARKED).designs
        remove(parts, second.id)

        assert outcomes(take(parts, MARKED_AGAIN, review="hold")) == ["held"]

    def test_changes_no_answer_to_a_request_sent_again(self, parts: Parts) -> None:
        take(parts, ART)
        first = take(parts, MARKED, RED, BLUE, idempotency_key="k1")
        (later,) = take(parts, MARKED_AGAIN, allow_duplicate=True, idempotency_key="k2").designs
        before = rows(parts)

        assert as_told(take(parts, MARKED, RED, BLUE, idempotency_key="k1")) == as_told(first)
        assert rows(parts) == before
        remove(parts, later.id)
        assert as_told(take(parts, MARKED, RED, BLUE, idempotency_key="k1")) == as_told(first)

    def test_is_repeated_in_its_own_words(self, parts: Parts) -> None:
        take(parts, ART)
        request = {"review": "hold", "allow_duplicate": [0], "idempotency_key": "k1"}
        first = take(parts, MARKED, **request)

        assert as_told(take(parts, MARKED, **request)) == as_told(first)

    def test_for_a_duplicate_lets_its_picture_in_again(self, parts: Parts) -> None:
        """I1: beside it, since the seller said so; a duplicate of neither is let in."""
        take(parts, ART)
        (second,) = take(parts, COPY, allow_duplicate=True).designs
        remove(parts, second.id)

        result = take(parts, COPY, HALF)

        assert outcomes(result) == ["created", "duplicate"]
