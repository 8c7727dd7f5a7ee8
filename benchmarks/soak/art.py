"""What sellers upload: small art, new or sent before, the same or nearly."""

from __future__ import annotations

import random
from threading import Lock

import cv2
import numpy as np

from benchmarks.artwork import KINDS, png
from shared.imaging.pixels import Pixels

SMALLEST, LARGEST = 300, 800
"""Pixels of a side."""
NEW = 0.5
"""Share of files that are new."""
RECENT = 3
"""Of the others, half are one of the latest: others may be uploading it at this moment."""


class Studio:
    """One seller's art. Any number of threads may ask for the next file."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._drawn = 0
        self._lock = Lock()

    def next(self, chance: random.Random) -> bytes:
        """A file: PNG or JPEG."""
        with self._lock:
            if self._drawn == 0 or chance.random() < NEW:
                number, copy = self._drawn, _same
                self._drawn += 1
            else:
                first = max(0, self._drawn - RECENT) if chance.random() < 0.5 else 0
                number, copy = chance.randrange(first, self._drawn), chance.choice(_COPIES)
        return copy(_draw(self._seed + number))


def _draw(seed: int) -> Pixels:
    rng = random.Random(seed)  # noqa: S311 - art, not a secret
    width, height = (rng.randrange(SMALLEST, LARGEST) for _ in range(2))
    return KINDS[seed % len(KINDS)](seed, width, height)


def _same(art: Pixels) -> bytes:
    return png(art)


def _saved_again(art: Pixels) -> bytes:
    return png(art, level=1)


def _with_margin(art: Pixels) -> bytes:
    return png(np.pad(art, ((9, 9), (9, 9), (0, 0))))


def _smaller(art: Pixels) -> bytes:
    return png(cv2.resize(art, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA))


def _jpeg(art: Pixels) -> bytes:
    """Of what is opaque; art with alpha would be another product."""
    if art[..., 3].min() < 255:
        return _saved_again(art)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(art, cv2.COLOR_RGBA2BGR))
    return data.tobytes()


_COPIES = (_same, _same, _saved_again, _with_margin, _smaller, _jpeg)
