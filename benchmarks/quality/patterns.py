"""The patterns that wraps are printed with: each a function of random numbers and a size."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
"""(h, w, 3) uint8 RGB."""
Random = np.random.Generator
Size = tuple[int, int]
"""Width and height."""


def stripes(random: Random, size: Size) -> Picture:
    x, y = _grid(size)
    angle, period = random.uniform(0, np.pi), size[0] * random.uniform(0.03, 0.15)
    phase = (x * np.cos(angle) + y * np.sin(angle)) / period
    return _palette(random, int(random.integers(2, 5)), phase)


def plaid(random: Random, size: Size) -> Picture:
    x, y = _grid(size)
    period = size[0] * random.uniform(0.05, 0.2)
    across, down = _palette(random, 3, x / period), _palette(random, 3, y / period)
    return ((across.astype(np.uint16) + down) // 2).astype(np.uint8)


def checks(random: Random, size: Size) -> Picture:
    x, y = _grid(size)
    side = size[0] * random.uniform(0.03, 0.15)
    return _palette(random, 2, np.floor(x / side) + np.floor(y / side))


def dots(random: Random, size: Size) -> Picture:
    x, y = _grid(size)
    period = size[0] * random.uniform(0.04, 0.15)
    shift = period / 2 * (np.floor(y / period) % 2)
    near = np.hypot((x + shift) % period - period / 2, y % period - period / 2)
    return _palette(random, 2, (near < period * random.uniform(0.15, 0.42)).astype(np.float64))


def waves(random: Random, size: Size) -> Picture:
    x, y = _grid(size)
    long, high = size[0] * random.uniform(0.08, 0.4), size[1] * random.uniform(0.02, 0.2)
    period = size[1] * random.uniform(0.08, 0.3)
    return _palette(random, 3, (y + high * np.sin(x / long * 2 * np.pi)) / period)


def shades(random: Random, size: Size) -> Picture:
    corners = random.integers(0, 256, (2, 3, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(corners, size, interpolation=cv2.INTER_CUBIC))


def marble(random: Random, size: Size) -> Picture:
    x, _ = _grid(size)
    noise = _noise(random, size, 3) + 0.5 * _noise(random, size, 7)
    wave = (np.sin(x / size[0] * random.uniform(4, 20) + 8 * noise) + 1) / 2
    one, other = random.integers(0, 256, 3), random.integers(0, 256, 3)
    return (one + (other - one) * wave[..., None]).astype(np.uint8)


def camouflage(random: Random, size: Size) -> Picture:
    noise = _noise(random, size, int(random.integers(5, 14)))
    return _palette(random, 4, np.digitize(noise, np.quantile(noise, [0.25, 0.5, 0.75])))


def shapes(random: Random, size: Size) -> Picture:
    colours = random.integers(0, 256, (6, 3)).tolist()
    picture = np.full((size[1], size[0], 3), colours[0], np.uint8)
    for _ in range(int(random.integers(12, 60))):
        centre = (int(random.integers(size[0])), int(random.integers(size[1])))
        radius, colour = int(size[0] * random.uniform(0.01, 0.09)), colours[random.integers(1, 6)]
        corners = int(random.choice([3, 4, 5, 6, 40]))
        turns = np.arange(corners) / corners * 2 * np.pi + random.uniform(0, 7)
        polygon = np.stack([np.cos(turns), np.sin(turns)], 1) * radius + centre
        cv2.fillPoly(picture, [polygon.astype(np.int32)], colour, cv2.LINE_AA)
    return picture


def grain(random: Random, size: Size) -> Picture:
    cells = int(random.integers(8, 30))
    blotches = random.integers(0, 256, (cells // 2, cells, 3)).astype(np.uint8)
    picture = cv2.resize(blotches, size, interpolation=cv2.INTER_LINEAR).astype(np.float64)
    noise = random.normal(0, 12, (size[1], size[0], 1))
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


PATTERNS: dict[str, Callable[[Random, Size], Picture]] = {
    made.__name__: made
    for made in (stripes, plaid, checks, dots, waves, shades, marble, camouflage, shapes, grain)
}


def _grid(size: Size) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float64)
    return x, y


def _palette(random: Random, count: int, phase: npt.NDArray[np.float64]) -> Picture:
    """A colour of ``count`` for each whole number that a phase goes through."""
    colours = random.integers(0, 256, (count, 3)).astype(np.uint8)
    return colours[np.floor(phase).astype(np.int64) % count]


def _noise(random: Random, size: Size, cells: int) -> npt.NDArray[np.float64]:
    """Smooth noise, 0 to 1, with about so many blotches across."""
    coarse = random.random((max(2, cells // 2), cells))
    return np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC))
