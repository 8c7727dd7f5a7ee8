"""What every artwork of the benchmark is: a value that names it and can draw it."""

from __future__ import annotations

import sys
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.quality import cache

Pixels = npt.NDArray[np.uint8]
"""(h, w, 4) uint8, RGBA, straight alpha."""


@dataclass(frozen=True)
class Drawing:
    """An artwork by its description. Equal descriptions draw equal pixels."""

    def draw(self) -> Pixels:
        raise NotImplementedError

    @property
    def key(self) -> str:
        """What its pixels are cached under: the description and the code that draws it."""
        return cache.digest(self, cache.code(sys.modules[type(self).__module__]))


def chance(*seeds: object) -> np.random.Generator:
    """Random numbers that are the same in every run and process."""
    return np.random.default_rng(zlib.crc32(repr(seeds).encode()))
