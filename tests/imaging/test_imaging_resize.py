"""Resize: size, fidelity, and edges without halos."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imaging_art import Pixels, disc, noise, plain
from PIL import Image

from shared.imaging.geometry import Size
from shared.imaging.resize import resize
from tests.draw import text

SMALLER, LARGER, WIDER, HIGHER = Size(83, 70), Size(390, 405), Size(350, 80), Size(77, 300)
SLIGHTLY_SMALLER = Size(110, 92)
EVERY_WAY = pytest.mark.parametrize(
    "size", [SMALLER, LARGER, WIDER, HIGHER, SLIGHTLY_SMALLER], ids=str
)


def reference(art: Pixels, size: Size) -> npt.NDArray[np.float64]:
    """The same in doubles: colour times alpha, areas, cubic, and colour over alpha."""
    height, width = art.shape[:2]
    smaller = Size(
        size.width if size.width < 0.85 * width else width,
        size.height if size.height < 0.85 * height else height,
    )
    alpha = art[..., 3:].astype(float)
    weighted = np.concatenate([art[..., :3] * alpha, alpha], axis=2)
    weighted = cv2.resize(weighted, smaller, interpolation=cv2.INTER_AREA).astype(float)
    weighted = cv2.resize(weighted, size, interpolation=cv2.INTER_CUBIC).astype(float)
    weighted[..., :3] /= np.maximum(weighted[..., 3:], 1e-6)
    return np.clip(weighted, 0, 255)


@EVERY_WAY
@pytest.mark.parametrize("channels", [3, 4])
def test_art_gets_the_asked_size_and_keeps_its_channels(size: Size, channels: int) -> None:
    resized = resize(noise(100, 120, channels), size)
    assert resized.shape == (size.height, size.width, channels)
    assert resized.dtype == np.uint8


def test_art_of_the_asked_size_is_left_as_it_is() -> None:
    art = noise(40, 60)
    assert resize(art, Size(60, 40)) is art


@EVERY_WAY
def test_colours_that_hide_under_transparent_pixels_do_not_bleed(size: Size) -> None:
    resized = resize(disc(hidden=(0, 255, 0)), size).astype(int)
    visible = resized[resized[..., 3] > 0]
    assert len(visible) > 1000
    assert np.abs(visible[:, :3] - (255, 0, 0)).max() <= 2


@EVERY_WAY
def test_transparent_pixels_come_out_all_zeros(size: Size) -> None:
    resized = resize(disc(), size)
    assert not resized[resized[..., 3] == 0].any()


@EVERY_WAY
def test_visible_colours_are_within_a_level_of_exact_arithmetic(size: Size) -> None:
    art = noise(100, 120)
    exact, resized = reference(art, size), resize(art, size)
    off = np.abs(resized - exact)
    assert off[..., 3].max() <= 0.6
    assert off[exact[..., 3] >= 8].max() <= 1


@EVERY_WAY
def test_opaque_regions_stay_fully_opaque(size: Size) -> None:
    art = noise(201, 201)
    art[..., 3] = 255
    assert (resize(art, size)[..., 3] == 255).all()


@EVERY_WAY
def test_opaque_art_comes_out_the_same_with_alpha_or_without(size: Size) -> None:
    art = noise(100, 120)
    art[..., 3] = 255
    off = np.abs(resize(art, size)[..., :3].astype(int) - resize(art[..., :3].copy(), size))
    # Cubic rounds between its two passes where OpenCV works in 8 bits.
    assert off.max() <= 2


@EVERY_WAY
@pytest.mark.parametrize("colour", [(200, 77, 3, 255), (200, 77, 3)])
def test_one_colour_stays_one_colour(size: Size, colour: tuple[int, ...]) -> None:
    assert (resize(plain(100, 120, *colour), size) == colour).all()


def test_a_slight_reduction_is_nearer_to_lanczos_than_an_average_is() -> None:
    art = np.asarray(text("Nearer"))[:, :, :3] + np.asarray(text("Nearer"))[:, :, 3:]
    size = Size(810, 360)
    exact = np.asarray(Image.fromarray(art).resize(size, Image.Resampling.LANCZOS)).astype(float)
    averaged = cv2.resize(art, size, interpolation=cv2.INTER_AREA)
    ours = np.square(resize(art, size) - exact).mean()
    assert ours < np.square(averaged - exact).mean() / 2


def test_a_reduced_pixel_is_the_average_of_its_area() -> None:
    art = noise(60, 60, channels=3)
    expected = art.reshape(20, 3, 20, 3, 3).mean(axis=(1, 3))
    assert np.abs(resize(art, Size(20, 20)) - expected).max() <= 0.5


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize(
    ("height", "width", "size"),
    [(4000, 4000, Size(2, 2)), (5000, 5000, Size(1, 1)), (1001, 7003, Size(5, 3))],
)
def test_the_average_of_millions_of_pixels_is_exact_too(
    height: int, width: int, size: Size, channels: int
) -> None:
    one_row = noise(1, width, channels)
    one_row[..., 3:] = 255
    art = np.broadcast_to(one_row, (height, width, channels)).copy()
    expected = cv2.resize(one_row.astype(float), Size(size.width, 1), interpolation=cv2.INTER_AREA)
    assert np.abs(resize(art, size) - expected).max() <= 1


def test_a_side_that_shrinks_is_averaged_while_the_other_grows() -> None:
    stripes = np.zeros((10, 300, 3), np.uint8)
    stripes[:, ::3] = 255
    assert (resize(stripes, Size(100, 40)) == 85).all()


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 60),
    st.integers(1, 60),
    st.sampled_from([3, 4]),
)
def test_art_of_any_size_becomes_any_size(
    height: int, width: int, high: int, wide: int, channels: int
) -> None:
    assert resize(noise(height, width, channels), Size(wide, high)).shape == (high, wide, channels)


def test_a_view_into_larger_art_is_resized_by_itself() -> None:
    art = noise(100, 120)
    view = art[10:90, 5:115]
    assert (resize(view, Size(50, 50)) == resize(view.copy(), Size(50, 50))).all()
