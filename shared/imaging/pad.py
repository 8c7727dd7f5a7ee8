"""Pad: centre artwork on a template's transparent canvas."""

from __future__ import annotations

import numpy as np

from shared.errors import TemplateInvalid
from shared.imaging.geometry import Size
from shared.imaging.pixels import OPAQUE, Pixels


def pad(pixels: Pixels, canvas: Size | None) -> Pixels:
    """The artwork in the middle of a transparent canvas: (h, w, 4) uint8 RGBA.

    ``pixels``: (h, w, 3) opaque RGB or (h, w, 4) RGBA, given back as it is where there is no
    canvas or it fills the canvas. An odd pixel of border falls to the right and to the bottom.
    Raises TemplateInvalid for artwork larger than the canvas.
    """
    height, width, channels = pixels.shape
    if canvas is None or canvas == (width, height):
        return pixels
    left, top = (canvas.width - width) // 2, (canvas.height - height) // 2
    if left < 0 or top < 0:
        raise TemplateInvalid(reason=f"its canvas is {canvas}, the art {Size(width, height)}")
    board = np.zeros((canvas.height, canvas.width, 4), np.uint8)
    middle = board[top : top + height, left : left + width]
    middle[:, :, :channels] = pixels
    if channels == 3:
        middle[:, :, 3] = OPAQUE
    return board
