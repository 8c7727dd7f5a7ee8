"""Art on a plain ground is cut out again, where there is a plain ground."""

from __future__ import annotations

import io

import numpy as np
import pytest
from fingerprint_art import Pixels, wrap
from PIL import Image, ImageDraw

from shared.fingerprint.ground import SIDE_PX, cut_out

GROUNDS = [(255, 255, 255), (0, 0, 0), (240, 200, 90)]
grounds = pytest.mark.parametrize("ground", GROUNDS, ids=["white", "black", "coloured"])


def disc(ground: tuple[int, int, int], *, hole: bool = False, size: int = 200) -> Image.Image:
    """A green disc, or ring, in the middle of a plain ground."""
    image = Image.new("RGB", (size, size), ground)
    pen = ImageDraw.Draw(image)
    pen.ellipse((size // 5, size // 5, size * 4 // 5, size * 4 // 5), fill=(20, 130, 60))
    if hole:
        pen.ellipse((size * 2 // 5, size * 2 // 5, size * 3 // 5, size * 3 // 5), fill=ground)
    return image


def pixels(image: Image.Image) -> Pixels:
    return np.asarray(image.convert("RGBA"))


def as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


@grounds
def test_the_ground_becomes_transparent_and_the_art_stays(ground: tuple[int, int, int]) -> None:
    reached, everywhere = cut_out(pixels(disc(ground)))
    for art in (reached, everywhere):
        assert art[0, 0, 3] == 0
        assert art[100, 100].tolist() == [20, 130, 60, 255]
        assert (art[..., 3] == 255).mean() == pytest.approx(np.pi * 0.3**2, abs=0.02)


@grounds
@pytest.mark.parametrize("quality", [60, 90])
def test_the_noise_of_a_jpeg_is_ground(ground: tuple[int, int, int], quality: int) -> None:
    found = cut_out(pixels(as_jpeg(disc(ground), quality)))
    clean = cut_out(pixels(disc(ground)))
    assert len(found) == 2
    for art, own in zip(found, clean, strict=True):
        assert art[:30, :, 3].max() == 0
        assert np.abs(art[..., 3].astype(int) - own[..., 3]).mean() < 4


def test_a_hole_is_ground_in_one_of_the_two_ways() -> None:
    reached, everywhere = cut_out(pixels(disc((255, 255, 255), hole=True)))
    assert (reached[100, 100, 3], everywhere[100, 100, 3]) == (255, 0)
    assert (reached[0, 0, 3], everywhere[0, 0, 3]) == (0, 0)


def test_a_ground_that_the_art_cuts_in_two_is_reached_from_each_rim() -> None:
    image = disc((255, 255, 255))
    ImageDraw.Draw(image).line((100, 2, 100, 197), fill=(20, 130, 60), width=6)
    reached, _ = cut_out(pixels(image))
    assert (reached[10, 10, 3], reached[10, 190, 3], reached[100, 100, 3]) == (0, 0, 255)


def test_a_soft_edge_has_its_share_of_alpha() -> None:
    image = Image.new("RGB", (100, 100), (255, 255, 255))
    ImageDraw.Draw(image).rectangle((30, 30, 70, 70), fill=(0, 0, 0))
    image.putpixel((29, 50), (215, 215, 215))
    _, everywhere = cut_out(pixels(image))
    assert everywhere[50, 29, 3] == (40 - 16) * 255 // (64 - 16)


@pytest.mark.parametrize("ground", GROUNDS)
def test_everything_that_is_ground_gives_nothing(ground: tuple[int, int, int]) -> None:
    assert cut_out(pixels(Image.new("RGB", (50, 40), ground))) == []
    assert cut_out(pixels(as_jpeg(Image.new("RGB", (50, 40), ground), 60))) == []


def test_art_up_to_the_rim_has_no_plain_ground() -> None:
    assert cut_out(wrap()) == []
    image = disc((255, 255, 255))
    ImageDraw.Draw(image).rectangle((0, 0, 30, 30), fill=(0, 0, 0))
    assert cut_out(pixels(image)) == []


def test_a_speck_at_the_rim_is_borne_with() -> None:
    image = disc((255, 255, 255))
    ImageDraw.Draw(image).rectangle((0, 100, 5, 105), fill=(0, 0, 0))
    assert len(cut_out(pixels(image))) == 2


@pytest.mark.parametrize("shape", [(3000, 1500), (1500, 3000), (1, 3000), (1, 1), (1024, 1024)])
def test_a_large_picture_is_worked_on_small(shape: tuple[int, int]) -> None:
    height, width = shape
    art = np.full((height, width, 4), 255, np.uint8)
    art[height // 4 : height // 2, width // 4 : width // 2, :3] = 0
    for found in cut_out(art):
        assert max(found.shape[:2]) <= SIDE_PX
        assert found.shape[2] == 4


def test_what_is_cut_out_is_left_as_it_was() -> None:
    art = pixels(disc((255, 255, 255)))
    before = art.copy()
    cut_out(art)
    assert np.array_equal(art, before)
