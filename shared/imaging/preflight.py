"""Preflight: what a printer wants to know of artwork before it is resized."""

from __future__ import annotations

from shared.imaging.geometry import Size
from shared.imaging.opencv import cv2
from shared.imaging.pixels import Pixels
from shared.records import Preflight


def measure(pixels: Pixels, size: Size, dpi: int) -> Preflight:
    """The facts of trimmed artwork that will be printed at ``size`` pixels and ``dpi``.

    ``pixels``: (h, w, 3) or (h, w, 4) uint8, already turned where the template turns it.
    """
    height, width = pixels.shape[:2]
    across, down = size.width / width, size.height / height
    return Preflight(
        width_px=width,
        height_px=height,
        width_in=size.width / dpi,
        height_in=size.height / dpi,
        effective_dpi=dpi / max(across, down),
        scale=max(across, down),
        distortion=max(across, down) / min(across, down) - 1,
        soft_alpha=_soft(pixels),
    )


def _soft(pixels: Pixels) -> float:
    """Share of the pixels whose alpha is neither 0 nor 255."""
    height, width, channels = pixels.shape
    if channels == 3:
        return 0.0
    # A histogram needs no copy of the alpha plane.
    counts = cv2.calcHist([pixels], [3], None, [256], [0, 256])
    return float(counts[1:-1].sum() / (height * width))
