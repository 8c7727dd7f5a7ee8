"""Pillow's LANCZOS along one axis, in whole numbers, as matrix products of 32-bit floats.

Pillow weighs 8-bit samples with weights of 22 fractional bits, adds them up in integers and
rounds. A 32-bit float holds every integer up to 2^24, so each weight is split in a high and a low
part whose sums stay below that: the products are exact in whatever order a BLAS adds them, and
give Pillow's own bits at the speed of a BLAS.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from shared.imaging.opencv import cv2

SIDE = 256
"""Pixels of each side of a normal form, and of the picture that the workflow hashes."""

LOBES = 3.0
"""Reach of the filter, in pixels of the smaller picture."""
BITS = 22
"""Fractional bits of a weight in Pillow: 32, less 8 of the sample and 2 for the overshoot."""
LOW_BITS = 8
"""Bits of a weight's low part."""
HIGH_BITS = BITS - LOW_BITS
EXACT = 1 << 24
"""Integers up to this one are exact in 32-bit floats."""
TIE = 1e-7
"""How near to a half a weight may not lie. NumPy's sine and the one that Pillow calls may differ
in their last bits, which moves a weight by 1e-8 at the most."""
RUN = 4
"""Neighbouring results that one product gives: more of them would weigh more samples by zero."""
GROUPS = 8
"""Of products: starts at even distances within a group, and groups at even distances, lie nearer to
where they should than 64 at even distances would."""
WORK = 1 << 17
"""Multiplications of one product. OpenBLAS starts threads of its own from twice as many on."""

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """What brings ``length`` samples to 256: 64 products, each of which gives ``RUN`` results.

    ``weights``: (GROUPS, 64 / GROUPS, 2 * RUN, reach) float32, the high parts above the low parts,
    the low ones in units of the high ones. Product n of group g weighs the ``reach`` samples from
    ``start + g * stride + n * step`` on; before the first sample and after the last one its weights
    are zero.
    """

    length: int
    start: int
    stride: int
    step: int
    weights: npt.NDArray[np.float32]

    @property
    def lines(self) -> int:
        """Lines of ``length`` samples that are worked on at once."""
        return max(1, WORK // int(np.prod(self.weights.shape[2:])))


class Bench:
    """Room for a kernel to work on up to ``most`` lines of its length, in one thread."""

    def __init__(self, kernel: Kernel, most: int) -> None:
        groups, count, results, reach = kernel.weights.shape
        before = -kernel.start
        last = kernel.start + (groups - 1) * kernel.stride + (count - 1) * kernel.step
        after = last + reach - kernel.length
        lines = np.zeros((most, before + kernel.length + max(after, 0)), np.float32)
        line, item = lines.strides
        self._kernel = kernel
        self._samples = lines[:, before : before + kernel.length]
        self._windows = as_strided(
            lines,
            (groups, count, reach, most),
            (kernel.stride * item, kernel.step * item, item, line),
            writeable=False,
        )
        self._sums = np.empty((groups, count, results, most), np.float32)
        self._results = np.empty((groups, count, RUN, most), np.uint8)

    def shrink(self, planes: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
        """Planes of (lines, length) uint8, one below the other, each line brought to 256 samples.

        The answer is (256, all lines) and holds until the next call.
        """
        end = 0
        for plane in planes:
            begin, end = end, end + len(plane)
            self._samples[begin:end] = plane
        np.matmul(self._kernel.weights, self._windows, out=self._sums)
        high, low = self._sums[:, :, :RUN], self._sums[:, :, RUN:]
        # (high + low + a half) / 1, rounded down; a low part below one unit can't change that.
        # Half of the last bit more than that, and no sum is a tie: any rounding is to the nearest.
        np.floor(low, out=low)
        unit = 1 / (1 << HIGH_BITS)
        cv2.addWeighted(high, unit, low, unit, unit / 2, self._results, cv2.CV_8U)
        return self._results.reshape(SIDE, -1)[:, :end]


@lru_cache(maxsize=32)
def kernel(length: int) -> Kernel | None:
    """The kernel for ``length`` samples.

    None where it could miss Pillow's bits: sums that a float can't hold (above 20,000 samples), or
    a weight next to a tie (1 length in 1,000).
    """
    first, last, weights = _weights(length)
    scaled = np.abs(weights) * (1 << BITS)
    if np.abs(scaled % 1 - 0.5).min() < TIE:
        return None
    whole = (np.sign(weights) * np.floor(scaled + 0.5)).astype(np.int64)
    high = (whole + (1 << (LOW_BITS - 1))) >> LOW_BITS
    low = whole - (high << LOW_BITS)
    if 255 * max(np.abs(part).sum(axis=1).max() for part in (high, low)) > EXACT // 2:
        return None
    return _kernel(length, first, last, high, low)


def _kernel(length: int, first: Integers, last: Integers, high: Integers, low: Integers) -> Kernel:
    # Starts at even distances let one call of matmul do all products, free of Python's lock.
    count = SIDE // RUN // GROUPS
    stride, step = round(length / GROUPS), round(RUN * length / SIDE)
    starts = np.add.outer(stride * np.arange(GROUPS), step * np.arange(count)).reshape(-1)
    start = int((first[::RUN] - starts).min())
    reach = int((last[RUN - 1 :: RUN] - starts).max()) - start
    weights = np.zeros((GROUPS * count, 2, RUN, reach), np.float32)
    for place in range(SIDE):
        product, row = divmod(place, RUN)
        taps = last[place] - first[place]
        begin = first[place] - start - starts[product]
        weights[product, 0, row, begin : begin + taps] = high[place, :taps]
        weights[product, 1, row, begin : begin + taps] = low[place, :taps] / (1 << LOW_BITS)
    return Kernel(length, start, stride, step, weights.reshape(GROUPS, count, 2 * RUN, reach))


def _weights(length: int) -> tuple[Integers, Integers, Floats]:
    """For each of 256 results the first sample, the one after the last, and the weights.

    The operations and their order are those of ``precompute_coeffs`` in Pillow's Resample.c.
    """
    scale = length / SIDE
    stretch = max(scale, 1.0)
    support = LOBES * stretch
    centers = (np.arange(SIDE) + 0.5) * scale
    first = np.maximum((centers - support + 0.5).astype(np.int64), 0)
    last = np.minimum((centers + support + 0.5).astype(np.int64), length)
    places = first[:, None] + np.arange((last - first).max())
    distances = (places - centers[:, None] + 0.5) * (1.0 / stretch)
    seen = (distances >= -LOBES) & (distances < LOBES) & (places < last[:, None])
    weights = np.where(seen, _sinc(distances) * _sinc(distances / LOBES), 0.0)
    # Added up one by one, as Pillow does; NumPy's sum would add in pairs.
    return first, last, weights * (1.0 / np.cumsum(weights, axis=1)[:, -1:])


def _sinc(values: Floats) -> Floats:
    angles = values * math.pi
    return np.divide(np.sin(angles), angles, out=np.ones_like(angles), where=angles != 0)
