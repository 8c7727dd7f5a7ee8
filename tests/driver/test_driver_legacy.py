"""Rows from another system under the verified rule: hashes, and nothing to look at."""

from __future__ import annotations

import numpy as np
import pytest
from driver_verdicts import ART, only, said, save_template, take
from test_driver_workflow import outcomes

from shared.fingerprint.hashes import fingerprint, legacy_phash
from shared.fingerprint.normal import normal_form
from shared.records import Tier, Verdict
from shared.wiring import Parts
from tests.draw import encoded, text, wrap
from tests.legacy import SHOP, ZEROS, rows_of

OPAQUE = fingerprint(normal_form(np.asarray(wrap(1, 320, 146).convert("RGBA")))).phash
SHADED = wrap(3, 320, 146).convert("RGBA")
SHADED.putalpha(text("Bride", size=150).resize((320, 146)).getchannel("A"))
CUT_OUT = ("shaded.png", encoded(SHADED))


def legacy(parts: Parts, phash: str) -> object:
    return rows_of(parts).add(f"{SHOP}/Tiny UV/UV_007.png", phash)


def flipped(phash: str, bits: int) -> str:
    """So many bits away, spread over the hash."""
    return f"{int(phash, 16) ^ sum(1 << 17 * bit for bit in range(bits)):064x}"


@pytest.fixture(autouse=True)
def tiny(parts: Parts) -> None:
    save_template(parts)


@pytest.mark.parametrize(
    ("bits", "done", "verdict"),
    [
        (0, "duplicate", Verdict.DUPLICATE),
        (5, "duplicate", Verdict.DUPLICATE),
        (6, "created", Verdict.SIMILAR),
        (15, "created", Verdict.SIMILAR),
        (16, "created", Verdict.UNIQUE),
    ],
)
def test_opaque_art_goes_by_the_distance_alone(
    parts: Parts, bits: int, done: str, verdict: Verdict
) -> None:
    row = legacy(parts, flipped(OPAQUE, bits))

    outcome = only(take(parts, ART))

    assert (outcome.outcome, outcome.verdict) == (done, verdict)
    if verdict is not Verdict.UNIQUE:
        tier, test = (Tier.HAMMING, "distance") if bits else (Tier.EXACT, "hashes")
        assert said(outcome) == (verdict, tier, test)
        assert (outcome.match.design_id, outcome.match.distances.phash) == (row, bits)


@pytest.mark.parametrize(("threshold", "done"), [(3, "created"), (15, "duplicate")])
def test_a_threshold_below_the_workflows_own_counts_and_one_above_does_not(
    parts: Parts, threshold: int, done: str
) -> None:
    legacy(parts, flipped(OPAQUE, 5))
    assert outcomes(take(parts, ART, hash_threshold=threshold)) == [done]


def test_a_high_threshold_makes_no_duplicate_of_what_nobody_can_look_at(parts: Parts) -> None:
    legacy(parts, flipped(OPAQUE, 6))

    assert only(take(parts, ART, hash_threshold=31)).verdict == "similar"


def test_what_is_only_similar_can_be_held(parts: Parts) -> None:
    row = legacy(parts, flipped(OPAQUE, 9))

    outcome = only(take(parts, ART, review="hold"))

    assert (outcome.outcome, outcome.code, outcome.match.design_id) == ("held", "similar", row)


def test_what_is_allowed_beside_such_a_row_is_remembered(parts: Parts) -> None:
    legacy(parts, flipped(OPAQUE, 9))
    (design,) = take(parts, ART, review="hold", allow_duplicate=True).designs
    rows_of(parts).do("UPDATE design_images SET is_active = false WHERE id = :id", id=design.id)

    assert only(take(parts, ART, review="hold")).verdict == "unique"


def test_art_with_alpha_goes_by_an_equal_hash(parts: Parts) -> None:
    own = legacy_phash(np.asarray(SHADED))
    assert own is not None
    row = legacy(parts, own)

    outcome = only(take(parts, CUT_OUT))

    assert outcome.outcome == "duplicate"
    assert said(outcome) == (Verdict.DUPLICATE, Tier.EXACT, "hashes")
    assert outcome.match.design_id == row


def test_art_with_alpha_is_near_to_no_such_row(parts: Parts) -> None:
    own = legacy_phash(np.asarray(SHADED))
    assert own is not None
    legacy(parts, flipped(own, 1))

    assert only(take(parts, CUT_OUT)).verdict == "unique"


def test_a_hash_that_tells_nothing_is_held_against_no_black_art(parts: Parts) -> None:
    legacy(parts, ZEROS)

    assert only(take(parts, ("black.png", encoded(text("Bride to be"))))).verdict == "unique"
