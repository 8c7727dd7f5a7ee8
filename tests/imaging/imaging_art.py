"""Artwork drawn in code, as (h, w, 4) uint8 RGBA with straight alpha."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]


def noise(height: int, width: int, channels: int = 4, seed: int = 0) -> Pixels:
    """Every value of every channel at random."""
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (height, width, channels), dtype=np.uint8)


def plain(height: int, width: int, *rgba: int) -> Pixels:
    """One colour all over."""
    return np.full((height, width, len(rgba)), rgba, np.uint8)


def disc(side: int = 201, hidden: tuple[int, int, int] = (0, 255, 0)) -> Pixels:
    """A red disc with a soft edge on transparent ground; ``hidden`` is the ground's colour."""
    y, x = np.mgrid[0:side, 0:side].astype(float)
    middle, radius = (side - 1) / 2, side * 0.4
    alpha = np.clip(radius - np.hypot(x - middle, y - middle) + 0.5, 0, 1)
    art = plain(side, side, *hidden, 0)
    art[..., 3] = np.rint(255 * alpha)
    art[art[..., 3] > 0, :3] = (255, 0, 0)
    return art


@lru_cache
def logo(height: int = 900, width: int = 1300, channels: int = 4) -> Pixels:
    """Flat art: soft-edged discs and slanted bars in plain colours; read-only."""
    generator = np.random.default_rng(7)
    art = np.zeros((height, width, 4), np.float32)
    for mark in range(24):
        size, colour = int(generator.integers(20, 160)), generator.integers(0, 256, 3)
        top, left = generator.integers(0, height - size), generator.integers(0, width - size)
        y, x = np.mgrid[0:size, 0:size]
        if mark % 2:
            cover = np.clip(size / 2 - np.hypot(x - size / 2, y - size / 2), 0, 1)
        else:
            cover = np.clip(size / 4 - np.abs(x - size / 2 + y / 5), 0, 1)
        place = art[top : top + size, left : left + size]
        place[..., :3] += cover[..., None] * (colour - place[..., :3])
        place[..., 3] = np.maximum(place[..., 3], 255 * cover)
    drawn = np.rint(art[..., :channels]).astype(np.uint8)
    drawn.flags.writeable = False
    return drawn


def wrap(height: int = 500, width: int = 1000) -> Pixels:
    """Busy art: a colour gradient under grain, with transparent holes and border."""
    generator = np.random.default_rng(3)
    y, x = np.mgrid[0:height, 0:width]
    waves = [128 + 100 * np.sin(x / (40 + 30 * band) + y / (70 - 20 * band)) for band in range(3)]
    colours = np.stack(waves, axis=2) + generator.normal(0, 6, (height, width, 3))
    alpha = np.where(np.hypot(x % 200 - 100, y % 200 - 100) < 30, 0, 255)
    alpha[:20], alpha[-10:], alpha[:, :15], alpha[:, -25:] = 0, 0, 0, 0
    return np.dstack([np.clip(colours, 0, 255), alpha]).astype(np.uint8)
