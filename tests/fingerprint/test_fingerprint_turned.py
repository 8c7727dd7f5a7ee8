"""The ways a picture can lie, and art cut out of a plain ground again."""

from __future__ import annotations

import numpy as np
import pytest
from fingerprint_art import badge, text, wrap
from PIL import Image

from shared.fingerprint.hashes import fingerprint
from shared.fingerprint.normal import normal_form
from shared.fingerprint.turned import turned

WAYS = [
    Image.Transpose.ROTATE_90,
    Image.Transpose.ROTATE_180,
    Image.Transpose.ROTATE_270,
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.TRANSPOSE,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.TRANSVERSE,
]


@pytest.mark.parametrize("art", [wrap(), badge(), text("Bride")], ids=["wrap", "badge", "text"])
def test_the_seven_other_ways_are_those_that_pillow_knows(art: np.ndarray) -> None:
    form = normal_form(art)
    found = turned(form)
    expected = [np.asarray(Image.fromarray(form.pixels).transpose(way)) for way in WAYS]
    assert len(found) == 7
    for pixels in expected:
        assert sum(np.array_equal(pixels, other.pixels) for other in found) == 1


def test_a_quarter_turn_swaps_the_sizes_and_a_half_does_not() -> None:
    form = normal_form(badge())
    sizes = [(other.width_px, other.height_px) for other in turned(form)]
    own, swapped = (form.width_px, form.height_px), (form.height_px, form.width_px)
    assert own != swapped
    assert sizes == [swapped, own, swapped, own, swapped, own, swapped]


@pytest.mark.parametrize("art", [wrap(), badge()], ids=["opaque", "alpha"])
def test_each_keeps_its_kind_and_can_be_fingerprinted(art: np.ndarray) -> None:
    form = normal_form(art)
    for other in turned(form):
        assert other.is_opaque is form.is_opaque
        assert other.pixels.flags["C_CONTIGUOUS"]
        assert fingerprint(other).phash != fingerprint(form).phash


def test_turned_back_an_upload_is_the_very_picture_by_the_hash() -> None:
    """A turned upload is shrunk in another order, so some levels differ by one."""
    art = badge()
    mine = fingerprint(normal_form(art))
    forms = turned(normal_form(np.ascontiguousarray(np.rot90(art))))
    assert min(mine.distances(fingerprint(form)).phash for form in forms) <= 2
