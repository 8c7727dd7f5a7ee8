"""Artwork to measure with: drawn, never the same twice for another seed, and like real uploads."""

from __future__ import annotations

import cv2
import numpy as np


def noisy_wrap(seed: int, width: int = 4200, height: int = 2000) -> bytes:
    """A cup wrap as PNG, about 9 MB: shaded shapes under film grain on a transparent margin."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    columns, rows = rng.uniform(150, 400, 3), rng.uniform(90, 300, 3)
    waves = [96 * np.sin(x / columns[i]) * np.cos(y / rows[i]) for i in range(3)]
    art = 128 + np.stack(waves, axis=2)
    for _ in range(60):
        center = (int(rng.integers(width)), int(rng.integers(height)))
        color = tuple(float(value) for value in rng.integers(0, 256, 3))
        cv2.circle(art, center, int(rng.integers(20, 260)), color, -1, cv2.LINE_AA)
    grain = rng.normal(0, 1.6, (height, width, 1)).astype(np.float32)
    rgba = np.zeros((height, width, 4), np.uint8)
    rgba[..., :3] = np.clip(art + grain, 0, 255)
    alpha = np.zeros((height, width), np.uint8)
    cv2.rectangle(alpha, (24, 24), (width - 25, height - 25), 255, -1)
    rgba[..., 3] = alpha
    encoded, png = cv2.imencode(".png", rgba, [cv2.IMWRITE_PNG_COMPRESSION, 6])
    assert encoded
    return png.tobytes()
