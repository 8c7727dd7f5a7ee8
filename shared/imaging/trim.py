"""Trim: cut the transparent border off."""

from __future__ import annotations

import numpy as np

from shared.errors import FullyTransparent
from shared.imaging.opencv import cv2
from shared.imaging.pixels import Pixels


def box(pixels: Pixels, above: int) -> tuple[int, int, int, int] | None:
    """The smallest rectangle that holds every pixel whose alpha is greater than ``above``.

    ``pixels``: (h, w, 4) uint8 RGBA. ``above``: 0 to 254. Answers x, y, width, height in pixels,
    or None where no pixel is that opaque.
    """
    # Alpha is the highest byte of a pixel: in one word it is read twice as fast.
    seen = pixels.view("<u4")[..., 0] > (above + 1 << 24) - 1
    x, y, width, height = cv2.boundingRect(seen.view(np.uint8))
    return (x, y, width, height) if width else None


def trim(pixels: Pixels) -> Pixels:
    """The artwork without its fully transparent border: a view of (h, w, 4) uint8 RGBA.

    Every pixel with alpha above 0 is kept: nothing of the art is lost in print. Raises
    FullyTransparent where there is none.
    """
    found = box(pixels, above=0)
    if found is None:
        raise FullyTransparent
    x, y, width, height = found
    return pixels[y : y + height, x : x + width]
