"""What a batch's files are found to be, to the library and to each other, and what is told."""

from __future__ import annotations

import pytest
from driver_verdicts import (
    ART,
    BLUE,
    COPY,
    FOLDER,
    GREY,
    HALF,
    MARKED,
    OTHER,
    RED,
    only,
    said,
    save_template,
    take,
    with_settings,
)
from test_driver_workflow import FailingNas, on_nas, outcomes, rows

from shared.messages import DedupeRequest
from shared.records import State, Tier, Verdict
from shared.settings import Settings
from shared.wiring import Parts


@pytest.fixture(autouse=True)
def tiny(parts: Parts) -> None:
    save_template(parts)


class TestAgainstTheLibrary:
    @pytest.mark.parametrize("file", [COPY, HALF], ids=["jpeg", "half its size"])
    def test_a_copy_of_a_wrap_is_a_duplicate(self, parts: Parts, file: tuple[str, bytes]) -> None:
        (known,) = take(parts, ART).designs

        outcome = only(take(parts, file))

        assert (outcome.outcome, outcome.code) == ("duplicate", "duplicate")
        assert said(outcome) == (Verdict.DUPLICATE, Tier.HAMMING, "signature")
        assert outcome.match.design_id == known.id
        assert 0 <= min(outcome.match.distances.phash, outcome.match.distances.index) <= 15
        assert len(rows(parts)) == 1

    def test_another_colour_is_filed_beside_its_variant(self, parts: Parts) -> None:
        (known,) = take(parts, ART).designs

        outcome = only(take(parts, GREY))

        assert (outcome.outcome, outcome.verdict, outcome.code) == ("created", "variant", None)
        assert said(outcome) == (Verdict.VARIANT, Tier.HAMMING, "colour")
        assert (outcome.match.design_id, outcome.match.state) == (known.id, State.ACTIVE)
        assert outcome.match.file_path == known.file_path
        assert outcome.match.distances.index == 0
        assert outcome.reason == "Filed as UV_002.png; it is UV_001.png in other colours."
        assert len(on_nas(parts, FOLDER)) == 2

    def test_a_similar_one_is_filed_beside_its_neighbour(self, parts: Parts) -> None:
        (known,) = take(parts, ART).designs

        outcome = only(take(parts, MARKED))

        assert (outcome.outcome, outcome.verdict) == ("created", "similar")
        assert said(outcome) == (Verdict.SIMILAR, Tier.HAMMING, "likeness")
        assert outcome.match.design_id == known.id
        assert 0 < outcome.match.distances.index <= 31
        assert outcome.reason == "Filed as UV_002.png; it is similar to UV_001.png."

    def test_another_picture_is_unique(self, parts: Parts) -> None:
        take(parts, ART)

        outcome = only(take(parts, OTHER))

        assert (outcome.outcome, outcome.verdict, outcome.match) == ("created", "unique", None)
        assert outcome.reason == "Filed as UV_002.png."

    def test_of_a_copy_and_a_variant_the_copy_is_named(self, parts: Parts) -> None:
        take(parts, GREY, ART, MARKED)

        outcome = only(take(parts, COPY))

        assert said(outcome) == (Verdict.DUPLICATE, Tier.HAMMING, "signature")
        assert outcome.match.filename == "UV_002.png"

    def test_the_log_says_what_each_was_found_to_be(
        self, parts: Parts, caplog: pytest.LogCaptureFixture
    ) -> None:
        take(parts, ART)
        caplog.clear()
        with caplog.at_level("INFO", "platen.driver"):
            take(parts, MARKED)
            take(parts, GREY)

        assert "🎨 File grey.png is a colour variant of UV_001.png (checked in" in caplog.text
        assert "👀 File marked.png is similar to UV_001.png (checked in" in caplog.text
        near = [line for line in caplog.messages if "Hamming check completed" in line]
        assert [line.rpartition(": ")[2] for line in near] == ["SIMILAR", "VARIANT"]

    def test_a_check_says_what_each_would_be_and_writes_nothing(self, parts: Parts) -> None:
        take(parts, ART)

        asked = take(parts, MARKED, GREY, COPY, check_only=True)

        assert outcomes(asked) == ["held", "held", "duplicate"]
        assert [outcome.verdict for outcome in asked.outcomes] == [
            "similar",
            "variant",
            "duplicate",
        ]
        assert asked.outcomes[0].code == "check_only"
        assert asked.outcomes[0].reason == (
            "It would be filed; it is similar to UV_001.png; nothing was written, as asked."
        )
        assert len(rows(parts)) == 1


class TestWithinABatch:
    def test_red_and_blue_lettering_are_both_filed(self, parts: Parts) -> None:
        result = take(parts, RED, BLUE)

        assert outcomes(result) == ["created"] * 2
        second = result.outcomes[1]
        assert said(second) == (Verdict.VARIANT, Tier.BATCH, "colour")
        assert second.match.design_id == result.designs[0].id
        assert second.match.file_path == result.designs[0].file_path
        assert second.reason == "Filed as UV_002.png; it is UV_001.png in other colours."

    @pytest.mark.parametrize("extra", [[], [OTHER]], ids=["original", "comprehensive"])
    def test_each_is_judged_as_against_the_library(
        self, parts: Parts, extra: list[tuple[str, bytes]]
    ) -> None:
        for file, done, verdict, test in (
            (COPY, "duplicate", Verdict.DUPLICATE, "signature"),
            (GREY, "created", Verdict.VARIANT, "colour"),
            (MARKED, "created", Verdict.SIMILAR, "likeness"),
        ):
            result = take(
                parts, ART, file, *extra, user_id=file[0], shop=file[0], template="DTF Youth"
            )

            assert outcomes(result)[:2] == ["created", done]
            assert said(result.outcomes[1]) == (verdict, Tier.BATCH, test)

    def test_dedupe_alone_says_the_same(self, parts: Parts) -> None:
        request = DedupeRequest(template="Tiny UV", user_id="seller")
        files = (ART, COPY, MARKED, GREY, OTHER)

        found = parts.dedupe([parts.source(*file) for file in files], request).files

        verdicts = [each.verdict for each in found]
        assert verdicts == ["unique", "duplicate", "similar", "variant", "unique"]
        assert [each.match and each.match.test for each in found] == [
            None,
            "signature",
            "likeness",
            "colour",
            None,
        ]
        assert {each.tier for each in found[1:4]} == {Tier.BATCH}
        assert rows(parts) == []

    def test_a_variant_of_a_file_that_failed_is_filed_beside_what_the_library_has(
        self, parts: Parts
    ) -> None:
        (known,) = take(parts, ART).designs

        result = take(FailingNas(parts, failures=1), GREY, ("g2.png", GREY[1]))

        assert outcomes(result) == ["failed", "created"]
        assert said(result.outcomes[1]) == (Verdict.VARIANT, Tier.HAMMING, "colour")
        assert result.outcomes[1].match.design_id == known.id

    def test_a_similar_file_does_not_name_one_that_failed(self, parts: Parts) -> None:
        result = take(FailingNas(parts, failures=1), ART, MARKED)

        assert outcomes(result) == ["failed", "created"]
        assert (result.outcomes[1].verdict, result.outcomes[1].match) == ("unique", None)


class TestTheRule:
    def test_looks_at_what_is_near_unless_it_is_told_not_to(self) -> None:
        assert Settings(_env_file=None).duplicate_policy == "verified"
        assert Settings(_env_file=None).hash_threshold is None

    @pytest.mark.parametrize("file", [GREY, COPY], ids=["variant", "copy"])
    def test_of_the_workflow_takes_what_is_near_for_a_duplicate(
        self, parts: Parts, file: tuple[str, bytes]
    ) -> None:
        take(parts, ART)

        outcome = only(take(parts, file, policy="hash"))

        assert outcome.outcome == "duplicate"
        assert said(outcome) == (Verdict.DUPLICATE, Tier.HAMMING, "distance")

    def test_of_the_workflow_reaches_5_bits_where_no_threshold_is_set(self, parts: Parts) -> None:
        take(parts, ART)

        assert only(take(parts, MARKED, policy="hash", check_only=True)).verdict == "unique"
        near = take(parts, MARKED, policy="hash", hash_threshold=15, check_only=True)
        assert only(near).verdict == "duplicate"

    def test_as_a_setting_counts_where_the_request_says_nothing(self, parts: Parts) -> None:
        take(parts, ART)
        strict = with_settings(parts, duplicate_policy="hash", hash_threshold=0)

        assert said(only(take(strict, GREY)))[2] == "distance"
        assert only(take(strict, GREY, policy="verified")).verdict == "variant"

    def test_with_a_threshold_of_nothing_calls_a_copy_that_is_off_by_a_bit_similar(
        self, parts: Parts
    ) -> None:
        take(parts, ART)

        outcome = only(take(parts, COPY, hash_threshold=0))

        assert said(outcome) == (Verdict.SIMILAR, Tier.HAMMING, "likeness")
