"""Copies of another size, crop or direction."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from benchmarks.quality.drawing import Pixels
from shared.imaging.geometry import Size
from shared.imaging.resize import resize
from shared.imaging.trim import trim

_WAYS = {
    "area": cv2.INTER_AREA,
    "cubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}


def scaled(pixels: Pixels, by: float, way: str) -> Pixels:
    """Resized; area and cubic as plain tools do it, each channel for itself."""
    size = (max(1, round(pixels.shape[1] * by)), max(1, round(pixels.shape[0] * by)))
    if way == "lanczos":
        image = Image.fromarray(pixels).convert("RGBa").resize(size, Image.Resampling.LANCZOS)
        return np.asarray(image.convert("RGBA"))
    return np.asarray(cv2.resize(pixels, size, interpolation=_WAYS[way]))


def stretched(pixels: Pixels, by: float) -> Pixels:
    size = Size(round(pixels.shape[1] * by), pixels.shape[0])
    return resize(pixels, size)


def cropped(pixels: Pixels, px: int = 0, share: float = 0.0) -> Pixels:
    """Cut off on all four sides of what is visible, in pixels or as a share of each side."""
    art = trim(pixels)
    height, width = art.shape[:2]
    x, y = px or max(1, round(width * share)), px or max(1, round(height * share))
    return art[y : height - y, x : width - x]


def cropped_on_one_side(pixels: Pixels, share: float) -> Pixels:
    art = trim(pixels)
    return art[:, round(art.shape[1] * share) :]


def rotated(pixels: Pixels, degrees: float) -> Pixels:
    """Turned a little: art with alpha within a larger box, opaque art within its own."""
    is_opaque = bool((pixels[..., 3] == 255).all())
    if not is_opaque:
        image = Image.fromarray(pixels).convert("RGBa")
        turned = image.rotate(degrees, Image.Resampling.BICUBIC, expand=True)
        return np.asarray(turned.convert("RGBA"))
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    options = {"flags": cv2.INTER_CUBIC, "borderMode": cv2.BORDER_REPLICATE}
    return np.asarray(cv2.warpAffine(pixels, turn, (width, height), **options))


def mirrored(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(pixels[:, ::-1])


def flipped(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(pixels[::-1])


def quarters(pixels: Pixels, turns: int) -> Pixels:
    return np.ascontiguousarray(np.rot90(pixels, turns))


def print_file(pixels: Pixels) -> Pixels:
    """Prepared for print, 6 in at 400 dpi on the longest side."""
    return _longest(pixels, 2400)


def print_wrap(pixels: Pixels) -> Pixels:
    """Prepared for a cup, 9.5 x 4.33 in at 400 dpi, whatever its shape."""
    return resize(trim(pixels), Size(3800, 1732))


def print_canvas(pixels: Pixels) -> Pixels:
    """Prepared for a decal: 4 in on the longest side, on a canvas of 4 x 4 in at 400 dpi."""
    art = _longest(pixels, 1600)
    canvas = np.zeros((1600, 1600, 4), np.uint8)
    top, left = (1600 - art.shape[0]) // 2, (1600 - art.shape[1]) // 2
    canvas[top : top + art.shape[0], left : left + art.shape[1]] = art
    return canvas


def _longest(pixels: Pixels, px: int) -> Pixels:
    art = trim(pixels)
    height, width = art.shape[:2]
    by = px / max(height, width)
    return resize(art, Size(max(1, round(width * by)), max(1, round(height * by))))
