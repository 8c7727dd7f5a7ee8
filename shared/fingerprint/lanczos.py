"""Shrinking an artwork to the normal form's size: Pillow's LANCZOS, faster, over threads.

Pillow resizes along one axis, rounds to 8 bits, then along the other. Which axis comes first
changes the result by a level here and there; Pillow before 13 always began with the width. Here
the order of Pillow 13 is written out, so that the fingerprint is the same under any version.
"""

from __future__ import annotations

import os
from collections.abc import Callable

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

Convert = Callable[[Pixels], Pixels]


def shrink(pixels: Pixels, mode: str, *, threads: int | None = None) -> Pixels:
    """The picture at 256 x 256: what Pillow 13 makes of it in one call, bit for bit.

    ``pixels``: (h, w, 4) uint8 RGBA, straight alpha. ``mode``: ``RGB`` drops the alpha, ``RGBa``
    multiplies by it first; the answer has 3 or 4 channels. ``threads``: at most so many.
    """
    height, width = pixels.shape[:2]
    is_tall = height - SIDE > 2 * max(0, width - SIDE)
    weights = kernel(height if is_tall else width) if height * width > SMALL_PX else None
    if weights is None:
        whole = _image(_MODES[mode](pixels), mode)
        half = _resized(whole, (width, SIDE) if is_tall else (SIDE, height))
    else:
        pass_one = _lowered if is_tall else _narrowed
        half = _image(pass_one(pixels, weights, _MODES[mode], threads or THREADS), mode)
    return np.asarray(_resized(half, (SIDE, SIDE)))


def _narrowed(pixels: Pixels, weights: Kernel, convert: Convert, threads: int) -> Pixels:
    """The picture at (h, 256), by strips of rows that are laid on their side."""
    height, width = pixels.shape[:2]
    narrow = np.empty((height, SIDE, convert(pixels[:1, :1]).shape[2]), np.uint8)

    def work(share: slice) -> None:
        channels = narrow.shape[2]
        step = max(1, weights.columns // channels)
        bench = Bench(weights, step * channels)
        for top in range(share.start, share.stop, step):
            rows = slice(top, min(top + step, share.stop))
            lying = np.asarray(cv2.transpose(convert(pixels[rows])), np.uint8)
            narrow[rows] = (
                bench.shrink(lying.reshape(width, -1))
                .reshape(SIDE, -1, channels)
                .transpose(1, 0, 2)
            )

    in_strips(work, height, -(-height // threads), threads)
    return narrow


def _lowered(pixels: Pixels, weights: Kernel, convert: Convert, threads: int) -> Pixels:
    """The picture at (256, w), by strips of columns."""
    height, width = pixels.shape[:2]
    low = np.empty((SIDE, width, convert(pixels[:1, :1]).shape[2]), np.uint8)

    def work(share: slice) -> None:
        channels = low.shape[2]
        step = max(1, weights.columns // channels)
        bench = Bench(weights, step * channels)
        for left in range(share.start, share.stop, step):
            columns = slice(left, min(left + step, share.stop))
            standing = convert(pixels[:, columns])
            low[:, columns] = bench.shrink(standing.reshape(height, -1)).reshape(SIDE, -1, channels)

    in_strips(work, width, -(-width // threads), threads)
    return low


def _rgb(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB), np.uint8)


def _premultiplied(pixels: Pixels) -> Pixels:
    # Grey to RGBA: red, green and blue are weighed by alpha, alpha by 255.
    weights = cv2.cvtColor(pixels[:, :, 3], cv2.COLOR_GRAY2RGBA)
    return np.asarray(cv2.multiply(pixels, weights, scale=1 / 255), np.uint8)


_MODES: dict[str, Convert] = {"RGB": _rgb, "RGBa": _premultiplied}


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image.resize(size, Image.Resampling.LANCZOS)


def _image(pixels: Pixels, mode: str) -> Image.Image:
    height, width = pixels.shape[:2]
    return Image.frombuffer(mode, (width, height), pixels, "raw", mode, 0, 1)
