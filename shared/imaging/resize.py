"""Resize: bring artwork to its print size."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from shared.imaging.geometry import Size
from shared.imaging.opencv import cv2
from shared.imaging.pixels import Pixels


def resize(pixels: Pixels, size: Size) -> Pixels:
    """The artwork at ``size``: areas averaged where a side shrinks, cubic where it grows.

    ``pixels``: (h, w, 3) or (h, w, 4) uint8; the answer has as many channels. Colours are
    weighted by alpha, so what hides under transparent pixels never shows at an edge.
    """
    height, width = pixels.shape[:2]
    if size == (width, height):
        return pixels
    if pixels.shape[2] == 3:
        return np.asarray(_scale(pixels, size), dtype=np.uint8)
    return _weighted(pixels, size)


def _weighted(pixels: Pixels, size: Size) -> Pixels:
    """RGBA resized as colour times alpha, one plane after the other to bound memory.

    In floats, since cubic overshoots at edges: colour and alpha must do so alike, or their
    quotient is another colour.
    """
    alpha = pixels[:, :, 3].astype(np.float32)
    weight = _scale(alpha, size)
    answer = np.empty((size.height, size.width, 4), np.uint8)
    for channel in range(3):
        product = _scale(cv2.multiply(pixels[:, :, channel], alpha, dtype=cv2.CV_32F), size)
        colour = cv2.divide(product, weight, dtype=cv2.CV_8U)
        cv2.insertChannel(colour, answer, channel)
    cv2.insertChannel(cv2.convertScaleAbs(np.maximum(weight, 0)), answer, 3)
    return answer


Plane = npt.NDArray[np.integer[Any] | np.floating[Any]]


def _scale(plane: Plane, size: Size) -> Plane:
    """One or several channels of any depth, without regard to alpha.

    OpenCV averages areas only where both sides shrink, so a side that grows has its own pass.
    """
    height, width = plane.shape[:2]
    smaller = Size(min(width, size.width), min(height, size.height))
    if smaller != (width, height):
        plane = cv2.resize(plane, smaller, interpolation=cv2.INTER_AREA)
    if smaller != size:
        plane = cv2.resize(plane, size, interpolation=cv2.INTER_CUBIC)
    return plane
