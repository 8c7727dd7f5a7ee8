"""Copies that are brighter, duller, tinted or noisy. Alpha stays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmarks.quality.drawing import Pixels, chance


def brightness(pixels: Pixels, by: float) -> Pixels:
    return _with(pixels, pixels[..., :3] * by)


def contrast(pixels: Pixels, by: float) -> Pixels:
    return _with(pixels, (pixels[..., :3] - 128.0) * by + 128)


def saturation(pixels: Pixels, by: float) -> Pixels:
    grey = pixels[..., :3] @ np.array([0.299, 0.587, 0.114])
    return _with(pixels, grey[..., None] + (pixels[..., :3] - grey[..., None]) * by)


def gamma(pixels: Pixels, by: float) -> Pixels:
    return _with(pixels, 255 * (pixels[..., :3] / 255) ** by)


def tint(pixels: Pixels, by: float) -> Pixels:
    """Warmer: more red, less blue."""
    return _with(pixels, pixels[..., :3] * np.array([1 + by, 1.0, 1 - by]))


def noise(pixels: Pixels, levels: int) -> Pixels:
    """``levels``: standard deviation, of 255."""
    random = chance("noise", levels, pixels.shape)
    return _with(pixels, pixels[..., :3] + random.normal(0, levels, pixels[..., :3].shape))


def _with(pixels: Pixels, rgb: npt.NDArray[np.float64]) -> Pixels:
    return np.dstack([np.rint(np.clip(rgb, 0, 255)).astype(np.uint8), pixels[..., 3]])
