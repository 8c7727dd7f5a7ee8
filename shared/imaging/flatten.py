"""Flatten: drop the alpha of artwork that is fully opaque."""

from __future__ import annotations

import numpy as np

from shared.imaging.opencv import cv2
from shared.imaging.pixels import OPAQUE, Pixels


def flatten(pixels: Pixels) -> Pixels:
    """(h, w, 3) RGB where every pixel of (h, w, 4) RGBA is opaque; else the picture as it is."""
    alpha = pixels[:, :, 3]
    # One row tells most art with transparency from opaque art, without a look at all of it.
    if alpha[0].min() < OPAQUE or cv2.minMaxLoc(alpha)[0] < OPAQUE:
        return pixels
    return without_alpha(pixels)


def without_alpha(pixels: Pixels) -> Pixels:
    """(h, w, 3) RGB of (h, w, 4) RGBA."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB), dtype=np.uint8)
