"""Shrinking an artwork to the normal form's size: Pillow's LANCZOS, in strips over threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 256
"""Pixels of each side of a normal form, and of the picture that the workflow hashes."""

THREADS = min(4, os.cpu_count() or 1)
"""Threads of one call. A driver works on several files at once: more would only crowd it."""

STRIPS = 2 * THREADS
"""Strips of a large picture. Few, since Pillow weighs its filter anew for each (about 1 ms)."""

SMALL_PX = 1_000_000
"""Pixels up to which threads cost more than they bring."""


def shrink(pixels: npt.NDArray[np.uint8], mode: str) -> Image.Image:
    """The picture at 256 x 256: what Pillow 13 makes of it in one call, bit for bit.

    ``pixels``: (h, w, 4) uint8 RGBA, straight alpha. ``mode``: ``RGB`` drops the alpha,
    ``RGBa`` multiplies by it first.

    Pillow resizes along one axis, rounds to 8 bits, then along the other, so the strips of the
    first axis don't depend on each other. Which axis comes first changes the result by a level
    here and there; Pillow before 13 always began with the width. Here the order is written out,
    so that the fingerprint is the same under any version.
    """
    height, width = pixels.shape[:2]
    is_tall = height - SIDE > 2 * max(0, width - SIDE)
    length = width if is_tall else height
    step = -(-length // STRIPS) if height * width > SMALL_PX else length

    def narrow(start: int) -> Image.Image:
        strip = pixels[:, start : start + step] if is_tall else pixels[start : start + step]
        image = _image(strip, mode)
        return _resize(image, (image.width, SIDE) if is_tall else (SIDE, image.height))

    joined = Image.new(mode, (width, SIDE) if is_tall else (SIDE, height))
    starts = range(0, length, step)
    for start, strip in zip(starts, _in_threads(narrow, starts), strict=True):
        joined.paste(strip, (start, 0) if is_tall else (0, start))
    return _resize(joined, (SIDE, SIDE))


def _in_threads(work: Callable[[int], Image.Image], starts: range) -> list[Image.Image]:
    """The work's results in order. Pillow lets go of the interpreter while it computes."""
    if len(starts) == 1:
        return [work(starts[0])]
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, starts))


def _resize(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image.resize(size, Image.Resampling.LANCZOS)


def _image(pixels: npt.NDArray[np.uint8], mode: str) -> Image.Image:
    height, width = pixels.shape[:2]
    whole = np.ascontiguousarray(pixels)
    return Image.frombuffer("RGBA", (width, height), whole, "raw", "RGBA", 0, 1).convert(mode)
