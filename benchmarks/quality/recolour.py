"""Colourways: the same art in other colours, which a shop sells beside it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from benchmarks.quality import artwork, cache
from benchmarks.quality.drawing import Drawing, Pixels, chance

VISIBLE_LEVELS = 24
"""Mean change of the changed channel, of 255, below which turned hues are no other colour."""


@dataclass(frozen=True)
class Recoloured(Drawing):
    """Art with its hues turned by 60 to 300 degrees; grey art dyed, light parts lighter."""

    art: Drawing

    @property
    def key(self) -> str:
        return cache.digest(super().key, self.art.key)

    def draw(self) -> Pixels:
        pixels, random = artwork.load(self.art), chance("recolour", self.art)
        turned = _turned(pixels, int(random.integers(30, 151)))
        if _change(pixels, turned) >= VISIBLE_LEVELS:
            return turned
        dyed = [_dyed(pixels, dye) for dye in random.integers(0, 256, (4, 3))]
        return max(dyed, key=lambda other: _change(pixels, other))


def _turned(pixels: Pixels, by: int) -> Pixels:
    hsv = cv2.cvtColor(pixels[..., :3], cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(np.int32) + by) % 180
    return np.dstack([cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), pixels[..., 3]])


def _dyed(pixels: Pixels, dye: np.ndarray) -> Pixels:
    """Dark art: black becomes the dye. Light art: white does."""
    light = cv2.cvtColor(pixels[..., :3], cv2.COLOR_RGB2GRAY)[..., None] / 255
    is_dark = np.average(light[..., 0], weights=pixels[..., 3] + 1e-9) < 0.5
    rgb = dye + (255 - dye) * light * 0.8 if is_dark else dye * light
    return np.dstack([rgb.astype(np.uint8), pixels[..., 3]])


def _change(one: Pixels, other: Pixels) -> float:
    """The mean over what is visible of the channel that changed most, in levels of 255."""
    most = np.abs(one[..., :3].astype(np.int16) - other[..., :3]).max(axis=2)
    return float(np.average(most, weights=one[..., 3].astype(np.float64) + 1e-9))
