"""Hashes as crowded as those of real art, any number of them.

Bits of a picture's hash are neither fair nor independent: flat art leaves most bits as the bias
sets them, so that a few values of a key are shared by thousands of designs. `crowd.npz` holds what
`calibrate.py` measured of drawn art's index hashes. These are split into strata by how many of
their bits are the usual ones; of each stratum it holds how often each bit is set, and which bits go
together, as a few factors. A hash is drawn by cutting correlated normal numbers at thresholds (a
Gaussian copula), so it is a new one and no copy of those that were measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.uint8]
"""(n, 256), 0 or 1, the hash's most significant bit first."""
Hashes = npt.NDArray[np.uint8]
"""(n, 32): the bytes of hashes."""
Random = np.random.Generator

FILE = Path(__file__).with_name("crowd.npz")
CHUNK = 50_000
"""Hashes drawn at once: 100 MB."""
_STEP = 32.0
"""Of a threshold, in standard deviations, as it is kept in a byte."""
_UNIT = 127.0
"""Of a factor's weight, at most 1, as it is kept in a byte."""


@dataclass(frozen=True, slots=True)
class Model:
    """``weights``: (k,) shares; ``thresholds``: (k, 256); ``factors``: (k, 256, r); float32."""

    weights: npt.NDArray[np.float32]
    thresholds: npt.NDArray[np.float32]
    factors: npt.NDArray[np.float32]

    @classmethod
    def load(cls) -> Self:
        with np.load(FILE) as kept:
            return cls(
                kept["weights"],
                kept["thresholds"].astype(np.float32) / _STEP,
                kept["factors"].astype(np.float32) / _UNIT,
            )

    def save(self) -> None:
        np.savez_compressed(
            FILE,
            weights=self.weights,
            thresholds=np.clip(np.rint(self.thresholds * _STEP), -127, 127).astype(np.int8),
            factors=np.rint(self.factors * _UNIT).astype(np.int8),
        )

    def draw(self, random: Random, count: int) -> Hashes:
        """So many hashes, in no order."""
        strata = random.choice(len(self.weights), count, p=self.weights / self.weights.sum())
        drawn = np.empty((count, 32), np.uint8)
        for stratum in range(len(self.weights)):
            for places in _chunks(np.flatnonzero(strata == stratum)):
                drawn[places] = np.packbits(self._bits(random, stratum, len(places)), axis=1)
        return drawn

    def _bits(self, random: Random, stratum: int, count: int) -> npt.NDArray[np.bool_]:
        factors = self.factors[stratum]
        own = np.sqrt(np.maximum(1 - (factors**2).sum(axis=1), 0))
        common = random.standard_normal((count, factors.shape[1]), np.float32)
        noise = random.standard_normal((count, len(factors)), np.float32)
        drawn: npt.NDArray[np.bool_] = common @ factors.T + noise * own > self.thresholds[stratum]
        return drawn


def uniform(random: Random, count: int) -> Hashes:
    """Hashes of fair and independent bits: the case that an index of keys is best at."""
    return random.integers(0, 256, (count, 32), np.uint8)


def turned(random: Random, hashes: Hashes, bits: npt.NDArray[np.int64]) -> Hashes:
    """Each hash with so many bits turned over, any of them."""
    order = random.random((len(hashes), 256)).argsort(axis=1).argsort(axis=1)
    return hashes ^ np.packbits(order < bits[:, None], axis=1)


def _chunks(places: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    return [places[at : at + CHUNK] for at in range(0, len(places), CHUNK)]
