"""Filters: what goes into a PNG is how samples differ from a guess (W3C PNG, section 9)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.imaging.opencv import cv2
from shared.imaging.pixels import Pixels

NONE, SUB, UP, AVERAGE, PAETH = range(5)
"""Filter types."""
LOOK_BYTES = 1 << 13
"""Of pixels, in the middle of a strip, that tell what suits all of it."""
WIDE_BYTES = 1 << 14
"""Of samples that Paeth's guess is made for at once, in 16 bits."""

Samples = npt.NDArray[np.uint8]


def middle(pixels: Pixels, rows: slice) -> slice:
    """Some of the rows, that stand for all of them."""
    _, width, channels = pixels.shape
    start = (rows.start + rows.stop) // 2
    return slice(start, min(start + -(-LOOK_BYTES // (width * channels)), rows.stop))


def suited(pixels: Pixels, rows: slice) -> int:
    """Up or Average: the one that leaves the smaller differences."""
    up, average = (
        cv2.norm(filtered(pixels, rows, kind).view(np.int8), cv2.NORM_L1) for kind in (UP, AVERAGE)
    )
    return UP if up <= average else AVERAGE


def filtered(pixels: Pixels, rows: slice, kind: int) -> Samples:
    """The rows, each after its filter byte: the differences from a guess, mod 256."""
    _, width, channels = pixels.shape
    with_above = pixels[max(rows.start - 1, 0) : rows.stop]
    flat = np.ascontiguousarray(with_above).reshape(len(with_above), width * channels)
    if not rows.start:
        # What lies above a picture and left of it counts as zero.
        flat = np.concatenate([np.zeros_like(flat[:1]), flat])
    here, above = flat[1:], flat[:-1]
    data = np.empty((len(here), 1 + here.shape[1]), np.uint8)
    data[:, 0] = kind
    zero = np.zeros_like(here[:, :channels])
    _differ(kind, here[:, :channels], zero, above[:, :channels], zero, data[:, 1 : 1 + channels])
    left, corner = here[:, :-channels], above[:, :-channels]
    _differ(kind, here[:, channels:], left, above[:, channels:], corner, data[:, 1 + channels :])
    return data


def _differ(
    kind: int, here: Samples, left: Samples, above: Samples, corner: Samples, out: Samples
) -> None:
    """What each filter leaves of ``here``, written to ``out``."""
    if kind == NONE:
        out[...] = here
    elif kind == SUB:
        np.subtract(here, left, out=out)
    elif kind == UP:
        np.subtract(here, above, out=out)
    elif kind == AVERAGE:
        # Half of the sum, rounded down, without a ninth bit.
        guess = left ^ above
        guess >>= 1
        guess += left & above
        np.subtract(here, guess, out=out)
    else:
        rows = max(1, WIDE_BYTES // max(1, here.shape[1]))
        for top in range(0, len(here), rows):
            some = slice(top, top + rows)
            guess = _paeth(left[some], above[some], corner[some])
            np.subtract(here[some], guess, out=out[some])


def _paeth(left: Samples, above: Samples, corner: Samples) -> Samples:
    """Whichever is nearest to left + above - corner. Takes twenty times as much meanwhile."""
    a, b, c = left.astype(np.int16), above.astype(np.int16), corner.astype(np.int16)
    to_left, to_above, to_corner = abs(b - c), abs(a - c), abs(a + b - 2 * c)
    nearer = np.where(to_above <= to_corner, above, corner)
    is_left = (to_left <= to_above) & (to_left <= to_corner)
    return np.where(is_left, left, nearer)
