"""Rotate: turn landscape artwork upright."""

from __future__ import annotations

import numpy as np

from shared.imaging.opencv import cv2
from shared.imaging.pixels import Pixels


def rotate(pixels: Pixels) -> Pixels:
    """Artwork that is wider than high, turned 90 degrees clockwise; other artwork as it is.

    ``pixels``: (h, w, channels) uint8.
    """
    height, width = pixels.shape[:2]
    if width <= height:
        return pixels
    return np.asarray(cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE), dtype=np.uint8)
