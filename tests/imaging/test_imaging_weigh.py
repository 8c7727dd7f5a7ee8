"""Weigh: colour times alpha and back."""

from __future__ import annotations

import numpy as np
import pytest
from imaging_art import Pixels, noise

from shared.imaging.weigh import unweigh, weigh


def every_colour_at_every_alpha() -> Pixels:
    alpha, colour = np.mgrid[0:256, 0:256].astype(np.uint8)
    return np.dstack([colour, 255 - colour, colour // 2, alpha])


def test_alpha_comes_back_exactly() -> None:
    art = every_colour_at_every_alpha()
    assert (unweigh(weigh(art))[..., 3] == art[..., 3]).all()


@pytest.mark.parametrize(("alpha", "levels"), [(1, 2), (2, 1), (128, 0), (255, 0)])
def test_a_colour_comes_back_within_a_level_but_at_the_faintest_alpha(
    alpha: int, levels: int
) -> None:
    art = every_colour_at_every_alpha()
    off = np.abs(unweigh(weigh(art)).astype(int) - art)
    assert off[alpha:, :, :3].max() <= levels


def test_what_hides_under_transparent_pixels_is_gone() -> None:
    art = noise(40, 40)
    art[..., 3] = 0
    assert not unweigh(weigh(art)).any()


def test_a_colour_beyond_its_alpha_is_cut_at_full_colour() -> None:
    weighted = np.array([[[900, 0, 450, 600], [70, 70, 70, 40]]], np.uint16)
    assert unweigh(weighted).tolist() == [[[255, 0, 191, 5], [0, 0, 0, 0]]]


def test_a_picture_of_many_strips_and_a_view_are_weighed_alike() -> None:
    art = noise(3000, 401)
    whole = weigh(art)
    assert (whole[..., :3] == (art[..., :3].astype(np.uint16) * art[..., 3:]) >> 1).all()
    assert (weigh(art[100:, 7:]) == whole[100:, 7:]).all()
