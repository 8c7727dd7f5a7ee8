"""Matrix products give what Pillow gives in one call."""

from __future__ import annotations

import numpy as np
import pytest
from fingerprint_art import one_call
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.fingerprint import lanczos
from shared.fingerprint.kernel import RUN, kernel
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
@pytest.mark.parametrize("small", [0, 10**9], ids=["by products", "by Pillow"])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_every_size_is_bit_identical_to_one_call(
    height: int, width: int, small: int, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanczos, "SMALL_PX", small)
    art = noise(height, width)
    assert np.array_equal(shrink(art, mode), one_call(art, mode))


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 900), st.integers(1, 900), st.integers(1, 9), st.sampled_from(["RGB", "RGBa"])
)
def test_any_size_over_any_number_of_threads_is_bit_identical_to_one_call(
    height: int, width: int, threads: int, mode: str
) -> None:
    art = noise(height, width)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lanczos, "SMALL_PX", 0)
        assert np.array_equal(shrink(art, mode, threads=threads), one_call(art, mode))


@settings(deadline=None, max_examples=25)
@given(st.integers(900, 22_000), st.booleans(), st.sampled_from(["black and white", "white"]))
def test_extreme_levels_of_any_length_neither_overflow_nor_round_otherwise(
    length: int, is_tall: bool, levels: str
) -> None:
    art = np.full((length, 30, 4) if is_tall else (30, length, 4), 255, np.uint8)
    if levels == "black and white":
        # As long as a lobe of the filter: the sums come as near to their limits as they can.
        lobe = np.arange(length) * 256 // length % 2 == 0
        art[lobe if is_tall else (slice(None), lobe)] = (0, 0, 0, 255)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lanczos, "SMALL_PX", 0)
        assert np.array_equal(shrink(art, "RGB"), one_call(art, "RGB"))


def test_lengths_whose_sums_a_float_can_not_hold_are_left_to_pillow() -> None:
    assert kernel(20_000) is not None
    assert kernel(60_000) is None
    art = noise(9, 60_000)
    assert np.array_equal(shrink(art, "RGBa"), one_call(art, "RGBa"))


def test_lengths_with_a_weight_next_to_a_tie_are_left_to_pillow() -> None:
    left_out = [length for length in range(700, 2200) if kernel(length) is None]
    assert 0 < len(left_out) < 20


def test_every_sum_of_a_kernel_stays_below_what_a_float_holds() -> None:
    for length in (1, 255, 256, 257, 3800, 9999, 20_000):
        found = kernel(length)
        assert found is not None
        parts = found.weights.reshape(64, 2, RUN, -1) * np.array([1, 256]).reshape(1, 2, 1, 1)
        assert (parts == np.rint(parts)).all()
        assert 255 * np.abs(parts).sum(axis=3).max() < 2**24


def test_a_large_picture_is_bit_identical_to_one_call_as_it_comes() -> None:
    art = noise(1100, 1300)
    assert np.array_equal(shrink(art, "RGBa"), one_call(art, "RGBa"))


def test_a_view_into_a_larger_picture_is_taken_as_it_is() -> None:
    art = noise(1300, 1400)
    view = art[11:1250, 70:1390]
    assert np.array_equal(shrink(view, "RGBa"), one_call(view.copy(), "RGBa"))


def test_the_picture_is_only_read() -> None:
    art = noise(1100, 1300)
    before = art.copy()
    art.setflags(write=False)
    shrink(art, "RGBa")
    assert np.array_equal(art, before)
