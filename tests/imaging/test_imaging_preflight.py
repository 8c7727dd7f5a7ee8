"""Preflight: the facts of artwork before it is resized."""

from __future__ import annotations

import pytest
from imaging_art import plain

from shared.imaging.geometry import Size
from shared.imaging.preflight import measure


def test_art_that_is_enlarged_has_fewer_source_pixels_an_inch() -> None:
    facts = measure(plain(866, 1900, 1, 2, 3), Size(3800, 1732), 400)
    assert (facts.width_px, facts.height_px) == (1900, 866)
    assert (facts.width_in, facts.height_in) == (9.5, 4.33)
    assert facts.effective_dpi == 200
    assert facts.scale == 2
    assert facts.distortion == 0


def test_the_side_that_is_enlarged_most_decides_and_the_stretch_is_told() -> None:
    facts = measure(plain(1000, 1000, 1, 2, 3), Size(1000, 1250), 400)
    assert facts.effective_dpi == pytest.approx(320)
    assert facts.scale == 1.25
    assert facts.distortion == pytest.approx(0.25)


def test_art_that_is_reduced_has_a_scale_below_one() -> None:
    facts = measure(plain(1000, 2000, 1, 2, 3), Size(1000, 500), 400)
    assert facts.scale == 0.5
    assert facts.effective_dpi == 800


def test_only_pixels_between_opaque_and_transparent_are_soft() -> None:
    art = plain(10, 20, 1, 2, 3, 255)
    art[0, :, 3] = 0
    art[1, :5, 3], art[2, :5, 3] = 1, 254
    assert measure(art, Size(20, 10), 400).soft_alpha == pytest.approx(10 / 200)


@pytest.mark.parametrize("colour", [(1, 2, 3), (1, 2, 3, 255), (1, 2, 3, 0)])
def test_art_without_soft_pixels_says_so(colour: tuple[int, ...]) -> None:
    assert measure(plain(10, 20, *colour), Size(20, 10), 400).soft_alpha == 0
