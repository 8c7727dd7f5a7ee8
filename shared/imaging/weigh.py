"""Weigh: multiply colours by their alpha before they are mixed, and divide afterwards.

Straight colours must not be mixed: what hides under transparent pixels would show at every edge
(Porter and Duff, "Compositing Digital Images", 1984).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.imaging.opencv import cv2
from shared.imaging.pixels import OPAQUE, Pixels
from shared.imaging.strips import in_strips

Weighted = npt.NDArray[np.uint16]
"""(h, w, 4): red, green and blue times alpha, and alpha times 255, all halved.

Halved, since cubic interpolation overshoots: colour and alpha must both have room for it, or one
of them is cut off and their quotient is another colour.
"""
STEP = OPAQUE / 2
"""One level of alpha in weighted form."""
STRIP_BYTES = 1 << 18
"""Of 8-bit pixels: with its products a strip stays in a processor's own cache."""


def weigh(pixels: Pixels) -> Weighted:
    """(h, w, 4) uint8 RGBA in weighted form; takes twice the picture's memory."""
    height, width = pixels.shape[:2]
    weighted = np.empty(pixels.shape, np.uint16)

    def strip(rows: slice) -> None:
        # Grey to RGBA: red, green and blue get the plane, alpha gets 255.
        weights = cv2.cvtColor(pixels[rows, :, 3], cv2.COLOR_GRAY2RGBA).astype(np.uint16)
        products = weighted[rows]
        products[...] = pixels[rows]
        products *= weights
        products >>= 1

    in_strips(strip, height, strip_rows(width))
    return weighted


def unweigh(weighted: Weighted) -> Pixels:
    """The (h, w, 4) uint8 RGBA of a weighted picture; fully transparent pixels are all zeros.

    A colour of alpha 2 or more comes back within one level of 255, of alpha 128 or more exactly.
    """
    height, width = weighted.shape[:2]
    pixels = np.empty(weighted.shape, np.uint8)

    def strip(rows: slice) -> None:
        alpha = weighted[rows, :, 3].astype(np.float32)
        hidden = cv2.threshold(alpha, STEP / 2, np.inf, cv2.THRESH_BINARY_INV)[1]
        # Grey to RGBA: red, green and blue get the plane, alpha gets 1.
        factors = cv2.cvtColor(OPAQUE * STEP / (alpha + hidden), cv2.COLOR_GRAY2RGBA)
        cv2.multiply(weighted[rows], factors, dst=pixels[rows], scale=1 / STEP, dtype=cv2.CV_8U)

    in_strips(strip, height, strip_rows(width))
    return pixels


def strip_rows(width: int) -> int:
    """Rows of a picture that make up a strip."""
    return max(1, STRIP_BYTES // (4 * width))
