"""Flatten: only art that is opaque everywhere loses its alpha."""

from __future__ import annotations

import pytest
from imaging_art import noise

from shared.imaging.flatten import flatten


def test_opaque_art_keeps_its_colours_and_loses_its_alpha() -> None:
    art = noise(30, 40)
    art[..., 3] = 255
    assert (flatten(art) == art[..., :3]).all()


@pytest.mark.parametrize("place", [(0, 0), (0, 39), (17, 20), (29, 39)])
def test_one_pixel_that_is_not_opaque_keeps_the_alpha(place: tuple[int, int]) -> None:
    art = noise(30, 40)
    art[..., 3] = 255
    art[(*place, 3)] = 254
    assert flatten(art) is art


def test_a_view_into_larger_art_is_judged_by_itself() -> None:
    art = noise(30, 40)
    art[5:20, 5:20, 3] = 255
    assert (flatten(art[5:20, 5:20]) == art[5:20, 5:20, :3]).all()
