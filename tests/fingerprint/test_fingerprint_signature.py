"""The signature against a slow reading of its definition."""

from __future__ import annotations

import hashlib
from fractions import Fraction

import numpy as np
import pytest
from fingerprint_art import badge, lines, wrap
from PIL import Image

from shared.fingerprint.normal import normal_form
from shared.fingerprint.signature import Planes, planes, signature
from shared.records import NormalForm


def cell_means(form: NormalForm, cells: int, row: int, column: int) -> list[Fraction]:
    side = 256 // cells
    cell = form.pixels[row * side : (row + 1) * side, column * side : (column + 1) * side]
    return [Fraction(int(cell[..., channel].sum()), side * side) for channel in range(4)]


def luma(red: Fraction, green: Fraction, blue: Fraction) -> Fraction:
    return Fraction(299, 1000) * red + Fraction(587, 1000) * green + Fraction(114, 1000) * blue


def chroma(form: NormalForm, channel: int, weight: Fraction) -> list[int]:
    values = []
    for place in range(64):
        means = cell_means(form, 8, place // 8, place % 8)
        level = weight * (means[channel] - luma(*means[:3])) + 128
        values.append(min(255, int(level + Fraction(1, 2))))
    return values


def unpacked(data: bytes, count: int) -> list[int]:
    bits = "".join(f"{byte:08b}" for byte in data)
    return [int(bits[6 * place : 6 * place + 6], 2) for place in range(count)]


@pytest.mark.parametrize("art", [badge(), lines()], ids=["badge", "lines"])
def test_art_with_alpha_has_luma_alpha_and_chroma(art: np.ndarray) -> None:
    form = normal_form(art)
    data = bytes.fromhex(signature(form))
    means = [cell_means(form, 16, place // 16, place % 16) for place in range(256)]
    assert unpacked(data[:192], 256) == [int(luma(*mean[:3]) / 4) for mean in means]
    assert unpacked(data[192:384], 256) == [int(mean[3] / 4) for mean in means]
    assert list(data[384:448]) == chroma(form, 2, Fraction(564, 1000))
    assert list(data[448:512]) == chroma(form, 0, Fraction(713, 1000))
    assert len(data) == 512


def test_opaque_art_has_a_finer_luma_and_chroma() -> None:
    form = normal_form(wrap())
    data = bytes.fromhex(signature(form))
    grey = Image.fromarray(form.pixels[..., :3]).convert("L")
    small = np.asarray(grey.resize((22, 22), Image.Resampling.BOX)).ravel()
    assert unpacked(data[:363], 484) == [int(level) // 4 for level in small]
    assert list(data[363:427]) == chroma(form, 2, Fraction(564, 1000))
    assert list(data[427:491]) == chroma(form, 0, Fraction(713, 1000))
    assert data[491:] == bytes(21)


@pytest.mark.parametrize("opaque", [True, False])
@pytest.mark.parametrize("colour", [(0, 0, 255), (255, 0, 0), (255, 255, 0), (255, 255, 255)])
def test_the_purest_colours_fit_in_their_bytes(colour: tuple[int, int, int], opaque: bool) -> None:
    form = NormalForm(np.full((256, 256, 4), (*colour, 255), np.uint8), 256, 256, opaque)
    data = bytes.fromhex(signature(form))
    planes = slice(363, 491) if opaque else slice(384, 512)
    expected = chroma(form, 2, Fraction(564, 1000)) + chroma(form, 0, Fraction(713, 1000))
    assert list(data[planes]) == expected


def test_signatures_have_their_known_values() -> None:
    digests = [
        hashlib.sha256(bytes.fromhex(signature(normal_form(art)))).hexdigest()[:16]
        for art in (wrap(), badge(), lines())
    ]
    assert digests == ["2cfc48176a4d3d16", "da167be364c27c78", "e9fc7b9de6dbfdf3"]


@pytest.mark.parametrize("art", [badge(), lines()], ids=["badge", "lines"])
def test_planes_are_the_means_of_the_pixels_again(art: np.ndarray) -> None:
    form = normal_form(art)
    read = planes([signature(form)], is_opaque=False)
    boxes = form.pixels.reshape(16, 16, 16, 16, 4).mean(axis=(1, 3))
    grey = boxes[..., :3] @ np.array([0.299, 0.587, 0.114])
    assert np.abs(read.luma[..., 0] - grey).max() <= 2
    assert np.abs(read.alpha[..., 0] - boxes[..., 3]).max() <= 2
    assert_chroma(read, form)


def test_planes_of_opaque_art_have_a_finer_luma_and_are_opaque_throughout() -> None:
    form = normal_form(wrap())
    read = planes([signature(form)], is_opaque=True)
    grey = Image.fromarray(form.pixels[..., :3]).convert("L")
    small = np.asarray(grey.resize((22, 22), Image.Resampling.BOX), np.int16)
    assert np.abs(read.luma[..., 0] - small).max() <= 2
    assert (read.alpha == 255).all()
    assert_chroma(read, form)


def assert_chroma(read: Planes, form: NormalForm) -> None:
    red, _, blue, _ = np.moveaxis(form.pixels.reshape(8, 32, 8, 32, 4).mean(axis=(1, 3)), 2, 0)
    grey = form.pixels[..., :3].reshape(8, 32, 8, 32, 3).mean(axis=(1, 3)) @ [0.299, 0.587, 0.114]
    assert np.abs(read.blue[..., 0] - 0.564 * (blue - grey)).max() <= 0.51
    assert np.abs(read.red[..., 0] - 0.713 * (red - grey)).max() <= 0.51


def test_planes_of_several_lie_side_by_side_in_their_order() -> None:
    signatures = [signature(normal_form(art)) for art in (badge(), lines(), badge())]
    together = planes(signatures, is_opaque=False)
    for name in ("luma", "alpha", "blue", "red"):
        plane = getattr(together, name)
        assert plane.shape[2] == 3
        assert plane.dtype == np.int16
        for at, text in enumerate(signatures):
            alone = getattr(planes([text], is_opaque=False), name)
            assert np.array_equal(plane[..., at], alone[..., 0])
