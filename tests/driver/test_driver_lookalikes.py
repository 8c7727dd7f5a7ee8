"""Turned, flattened and cropped copies: looked for where a setting asks, and then similar."""

from __future__ import annotations

import pytest
from driver_verdicts import (
    as_told,
    only,
    remove,
    said,
    save_template,
    staged_files,
    take,
    with_settings,
)
from PIL import Image, ImageDraw, ImageOps
from test_driver_workflow import outcomes, rows

from shared.records import Tier, Verdict
from shared.wiring import Parts
from tests.draw import encoded, wrap

File = tuple[str, bytes]


def badge() -> Image.Image:
    """Coloured shapes on nothing."""
    art = Image.new("RGBA", (420, 300), (0, 0, 0, 0))
    draw = ImageDraw.Draw(art)
    draw.ellipse((20, 20, 240, 280), fill=(200, 30, 60, 255))
    draw.rectangle((200, 60, 400, 140), fill=(20, 60, 160, 255))
    draw.polygon([(220, 280), (300, 150), (390, 270)], fill=(30, 120, 40, 255))
    return art


def on_ground(art: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    ground = Image.new("RGB", art.size, colour)
    ground.paste(art, (0, 0), art)
    return ground


WRAP = wrap(1, 600, 274)
BADGE = badge()
KINDS = {
    "turned": (("wrap.png", encoded(WRAP)), ("turned.png", encoded(ImageOps.mirror(WRAP)))),
    "flattened": (
        ("badge.png", encoded(BADGE)),
        ("flat.jpg", encoded(on_ground(BADGE, (250, 250, 250)), "JPEG", quality=92)),
    ),
    "cropped": (
        ("wrap.png", encoded(WRAP)),
        ("cut.png", encoded(WRAP.crop((20, 10, 580, 264)))),
    ),
}
kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(autouse=True)
def tiny(parts: Parts) -> None:
    save_template(parts)


def finding(parts: Parts, kind: str, **own: object) -> Parts:
    return with_settings(parts, **{f"find_{kind}": True}, **own)


@kinds
class TestALookAlike:
    def test_is_unique_where_nobody_asked(self, parts: Parts, kind: str) -> None:
        known, copy = KINDS[kind]
        take(parts, known)

        outcome = only(take(parts, copy))

        assert (outcome.outcome, outcome.verdict, outcome.match) == ("created", "unique", None)
        assert "look_alikes" not in outcome.timings_ms

    def test_is_similar_where_it_is_looked_for(self, parts: Parts, kind: str) -> None:
        known, copy = KINDS[kind]
        (design,) = take(parts, known).designs

        outcome = only(take(finding(parts, kind), copy))

        assert (outcome.outcome, outcome.verdict) == ("created", "similar")
        assert said(outcome) == (Verdict.SIMILAR, Tier.HAMMING, kind)
        assert outcome.match.design_id == design.id
        assert "look_alikes" in outcome.timings_ms

    def test_is_held_where_similar_ones_are(self, parts: Parts, kind: str) -> None:
        known, copy = KINDS[kind]
        take(parts, known)

        outcome = only(take(finding(parts, kind, duplicate_review="hold"), copy))

        assert (outcome.outcome, outcome.code) == ("held", "similar")
        assert len(rows(parts)) == 1
        assert staged_files(parts) == []

    def test_is_not_looked_for_by_the_other_settings(self, parts: Parts, kind: str) -> None:
        known, copy = KINDS[kind]
        take(parts, known)
        others = {f"find_{other}": True for other in KINDS if other != kind}

        assert only(take(with_settings(parts, **others), copy, check_only=True)).match is None

    def test_never_hides_what_the_tiers_find(self, parts: Parts, kind: str) -> None:
        known, copy = KINDS[kind]
        take(parts, known)
        (design,) = take(parts, copy).designs

        outcome = only(take(finding(parts, kind), copy))

        assert (outcome.outcome, outcome.match.design_id) == ("duplicate", design.id)
        assert outcome.match.test == "upload_sha256"

    def test_is_another_tenants_business_alone(self, parts: Parts, kind: str) -> None:
        known, copy = KINDS[kind]
        take(parts, known, user_id="other", shop="Own")

        assert only(take(finding(parts, kind), copy)).match is None

    def test_is_told_the_same_when_the_request_is_sent_again(self, parts: Parts, kind: str) -> None:
        known, copy = KINDS[kind]
        take(parts, known)
        looking = finding(parts, kind)
        first = only(take(looking, copy, idempotency_key="k1"))
        take(parts, ("other.png", encoded(wrap(5, 320, 146))))

        again = only(take(looking, copy, idempotency_key="k1"))

        assert again.model_dump(exclude={"timings_ms"}) == first.model_dump(exclude={"timings_ms"})


@kinds
class TestLookAlikesOfOneBatch:
    @pytest.mark.parametrize("extra", [0, 1, 6])
    def test_are_filed_without_a_word_however_far_the_first_has_got(
        self, parts: Parts, kind: str, extra: int
    ) -> None:
        known, copy = KINDS[kind]
        between = [(f"{n}.png", encoded(wrap(10 + n, 320, 146))) for n in range(extra)]

        result = take(finding(parts, kind), known, *between, copy)

        assert outcomes(result) == ["created"] * (extra + 2)
        assert result.outcomes[-1].match is None

    def test_are_told_the_same_when_the_request_is_sent_again(
        self, parts: Parts, kind: str
    ) -> None:
        looking = finding(parts, kind)
        first = take(looking, *KINDS[kind], idempotency_key="k1")

        again = take(looking, *KINDS[kind], idempotency_key="k1")

        assert as_told(again) == as_told(first)


@kinds
def test_a_look_alike_that_is_wanted_is_held_against_its_picture_once(
    parts: Parts, kind: str
) -> None:
    known, copy = KINDS[kind]
    (first,) = take(parts, known).designs
    holding = finding(parts, kind, duplicate_review="hold")
    (second,) = take(holding, copy, allow_duplicate=True).designs
    remove(parts, second.id)

    (again,) = take(holding, copy).designs

    assert again.filename == "UV_003.png"
    remove(parts, first.id)
    assert outcomes(take(holding, known)) == ["created"]


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_right_angle_is_found_whichever_way_it_turns(
    parts: Parts, quarters: int, mirrored: bool
) -> None:
    take(parts, ("badge.png", encoded(BADGE)))
    turned = BADGE.rotate(90 * quarters, expand=True)
    if mirrored:
        turned = ImageOps.mirror(turned)

    outcome = only(take(finding(parts, "turned"), ("t.png", encoded(turned)), check_only=True))

    assert said(outcome)[2] == "turned"


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (240, 220, 120)])
def test_a_ground_may_have_any_colour(parts: Parts, colour: tuple[int, int, int]) -> None:
    take(parts, ("badge.png", encoded(BADGE)))
    file = ("flat.png", encoded(on_ground(BADGE, colour)))

    outcome = only(take(finding(parts, "flattened"), file, check_only=True))

    assert said(outcome)[2] == "flattened"


def test_a_flattened_copy_within_a_transparent_margin_is_found(parts: Parts) -> None:
    take(parts, ("badge.png", encoded(BADGE)))
    framed = Image.new("RGBA", (520, 400), (0, 0, 0, 0))
    framed.paste(on_ground(BADGE, (255, 255, 255)), (50, 50))

    outcome = only(take(finding(parts, "flattened"), ("f.png", encoded(framed)), check_only=True))

    assert said(outcome)[2] == "flattened"


def test_the_workflows_literal_rule_can_look_for_them_too(parts: Parts) -> None:
    known, copy = KINDS["turned"]
    take(parts, known)

    assert outcomes(take(finding(parts, "turned"), copy, policy="hash")) == ["created"]
