"""The picture that goes from step to step of print preparation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
"""(h, w, 4) RGBA with straight alpha, or (h, w, 3) RGB, which is fully opaque; 8 bits each.

A step never writes into the picture it is given.
"""
OPAQUE = 255
"""The alpha of a fully opaque pixel."""


def all_opaque(pixels: Pixels) -> bool:
    """Whether every alpha of (h, w, 4) RGBA is 255."""
    # Alpha is the highest byte of a little-endian word: so it is read twice as fast.
    return bool(pixels.view("<u4").min() >= OPAQUE << 24)
