"""Art on a plain ground, cut out again: what a transparent design becomes when saved as a JPEG."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.imaging.opencv import cv2
from shared.imaging.pixels import Pixels

SIDE_PX = 1024
"""Longest side that is worked on: the fingerprint sees 256 px."""

RIM_SHARE = 0.97
"""Share of the outermost pixels that must have one colour for it to be a ground."""

SAME_LEVELS = 16
"""Levels of 255, in any channel, up to which a pixel is the ground itself: JPEG's noise."""

SOLID_LEVELS = 64
"""Levels from which a pixel is the art itself; between the two it is its soft edge."""


def cut_out(pixels: Pixels) -> list[Pixels]:
    """Opaque art without its plain ground, in the two ways that it can be meant.

    ``pixels``: (h, w, 4) uint8 RGBA, opaque. The answers are smaller pictures of the same kind:
    one in which the ground is only what reaches the rim, and one in which everything of its colour
    is ground. Empty where there is no plain ground, or nothing else.
    """
    small = _reduced(pixels)
    rim = np.concatenate((small[0], small[-1], small[:, 0], small[:, -1]))
    colour = np.median(rim, axis=0)
    if (_apart(rim, colour) <= SAME_LEVELS).mean() < RIM_SHARE:
        return []
    apart = _apart(small, colour)
    alpha = np.clip((apart - SAME_LEVELS) / (SOLID_LEVELS - SAME_LEVELS) * 255, 0, 255)
    soft = alpha.astype(np.uint8)
    within_reach = np.where(_reached(soft), soft, np.uint8(255))
    return [np.dstack((small, plane)) for plane in (within_reach, soft) if plane.any()]


def _reduced(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    scale = SIDE_PX / max(height, width)
    colours = np.ascontiguousarray(pixels[..., :3])
    if scale >= 1:
        return colours
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(colours, size, interpolation=cv2.INTER_AREA), np.uint8)


def _apart(pixels: Pixels, colour: npt.NDArray[np.floating]) -> npt.NDArray[np.int16]:
    """The largest difference of any channel, in levels."""
    apart = np.abs(pixels.astype(np.int16) - colour.astype(np.int16))
    most: npt.NDArray[np.int16] = apart.max(axis=-1)
    return most


def _reached(alpha: Pixels) -> npt.NDArray[np.bool_]:
    """Whether a pixel is ground, or soft edge, that hangs together with the rim."""
    padded = np.pad((alpha < 255).astype(np.uint8), 1, constant_values=1)
    cv2.floodFill(padded, None, (0, 0), 2)
    reached: npt.NDArray[np.bool_] = padded[1:-1, 1:-1] == 2
    return reached
