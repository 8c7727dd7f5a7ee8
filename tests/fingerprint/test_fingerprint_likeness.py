"""The look at two pictures: each limit from both sides, and the same answer from either picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest
from fingerprint_art import badge, lines, text, wrap
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from shared.fingerprint.finding import Finding
from shared.fingerprint.hashes import fingerprint
from shared.fingerprint.likeness import (
    Answers,
    Differences,
    alike,
    differences,
    same_colour,
    same_format,
    same_picture,
    same_shape,
)
from shared.fingerprint.limits import LIMITS
from shared.fingerprint.normal import normal_form
from shared.fingerprint.verdict import Rule, compare
from shared.records import Candidate, Fingerprint, NormalForm, Probe, State, Verdict
from shared.settings import Policy

SAME = {
    "picture": 0,
    "outline": 0,
    "colour": 0,
    "brightness": 0,
    "tint": 0,
    "recoloured": 0,
    "pattern": 1.0,
    "inside": 1.0,
    "stretch": 1.0,
    "is_boxed": False,
}
"""Two pictures between which there is no difference."""

VERIFIED = Rule(Policy.VERIFIED, LIMITS.duplicate_bits)


def apart(**own: float) -> Differences:
    return Differences(**{name: np.array([value]) for name, value in (SAME | own).items()})


DYED = {"is_boxed": True, "recoloured": 64, "tint": 50}
"""Another colourway of art that fills its box."""


@pytest.mark.parametrize(
    ("predicate", "name", "limit", "step", "rest"),
    [
        (same_picture, "picture", LIMITS.cut_out_levels, 1, {}),
        (same_picture, "picture", LIMITS.boxed_levels, 1, {"is_boxed": True}),
        (same_colour, "colour", LIMITS.colour_levels, 1, {}),
        (same_colour, "tint", LIMITS.tint_levels, 0.01, {}),
        (same_colour, "brightness", LIMITS.brightness_levels, 0.01, {}),
        (same_format, "stretch", LIMITS.stretch, 0.001, {}),
        (same_shape, "outline", LIMITS.outline_levels, 1, {}),
        (same_shape, "inside", LIMITS.inside, -0.001, {}),
        (same_shape, "pattern", LIMITS.boxed_pattern, -0.001, DYED),
        (same_shape, "recoloured", LIMITS.recoloured_cells, -1, DYED),
        (same_shape, "tint", LIMITS.cast_levels + 0.01, -0.01, DYED),
        (alike, "pattern", LIMITS.pattern, -0.001, {}),
    ],
)
def test_the_limit_itself_holds_and_what_is_past_it_does_not(
    predicate: Callable[[Differences], Answers],
    name: str,
    limit: float,
    step: float,
    rest: dict[str, float],
) -> None:
    assert predicate(apart(**rest | {name: limit}))[0]
    assert not predicate(apart(**rest | {name: limit + step}))[0]


def test_boxed_art_whose_brightness_changed_has_changed_its_colours() -> None:
    assert not same_shape(apart(is_boxed=True, brightness=LIMITS.brightness_levels))[0]
    assert same_shape(apart(is_boxed=True, brightness=LIMITS.brightness_levels + 0.01))[0]


def test_the_outline_is_no_matter_of_boxed_art_nor_the_pattern_of_cut_out_art() -> None:
    assert same_shape(apart(**DYED, outline=255, inside=-1))[0]
    assert same_shape(apart(pattern=-1))[0]


def test_each_candidate_has_an_answer_of_its_own() -> None:
    two = replace(apart(), picture=np.array([0, 255]), is_boxed=np.array([False, True]))
    assert same_picture(two).tolist() == [True, False]


def drawn(art: np.ndarray) -> Fingerprint:
    return fingerprint(normal_form(art))


def test_a_picture_does_not_differ_from_itself() -> None:
    for art in (wrap(), badge(), lines()):
        mine = drawn(art)
        found = differences(mine, [mine])
        assert (found.picture[0], found.colour[0], found.brightness[0]) == (0, 0, 0)
        assert (found.pattern[0], found.stretch[0]) == (pytest.approx(1, abs=1e-3), 1)
        assert found.is_boxed[0] == bool(mine.is_opaque)


def flat(grey: int, side: int = 256) -> NormalForm:
    pixels = np.full((side, side, 4), 255, np.uint8)
    pixels[..., :3] = grey
    return NormalForm(pixels, side, side, True)


def test_differences_are_told_in_levels() -> None:
    found = differences(fingerprint(flat(100)), [fingerprint(flat(grey)) for grey in (100, 120)])
    assert found.picture.tolist() == [0, 20]
    assert found.brightness.tolist() == [0, 20]
    assert found.tint.tolist() == [0, 0]
    assert found.pattern.tolist() == [1, 1]


def test_a_recoloured_cell_counts_once() -> None:
    form = flat(100)
    pixels = form.pixels.copy()
    pixels[:64, :96, 0] = 160
    found = differences(fingerprint(form), [fingerprint(replace(form, pixels=pixels))])
    assert found.recoloured.tolist() == [2 * 3]
    assert found.colour[0] > LIMITS.visible_levels


@pytest.mark.parametrize("missing", ["width_px", "height_px"])
def test_a_crop_whose_size_is_not_known_is_not_called_stretched(missing: str) -> None:
    mine = drawn(badge())
    stretched = mine.model_copy(update={"width_px": 3000})
    unknown = stretched.model_copy(update={missing: None})
    assert differences(mine, [stretched, unknown]).stretch.tolist() == [
        pytest.approx(3000 / mine.width_px),
        1,
    ]
    assert differences(unknown, [mine, unknown]).stretch.tolist() == [1, 1]


def test_at_the_limit_a_stretch_is_the_same_from_either_side() -> None:
    """As floating-point numbers, 1 / (b / a) can lie above 1.1 where a / b does not."""
    mine = drawn(badge())
    one = mine.model_copy(update={"width_px": 154, "height_px": 275})
    other = mine.model_copy(update={"width_px": 140, "height_px": 275})
    assert differences(one, [other]).stretch == differences(other, [one]).stretch
    assert same_format(differences(one, [other])) == same_format(differences(other, [one]))


def found_to_be(mine: Fingerprint, other: Fingerprint) -> Finding:
    probe = Probe(mine, "0" * 64)
    design = Candidate(UUID(int=1), "a.png", None, State.ACTIVE, 1, "1" * 64, other)
    (finding,) = compare(probe, [design], VERIFIED)
    return finding


@st.composite
def pictures(draw: st.DrawFn) -> Fingerprint:
    """Art of few shapes, so that two of it are often near each other."""
    is_opaque = draw(st.booleans())
    ground = (240, 240, 230, 255) if is_opaque else (0, 0, 0, 0)
    image = Image.new("RGBA", (120, draw(st.sampled_from([90, 100]))), ground)
    pen = ImageDraw.Draw(image)
    inks = st.sampled_from([(0, 0, 0), (200, 0, 0), (0, 0, 200), (0, 90, 0), (190, 10, 10)])
    pen.ellipse((5, 5, 80, 80), fill=(*draw(inks), 255))
    left = draw(st.integers(40, 44))
    pen.rectangle((left, 20, left + 70, 60), fill=(*draw(inks), draw(st.sampled_from([255, 128]))))
    if draw(st.booleans()):
        pen.rectangle((20, 70, 24, 74), fill=(255, 255, 255, 255))
    return drawn(np.asarray(image))


@settings(max_examples=60)
@given(pictures(), pictures())
def test_a_verdict_is_the_same_from_either_side(one: Fingerprint, other: Fingerprint) -> None:
    assert found_to_be(one, other) == found_to_be(other, one)


def test_many_candidates_are_judged_as_each_alone() -> None:
    mine = drawn(text("Bride to be", "red"))
    others = [
        drawn(art)
        for art in (text("Bride to be", "blue"), text("Bride to do"), badge(), wrap(), lines())
    ]
    designs = [
        Candidate(UUID(int=at), "a.png", None, State.ACTIVE, at, "1" * 64, other)
        for at, other in enumerate(others)
    ]
    together = compare(Probe(mine, "0" * 64), designs, VERIFIED)
    assert together == [found_to_be(mine, other) for other in others]
    assert together[0].verdict is Verdict.VARIANT


def test_nobody_to_compare_with_is_no_match() -> None:
    assert compare(Probe(drawn(badge()), "0" * 64), [], VERIFIED) == []
