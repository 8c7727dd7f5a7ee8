"""Shrinking an artwork to the normal form's size: Pillow's LANCZOS, faster, over threads.

Pillow resizes along one axis, rounds to 8 bits, then along the other. Which axis comes first
changes the result by a level here and there; Pillow before 13 always began with the width. Here
the order of Pillow 13 is written out, so that the fingerprint is the same under any version.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from shared.fingerprint.kernel import SIDE, Bench, Kernel, kernel
from shared.imaging.opencv import cv2
from shared.imaging.pixels import Pixels
from shared.imaging.strips import in_strips

THREADS = min(4, os.cpu_count() or 1)
"""Threads of one call. A driver works on several files at once: more would only crowd it."""

SMALL_PX = 500_000
"""Pixels up to which Pillow is as fast."""

Planes = Sequence[Pixels]


def shrink(pixels: Pixels, mode: str, *, threads: int | None = None) -> Pixels:
    """The picture at 256 x 256: what Pillow 13 makes of it in one call, bit for bit.

    ``pixels``: (h, w, 4) uint8 RGBA, straight alpha. ``mode``: ``RGB`` drops the alpha, ``RGBa``
    multiplies by it first; the answer has 3 or 4 channels. ``threads``: at most so many.
    """
    height, width = pixels.shape[:2]
    is_tall = height - SIDE > 2 * max(0, width - SIDE)
    along, across = (kernel(height), kernel(width)) if is_tall else (kernel(width), kernel(height))
    if along is None or across is None or height * width <= SMALL_PX:
        return _by_pillow(pixels, mode, is_tall=is_tall)
    convert = _MODES[mode]

    def lines(some: slice) -> Planes:
        return convert(np.asarray(cv2.transpose(pixels[:, some])) if is_tall else pixels[some])

    first = _weighed(lines, across.length, along, threads or THREADS)
    lying = first.reshape(-1, across.length)
    second = _weighed(lambda some: [lying[some]], len(lying), across, threads or THREADS)
    small = second.reshape(SIDE, SIDE, -1)
    return np.ascontiguousarray(small.transpose(1, 0, 2)) if is_tall else small


def _weighed(lines: Callable[[slice], Planes], count: int, weights: Kernel, threads: int) -> Pixels:
    """Each of ``count`` lines of every plane brought to 256 samples: (256, planes, count)."""
    planes = len(lines(slice(0, 1)))
    out = np.empty((SIDE, planes, count), np.uint8)

    def work(share: slice) -> None:
        step = max(1, weights.lines // planes)
        bench = Bench(weights, step * planes)
        for start in range(share.start, share.stop, step):
            some = slice(start, min(start + step, share.stop))
            out[:, :, some] = bench.shrink(lines(some)).reshape(SIDE, planes, -1)

    in_strips(work, count, -(-count // threads), threads)
    return out


def _rgb(pixels: Pixels) -> Planes:
    return _split(pixels)[:3]


def _premultiplied(pixels: Pixels) -> Planes:
    *colours, alpha = _split(pixels)
    return [*(_times(colour, alpha) for colour in colours), alpha]


def _split(pixels: Pixels) -> list[Pixels]:
    return [np.asarray(plane, np.uint8) for plane in cv2.split(pixels)]


def _times(colour: Pixels, alpha: Pixels) -> Pixels:
    return np.asarray(cv2.multiply(colour, alpha, scale=1 / 255), np.uint8)


_MODES: dict[str, Callable[[Pixels], Planes]] = {"RGB": _rgb, "RGBa": _premultiplied}


def _by_pillow(pixels: Pixels, mode: str, *, is_tall: bool) -> Pixels:
    height, width = pixels.shape[:2]
    art = np.asarray(cv2.merge(_MODES[mode](pixels)))
    image = Image.frombuffer(mode, (width, height), art, "raw", mode, 0, 1)
    for size in ((width, SIDE) if is_tall else (SIDE, height), (SIDE, SIDE)):
        image = image.resize(size, Image.Resampling.LANCZOS)
    return np.asarray(image)
