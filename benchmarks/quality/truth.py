"""Which designs are identical to the eye: a library must not count these against a rule."""

from __future__ import annotations

from base64 import b64decode, b64encode

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.quality import cache, work
from benchmarks.quality.drawing import Drawing, Pixels
from shared.fingerprint.normal import VISIBLE

SIDE = 64
MOST, MEAN = 24, 1.0
"""Largest and mean difference of 255 at which the cropped art, 64 x 64, is the same picture."""

_COARSE = 8


def groups(name: str, drawings: list[Drawing]) -> list[int]:
    """For each drawing the first one that it is identical to; itself, where there is none."""
    key = cache.digest(SIDE, MOST, MEAN, *(drawing.key for drawing in drawings))

    found = cache.lines(f"{name}.truth", key)
    if found is None:
        jobs = [work.Job(drawing) for drawing in drawings]
        looks = work.made(f"{name}, looks", jobs, [thumb])
        found = [str(first) for first in _firsts(np.stack([_read(line) for (line,) in looks]))]
        cache.keep(f"{name}.truth", key, found)
    return [int(line) for line in found]


def thumb(pixels: Pixels) -> str:
    """The art cropped to what is visible, 64 x 64, premultiplied, as text."""
    x, y, width, height = cv2.boundingRect((pixels[..., 3] > VISIBLE).astype(np.uint8))
    art = pixels[y : y + height, x : x + width].astype(np.float32)
    art[..., :3] *= art[..., 3:] / 255
    small = cv2.resize(art, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return b64encode(np.clip(np.rint(small), 0, 255).astype(np.uint8).tobytes()).decode()


def same(one: npt.NDArray[np.uint8], others: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Which of some thumbs, (n, 64, 64, 4), show the same picture as one."""
    apart = np.abs(others.astype(np.int16) - one)
    return (apart.max(axis=(1, 2, 3)) <= MOST) & (apart.mean(axis=(1, 2, 3)) <= MEAN)


def _firsts(thumbs: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    count = len(thumbs)
    cell = SIDE // _COARSE
    blocks = thumbs.reshape(count, _COARSE, cell, _COARSE, cell, 4)
    coarse = blocks.mean(axis=(2, 4), dtype=np.float32).reshape(count, -1)
    means = coarse.mean(axis=1)
    order = np.argsort(means, kind="stable")
    ends = np.searchsorted(means[order], means[order] + MEAN, side="right")
    first = np.arange(count)
    for place, end in enumerate(ends):
        at, later = order[place], order[place + 1 : end]
        # The means of cells differ by no more than the cells do: few are left to look at.
        later = later[np.abs(coarse[later] - coarse[at]).max(axis=1) <= MOST]
        for other in later[same(thumbs[at], thumbs[later])]:
            one, two = sorted((_root(first, at), _root(first, other)))
            first[two] = one
    return np.array([_root(first, at) for at in range(count)])


def _root(first: npt.NDArray[np.int64], at: int) -> int:
    while first[at] != at:
        at = int(first[at])
    return int(at)


def _read(line: str) -> npt.NDArray[np.uint8]:
    return np.frombuffer(b64decode(line), np.uint8).reshape(SIDE, SIDE, 4)


def look_same(one: Pixels, other: Pixels) -> bool:
    """Whether two pictures are identical to the eye."""
    return bool(same(_read(thumb(one)), _read(thumb(other))[None])[0])
