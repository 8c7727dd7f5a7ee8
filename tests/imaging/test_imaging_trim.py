"""Trim: the transparent border goes, nothing of the art does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imaging_art import noise, plain

from shared.errors import FullyTransparent
from shared.imaging.trim import box, trim


def test_the_border_is_cut_to_the_outermost_visible_pixels() -> None:
    art = plain(50, 80, 9, 9, 9, 0)
    art[10, 70] = art[40, 20] = (1, 2, 3, 1)
    assert box(art, above=0) == (20, 10, 51, 31)
    assert trim(art).shape == (31, 51, 4)


def test_what_is_cut_out_is_a_view_of_the_art_itself() -> None:
    art = plain(9, 9, 1, 2, 3, 0)
    art[4, 5] = 255
    assert np.shares_memory(trim(art), art)
    assert (trim(art) == [[[255, 255, 255, 255]]]).all()


def test_opaque_art_is_left_as_it_is() -> None:
    art = plain(7, 5, 1, 2, 3, 255)
    assert trim(art).shape == art.shape


def test_fully_transparent_art_is_refused_whatever_colours_it_hides() -> None:
    art = noise(20, 30)
    art[..., 3] = 0
    assert box(art, above=0) is None
    with pytest.raises(FullyTransparent):
        trim(art)


def test_the_threshold_leaves_faint_pixels_out_and_art_untouched() -> None:
    art = plain(30, 30, 0, 0, 0, 0)
    art[0, 0, 3], art[5:20, 6:16, 3] = 16, 17
    art.flags.writeable = False
    assert box(art, above=16) == (6, 5, 10, 15)
    assert box(art, above=17) is None
    assert box(art, above=0) == (0, 0, 16, 20)


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 254), st.integers(0, 2**32 - 1))
def test_the_box_is_the_smallest_that_holds_every_visible_pixel(
    height: int, width: int, above: int, seed: int
) -> None:
    art = noise(height, width, seed=seed)
    rows, columns = np.nonzero(art[..., 3] > above)
    found = box(art, above)
    if not len(rows):
        assert found is None
        return
    x, y, wide, high = found or (0, 0, 0, 0)
    assert (x, y) == (columns.min(), rows.min())
    assert (x + wide - 1, y + high - 1) == (columns.max(), rows.max())
