"""What the outcomes of a batch say of each other and of the library, and what that costs."""

from __future__ import annotations

import pytest
from test_driver_workflow import FailingNas, outcomes, rows, take_in

from shared.errors import NasUnavailable
from shared.identity import tenant
from shared.messages import DedupeRequest, Result
from shared.records import State, Template, Tier, Verdict
from shared.wiring import Parts
from tests.draw import encoded, wrap

TINY = Template(name="Tiny UV", width_in=1, height_in=0.5, dpi=72)
ONE, TWO = (("1.png", encoded(wrap(seed, 160, 80))) for seed in (1, 2))


@pytest.fixture(autouse=True)
def tiny(parts: Parts) -> None:
    parts.designs.save_template(tenant("seller"), TINY)


def take(parts: Parts, *files: tuple[str, bytes], **request: object) -> Result:
    return take_in(parts, *files, **{"template": "Tiny UV"} | request)


def as_told(result: Result) -> list[dict[str, object]]:
    return [outcome.model_dump(exclude={"timings_ms"}) for outcome in result.outcomes]


def pending(parts: Parts, file: tuple[str, bytes], key: str) -> None:
    """Leave a design whose file could not be given its name."""

    def fail(*_: object) -> None:
        raise NasUnavailable

    broken = FailingNas(parts, failures=0)
    broken.publish = fail  # type: ignore[attr-defined]
    assert outcomes(take(broken, file, idempotency_key=key)) == ["failed"]
    assert rows(parts)[-1].state == State.PENDING.value


class TestAFileTwiceThatTheShopHasAlready:
    @pytest.mark.parametrize("count", [2, 3])
    def test_names_the_shops_design_each_time_and_is_not_prepared(
        self, parts: Parts, count: int
    ) -> None:
        (known,) = take(parts, ONE).designs
        unused = FailingNas(parts, failures=count)

        result = take(unused, *[ONE] * count)

        assert outcomes(result) == ["duplicate"] * count
        assert {outcome.match.design_id for outcome in result.outcomes} == {known.id}
        assert unused.failures == count

    def test_is_checked_with_the_same_answer(self, parts: Parts) -> None:
        take(parts, ONE)

        asked = take(parts, ONE, ONE, check_only=True)

        assert as_told(asked) == as_told(take(parts, ONE, ONE))

    def test_is_told_of_by_dedupe_alone_too(self, parts: Parts) -> None:
        (known,) = take(parts, ONE).designs
        request = DedupeRequest(template="Tiny UV", user_id="seller", shop="Nook")

        answer = parts.dedupe([parts.source(*ONE), parts.source(*ONE)], request)

        assert [found.match.design_id for found in answer.files] == [known.id] * 2


class TestAllowDuplicate:
    def test_names_what_each_file_was_filed_in_spite_of(self, parts: Parts) -> None:
        (known,) = take(parts, ONE).designs

        result = take(parts, ONE, ONE, TWO, TWO, allow_duplicate=True)

        assert outcomes(result) == ["created"] * 4
        first, _, third, _ = result.designs
        matches = [outcome.match for outcome in result.outcomes]
        assert [match and (match.tier, match.file_path, match.state) for match in matches] == [
            (Tier.EXACT, known.file_path, State.ACTIVE),
            (Tier.BATCH, first.file_path, State.ACTIVE),
            None,
            (Tier.BATCH, third.file_path, State.ACTIVE),
        ]

    def test_names_no_file_of_the_batch_that_was_not_filed(self, parts: Parts) -> None:
        result = take(FailingNas(parts, failures=1), ONE, ONE, allow_duplicate=True)

        assert outcomes(result) == ["failed", "created"]
        assert (result.outcomes[1].verdict, result.outcomes[1].match) == (Verdict.UNIQUE, None)

    def test_tells_the_same_when_the_request_is_sent_again(self, parts: Parts) -> None:
        take(parts, ONE)
        request = {"allow_duplicate": True, "idempotency_key": "k1"}
        first = take(parts, ONE, ONE, TWO, TWO, **request)
        take(parts, TWO, allow_duplicate=True)

        again = take(parts, ONE, ONE, TWO, TWO, **request)

        assert as_told(again) == as_told(first)

    def test_that_is_only_checked_says_that_the_file_would_be_filed(self, parts: Parts) -> None:
        (known,) = take(parts, ONE).designs

        result = take(parts, ONE, TWO, TWO, allow_duplicate=True, check_only=True)

        assert outcomes(result) == ["held"] * 3
        assert [outcome.verdict for outcome in result.outcomes] == [
            Verdict.DUPLICATE,
            Verdict.UNIQUE,
            Verdict.DUPLICATE,
        ]
        assert result.outcomes[0].match.design_id == known.id
        assert len(rows(parts)) == 1


class TestADesignThatIsPending:
    def test_is_not_called_created_by_a_check(self, parts: Parts) -> None:
        pending(parts, ONE, "k1")

        result = take(parts, ONE, idempotency_key="k1", check_only=True)

        assert (outcomes(result), result.designs) == (["held"], [])

    def test_is_finished_by_a_batch_that_has_its_picture_twice(self, parts: Parts) -> None:
        pending(parts, ONE, "k1")

        result = take(parts, ONE, ONE, TWO)

        assert outcomes(result) == ["duplicate", "duplicate", "created"]
        assert {outcome.match.filename for outcome in result.outcomes[:2]} == {"UV_001.png"}
        assert [row.state for row in rows(parts)] == ["active", "active"]


class TestAChainOfPictures:
    """Each is 8 bits from the one before, and the last 16 from the first."""

    FIRST, MIDDLE, LAST = (
        (f"{cut}.png", encoded(wrap(2, 320, 160).crop((cut, 0, 320, 160)))) for cut in (0, 2, 4)
    )

    def test_loses_the_middle_one_alone(self, parts: Parts) -> None:
        result = take(parts, self.FIRST, self.MIDDLE, self.LAST, policy="hash", hash_threshold=10)

        assert outcomes(result) == ["created", "duplicate", "created"]
        assert result.outcomes[1].match.design_id == result.designs[0].id

    def test_is_judged_the_same_by_dedupe_alone(self, parts: Parts) -> None:
        request = DedupeRequest(
            template="Tiny UV", user_id="seller", policy="hash", hash_threshold=10
        )
        sources = [parts.source(*file) for file in (self.FIRST, self.MIDDLE, self.LAST)]

        verdicts = [found.verdict for found in parts.dedupe(sources, request).files]

        assert verdicts == [Verdict.UNIQUE, Verdict.DUPLICATE, Verdict.UNIQUE]

    def test_is_judged_the_same_where_the_first_is_filed_already(self, parts: Parts) -> None:
        take(parts, self.FIRST)

        asked = take(
            parts, self.MIDDLE, self.LAST, policy="hash", hash_threshold=10, check_only=True
        )
        result = take(parts, self.MIDDLE, self.LAST, policy="hash", hash_threshold=10)

        assert outcomes(asked) == ["duplicate", "held"]
        assert outcomes(result) == ["duplicate", "created"]


class TestAFadedCopy:
    def test_with_the_very_phash_is_found_though_its_index_hash_is_far_away(
        self, parts: Parts
    ) -> None:
        """The workflow's own exact query asks for the phash alone."""
        art = wrap(35, 300, 137)
        faded = art.point(lambda level: round(128 + (level - 128) * 0.3))
        take(parts, ("art.png", encoded(art)))

        (outcome,) = take(parts, ("faded.png", encoded(faded)), policy="hash").outcomes

        assert outcome.outcome == "duplicate"
        assert (outcome.match.tier, outcome.match.distances.phash) == (Tier.HAMMING, 0)
        assert outcome.match.distances.index > 31
