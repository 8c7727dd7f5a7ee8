"""Rotate: landscape art is turned clockwise, other art is left."""

from __future__ import annotations

import numpy as np
import pytest
from imaging_art import noise

from shared.imaging.rotate import rotate


@pytest.mark.parametrize("channels", [3, 4])
def test_landscape_art_is_turned_90_degrees_clockwise(channels: int) -> None:
    art = noise(20, 33, channels)
    turned = rotate(art)
    assert (turned == np.rot90(art, -1)).all()
    assert (turned[0, -1] == art[0, 0]).all()


@pytest.mark.parametrize(("height", "width"), [(33, 20), (20, 20)])
def test_portrait_and_square_art_is_left_as_it_is(height: int, width: int) -> None:
    art = noise(height, width)
    assert rotate(art) is art
