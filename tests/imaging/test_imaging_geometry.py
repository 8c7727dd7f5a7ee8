"""Sizes: from inches to pixels, and how artwork is fitted."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.imaging.geometry import Size, canvas, inside, longest, pixels, printed, reach
from shared.imaging.templates import BUILT_IN
from shared.records import Fit, Template

sides = st.integers(1, 20_000)
sizes = st.builds(Size, sides, sides)
inches = st.floats(0.001, 240)
templates = st.builds(
    Template,
    name=st.just("Any"),
    width_in=inches,
    height_in=inches,
    fit=st.sampled_from(Fit),
    dpi=st.integers(72, 1200),
)


def is_shape_kept(art: Size, fitted: Size) -> bool:
    """Whether each side is within one pixel of what the other side asks for."""
    height = Fraction(art.height * fitted.width, art.width)
    width = Fraction(art.width * fitted.height, art.height)
    return abs(fitted.height - height) <= 1 or abs(fitted.width - width) <= 1


@pytest.mark.parametrize(
    ("name", "art", "expected"),
    [
        ("UVDTF 16oz", (4200, 2000), (3800, 1732)),
        ("UVDTF 16oz", (100, 900), (3800, 1732)),
        ("UVDTF Decal", (3000, 1500), (1600, 800)),
        ("UVDTF Decal", (500, 2000), (400, 1600)),
        ("DTF Adult+", (3000, 4000), (4800, 6400)),
        ("DTF Adult", (1000, 1000), (5600, 5600)),
        ("DTF Youth", (4800, 1200), (4800, 1200)),
    ],
)
def test_a_built_in_template_prints_at_its_known_size(
    name: str, art: tuple[int, int], expected: tuple[int, int]
) -> None:
    template = next(template for template in BUILT_IN if template.name == name)
    assert printed(template, Size(*art)) == expected


def test_only_the_decal_has_a_canvas_and_it_is_1600_pixels_square() -> None:
    boards = {template.name: canvas(template) for template in BUILT_IN}
    assert {name: board for name, board in boards.items() if board} == {"UVDTF Decal": (1600, 1600)}


def test_inches_are_rounded_to_whole_pixels() -> None:
    assert pixels(4.33, 400) == 1732
    assert pixels(0.999, 100) == 100
    assert pixels(2.504, 100) == 250


def test_a_length_of_less_than_half_a_pixel_is_one_pixel() -> None:
    assert pixels(0.001, 72) == 1


@given(sizes, sides)
def test_longest_makes_the_longest_side_exact_and_keeps_the_shape(art: Size, side: int) -> None:
    fitted = longest(art, side)
    assert max(fitted) == side
    assert (fitted.width >= fitted.height) == (art.width >= art.height) or max(fitted) == min(
        fitted
    )
    assert is_shape_kept(art, fitted)


@given(sizes, sizes)
def test_inside_fits_both_sides_touches_one_and_keeps_the_shape(art: Size, box: Size) -> None:
    fitted = inside(art, box)
    assert fitted.width <= box.width
    assert fitted.height <= box.height
    assert fitted.width == box.width or fitted.height == box.height
    assert is_shape_kept(art, fitted)


@given(templates, sizes)
def test_nothing_is_printed_at_less_than_a_pixel_or_beyond_its_reach(
    template: Template, art: Size
) -> None:
    fitted, most = printed(template, art), reach(template)
    assert min(fitted) >= 1
    assert fitted.width <= most.width
    assert fitted.height <= most.height


@given(templates, sizes)
def test_stretch_prints_at_the_templates_size_whatever_the_art(
    template: Template, art: Size
) -> None:
    stretched = template.model_copy(update={"fit": Fit.STRETCH})
    width, height = printed(stretched, art)
    assert abs(width - max(1, template.width_in * template.dpi)) <= 0.5
    assert abs(height - max(1, template.height_in * template.dpi)) <= 0.5


@given(sizes)
def test_art_of_the_right_size_is_left_as_it_is(art: Size) -> None:
    assert longest(art, max(art)) == art
    assert inside(art, art) == art


def test_a_size_reads_as_a_person_writes_it() -> None:
    assert str(Size(3800, 1732)) == "3800 x 1732 px"
