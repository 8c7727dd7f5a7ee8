"""Artworks drawn in code, as (h, w, 4) uint8 RGBA with straight alpha, and a slow reference."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Pixels = npt.NDArray[np.uint8]


def wrap(height: int = 330, width: int = 700) -> Pixels:
    """Opaque, busy and coloured, from integer arithmetic alone."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    red = (x * x // 97 + 3 * y) % 256
    green = (x * y // 61 + 128 * ((x // 40 + y // 50) % 2)) % 256
    blue = (y * y // 43 + 2 * x + 90 * ((x - 300) ** 2 + (y - 150) ** 2 < 9000)) % 256
    return np.stack([red, green, blue, np.full_like(red, 255)], axis=2).astype(np.uint8)


def badge(height: int = 420, width: int = 360) -> Pixels:
    """Two soft-edged coloured discs on nothing, from integer arithmetic alone."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    first = np.clip(15000 - (x - 130) ** 2 - (y - 160) ** 2, 0, 2550) // 10
    second = np.clip(12000 - (x - 240) ** 2 - (y - 290) ** 2, 0, 5100) // 20
    art = np.zeros((height, width, 4), np.uint8)
    art[..., 0] = np.where(first > 0, 200, 20)
    art[..., 1] = (x // 3) % 256
    art[..., 2] = np.where(second > 0, 230, 40)
    art[..., 3] = np.maximum(first, second)
    return art


def lines(seed: int = 3, height: int = 900, width: int = 250) -> Pixels:
    """Black line art on nothing, from integer arithmetic alone; tall."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    ink = (x * seed + y) % (40 + 9 * seed) < 5
    ink |= abs((x - 120) ** 2 + (y - 110 * seed) ** 2 - 9000) < 700
    ink[:2, :2] = ink[-2:, -2:] = True
    art = np.zeros((height, width, 4), np.uint8)
    art[..., 3] = ink * 255
    return art


def text(words: str, colour: str = "black", size: int = 120) -> Pixels:
    """Lettering on nothing."""
    font = ImageFont.load_default(size)
    left, top, right, bottom = font.getbbox(words)
    picture = Image.new("RGBA", (int(right - left) + 20, int(bottom - top) + 20))
    ImageDraw.Draw(picture).text((10 - left, 10 - top), words, fill=colour, font=font)
    return np.array(picture)


def padded(art: Pixels, left: int, top: int, right: int, bottom: int) -> Pixels:
    return np.pad(art, ((top, bottom), (left, right), (0, 0)))


def one_call(art: Pixels, mode: str) -> Pixels:
    """What Pillow makes of an artwork in one call."""
    picture = Image.fromarray(art).convert(mode).resize((256, 256), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def cropped(art: Pixels, above: int = 16) -> Pixels:
    """The part of an artwork whose alpha is greater than ``above``, found row by row."""
    rows = np.flatnonzero((art[..., 3] > above).any(axis=1))
    columns = np.flatnonzero((art[..., 3] > above).any(axis=0))
    return art[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
