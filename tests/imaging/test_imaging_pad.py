"""Pad: art stands in the middle of its canvas."""

from __future__ import annotations

import numpy as np
import pytest
from imaging_art import noise

from shared.errors import TemplateInvalid
from shared.imaging.geometry import Size
from shared.imaging.pad import pad


def test_art_is_centred_on_transparent_black() -> None:
    art = noise(20, 30)
    board = pad(art, Size(40, 50))
    assert board.shape == (50, 40, 4)
    assert (board[15:35, 5:35] == art).all()
    assert board.sum() == art.sum()


def test_an_odd_pixel_of_border_falls_to_the_right_and_to_the_bottom() -> None:
    board = pad(noise(1, 1) | 1, Size(4, 2))
    assert np.argwhere(board[..., 3]).tolist() == [[0, 1]]


def test_opaque_art_stays_opaque_on_its_canvas() -> None:
    art = noise(20, 30, channels=3)
    board = pad(art, Size(30, 22))
    assert (board[1:21, :, :3] == art).all()
    assert (board[1:21, :, 3] == 255).all()
    assert not board[0].any()
    assert not board[21].any()


def test_art_that_fills_its_canvas_is_left_as_it_is() -> None:
    art = noise(20, 30, channels=3)
    assert pad(art, Size(30, 20)) is art


@pytest.mark.parametrize("canvas", [Size(29, 50), Size(50, 19)])
def test_art_larger_than_its_canvas_is_refused(canvas: Size) -> None:
    with pytest.raises(TemplateInvalid, match="30 x 20 px"):
        pad(noise(20, 30), canvas)
