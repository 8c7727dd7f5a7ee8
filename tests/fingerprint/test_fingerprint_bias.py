"""The fixed pattern is the same everywhere, and is added in integers."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from scipy.fft import idctn

from shared.fingerprint.bias import biased, pattern


@pytest.mark.parametrize(
    ("strength", "largest", "digest"),
    [
        (2, 7, "6e2e4a94790f3e72"),
        (6, 22, "9b66cfe0c4ab7fc8"),
    ],
)
def test_the_pattern_has_its_known_values(strength: int, largest: int, digest: str) -> None:
    table = pattern(strength)
    assert table.shape == (256, 256)
    assert table.dtype == np.int8
    assert (table.min(), table.max()) == (-largest, largest)
    assert hashlib.sha256(table.tobytes()).hexdigest()[:16] == digest


@pytest.mark.parametrize("strength", [2, 6])
def test_the_pattern_is_the_inverse_dct_of_its_signs(strength: int) -> None:
    seed = int("411a4c63e8397f6396938e77cbbb2a55592c229dd291f45dfd42aafcc6069089", 16)
    signs = np.zeros((256, 256))
    for place, bit in enumerate(f"{seed:0256b}"):
        signs[place // 16, place % 16] = 1 if bit == "1" else -1
    signs[0, 0] = 0
    wave = idctn(signs, norm="ortho")
    wave *= strength / wave.std()
    assert np.array_equal(pattern(strength), np.rint(wave))
    # Far enough from a tie that no machine's rounding can move a value.
    assert np.abs(np.abs(wave - np.floor(wave)) - 0.5).min() > 1e-7


def test_the_pattern_can_not_be_changed_by_a_caller() -> None:
    with pytest.raises(ValueError, match="read-only"):
        pattern(6)[0, 0] = 0


@pytest.mark.parametrize("strength", [2, 6])
@pytest.mark.parametrize("level", [0, 1, 127, 254, 255])
def test_every_grey_level_keeps_room_for_most_of_the_pattern(strength: int, level: int) -> None:
    out = biased(np.full((256, 256), level, np.uint8), strength)
    middle = (level * (255 - 4 * strength) + 127) // 255 + 2 * strength
    assert 2 * strength <= middle <= 255 - 2 * strength
    assert np.array_equal(out, np.clip(middle + pattern(strength).astype(int), 0, 255))
