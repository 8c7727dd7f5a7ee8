"""Strips give what Pillow gives in one call."""

from __future__ import annotations

import numpy as np
import pytest
from fingerprint_art import one_call
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.fingerprint import lanczos
from shared.fingerprint.lanczos import shrink

SIZES = [
    (1, 1),
    (1, 5000),
    (5000, 1),
    (3, 5000),
    (5000, 3),
    (255, 257),
    (256, 256),
    (256, 700),
    (700, 256),
    (257, 255),
    (257, 257),
    # Either side of where Pillow 13 begins with the height.
    (344, 300),
    (345, 300),
    (1744, 1000),
    (1745, 1000),
    (1001, 1303),
]


def noise(height: int, width: int) -> np.ndarray:
    seed = np.random.default_rng(height * 10_000 + width)
    return seed.integers(0, 256, (height, width, 4), dtype=np.uint8)


@pytest.mark.parametrize("mode", ["RGB", "RGBa"])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_every_size_is_bit_identical_to_one_call(
    height: int, width: int, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Five strips of each picture, however small.
    monkeypatch.setattr(lanczos, "SMALL_PX", 0)
    monkeypatch.setattr(lanczos, "STRIPS", 5)
    art = noise(height, width)
    assert np.array_equal(np.asarray(shrink(art, mode)), one_call(art, mode))


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 900), st.integers(1, 900), st.integers(1, 9), st.sampled_from(["RGB", "RGBa"])
)
def test_any_size_in_any_number_of_strips_is_bit_identical_to_one_call(
    height: int, width: int, strips: int, mode: str
) -> None:
    art = noise(height, width)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lanczos, "SMALL_PX", 0)
        patch.setattr(lanczos, "STRIPS", strips)
        assert np.array_equal(np.asarray(shrink(art, mode)), one_call(art, mode))


def test_a_large_picture_is_bit_identical_to_one_call_as_it_comes() -> None:
    art = noise(1100, 1300)
    assert np.array_equal(np.asarray(shrink(art, "RGBa")), one_call(art, "RGBa"))


def test_a_view_into_a_larger_picture_is_taken_as_it_is() -> None:
    art = noise(1300, 1400)
    view = art[11:1250, 70:1390]
    assert np.array_equal(np.asarray(shrink(view, "RGBa")), one_call(view.copy(), "RGBa"))


def test_the_picture_is_only_read() -> None:
    art = noise(1100, 1300)
    before = art.copy()
    art.setflags(write=False)
    shrink(art, "RGBa")
    assert np.array_equal(art, before)
