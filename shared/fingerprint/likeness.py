"""How one picture differs from others, by their signatures, and what these differences mean.

The pixels are gone by the time that a verdict is reached; two signatures show as much of them as a
person sees at arm's length. Everything here is worked out for all candidates at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.fingerprint.limits import LIMITS
from shared.fingerprint.signature import Planes, planes
from shared.records import Fingerprint

Numbers = npt.NDArray[np.number]
Answers = npt.NDArray[np.bool_]

_UNKNOWN = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Differences:
    """Of one picture from n others, each (n,). Levels are of 255, a cell is one of a signature."""

    picture: Numbers
    """The largest difference of luma or alpha in any cell, in levels, shifted edges apart. Those
    are left in where the difference is too large for them to explain."""
    outline: Numbers
    """The largest difference of alpha in any cell, in levels."""
    colour: Numbers
    """The largest difference of Cb or Cr in any cell, in levels."""
    brightness: Numbers
    """Difference of the whole art's mean luma where it is printed, in levels."""
    tint: Numbers
    """Difference of the whole art's mean Cb or Cr where it is printed, in levels."""
    recoloured: Numbers
    """Cells, of 64, whose Cb or Cr differ visibly."""
    pattern: Numbers
    """Correlation of luma and alpha over all cells, -1 to 1."""
    inside: Numbers
    """Correlation of luma where both are printed solidly; 1 where one of them is flat there."""
    stretch: Numbers
    """The greater of the two pictures' aspect ratios by the lesser; 1 where one is not known."""
    is_boxed: Answers
    """Whether the alpha tells no shape: the art is opaque, or as good as."""


def differences(mine: Fingerprint, others: Sequence[Fingerprint]) -> Differences:
    """The differences of a picture from others of its kind, in their order.

    All must be of version 2, and all opaque or none.
    """
    is_opaque = bool(mine.is_opaque)
    both = planes([str(mine.signature), *(str(o.signature) for o in others)], is_opaque=is_opaque)
    printed = _mean(both.alpha) / 255
    outline = _most(both.alpha)
    return Differences(
        picture=_picture(both, outline, is_opaque=is_opaque),
        outline=outline,
        colour=np.maximum(_most(both.blue), _most(both.red)),
        brightness=_apart(both.luma, printed),
        tint=np.maximum(_apart(both.blue, printed), _apart(both.red, printed)),
        recoloured=_recoloured(both),
        pattern=_correlation(both.luma + both.alpha),
        inside=_correlation_within(both.luma, _solid(both.alpha)),
        stretch=_stretch(mine, others),
        is_boxed=_is_boxed(both.alpha),
    )


def same_picture(apart: Differences) -> Answers:
    """Every part of one is as bright and as opaque as the same part of the other."""
    limit = np.where(apart.is_boxed, LIMITS.boxed_levels, LIMITS.cut_out_levels)
    return apart.picture <= limit


def same_colour(apart: Differences) -> Answers:
    """No part has another colour, and neither has the whole."""
    return (
        (apart.colour <= LIMITS.colour_levels)
        & (apart.tint <= LIMITS.tint_levels)
        & (apart.brightness <= LIMITS.brightness_levels)
    )


def same_format(apart: Differences) -> Answers:
    """One is not the other stretched."""
    return apart.stretch <= LIMITS.stretch


def same_shape(apart: Differences) -> Answers:
    """The same drawing, whatever its colours.

    Cut-out art shows it by its outline and by what is light and dark inside; of art that fills its
    box, light and dark must agree all over, and much of it must have changed its colour, the whole
    too: else a small object was exchanged on the same ground, or colours moved with a crop.
    """
    cut_out = (apart.outline <= LIMITS.outline_levels) & (apart.inside >= LIMITS.inside)
    dyed = (apart.recoloured >= LIMITS.recoloured_cells) & (apart.tint > LIMITS.cast_levels)
    changed = dyed | (apart.brightness > LIMITS.brightness_levels)
    return np.where(apart.is_boxed, (apart.pattern >= LIMITS.boxed_pattern) & changed, cut_out)


def alike(apart: Differences) -> Answers:
    """Near enough to show to a person."""
    return apart.pattern >= LIMITS.pattern


def _picture(both: Planes, outline: Numbers, *, is_opaque: bool) -> Numbers:
    """The largest difference of luma or alpha; shifts are looked for where they can matter."""
    most = np.maximum(_most(both.luma), outline)
    explicable = max(LIMITS.cut_out_levels, LIMITS.boxed_levels) + 255 // LIMITS.shift
    near = np.flatnonzero(most <= explicable)
    if near.size:
        columns = np.concatenate([[0], near + 1])
        most[near] = np.maximum(
            _unexplained(both.luma[..., columns], is_opaque=is_opaque),
            _unexplained(both.alpha[..., columns], is_opaque=is_opaque),
        )
    return most


def _most(plane: npt.NDArray[np.int16]) -> Numbers:
    most: Numbers = np.abs(_step(plane)).max(axis=(0, 1))
    return most


def _step(plane: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """From the first picture to each of the others, cell by cell."""
    return plane[..., 1:] - plane[..., :1]


def _unexplained(plane: npt.NDArray[np.int16], *, is_opaque: bool) -> Numbers:
    """The largest difference in any cell that no small shift explains.

    A copy's crop ends a pixel further in or out than the original's, so its edges fall a little
    beside theirs. What a cell may change by then is a part of its slope to its neighbours.
    """
    slope = _slope(plane, is_opaque=is_opaque)
    shifted = np.maximum(slope[..., 1:], slope[..., :1]) // LIMITS.shift
    most: Numbers = (np.abs(_step(plane)) - shifted).max(axis=(0, 1))
    return most


def _slope(plane: npt.NDArray[np.int16], *, is_opaque: bool) -> npt.NDArray[np.int16]:
    """The largest difference of each cell from one beside it. Cut-out art ends in nothing."""
    rim = ((1, 1), (1, 1), (0, 0))
    wide = np.pad(plane, rim, "edge") if is_opaque else np.pad(plane, rim)
    down, across = np.abs(np.diff(wide, axis=0)), np.abs(np.diff(wide, axis=1))
    vertical = np.maximum(down[1:, 1:-1], down[:-1, 1:-1])
    horizontal = np.maximum(across[1:-1, 1:], across[1:-1, :-1])
    return np.maximum(vertical, horizontal)


def _apart(plane: npt.NDArray[np.int16], printed: npt.NDArray[np.float64]) -> Numbers:
    """The difference of a plane's mean, each by the share of its picture that is printed."""
    mean = _mean(plane) / printed
    apart: Numbers = np.abs(mean[1:] - mean[0])
    return apart


def _mean(plane: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
    """Of all cells, (n + 1,). Summed as 32-bit integers: a third of the time that `mean` takes."""
    mean: npt.NDArray[np.float64] = plane.sum(axis=(0, 1), dtype=np.int32) / plane[..., 0].size
    return mean


def _recoloured(both: Planes) -> Numbers:
    cells = np.maximum(np.abs(_step(both.blue)), np.abs(_step(both.red)))
    count: Numbers = (cells > LIMITS.visible_levels).sum(axis=(0, 1))
    return count


def _solid(alpha: npt.NDArray[np.int16]) -> Answers:
    """The cells that are printed solidly in the first picture and in each of the others."""
    solid: Answers = np.minimum(alpha[..., 1:], alpha[..., :1]) > LIMITS.solid_levels
    return solid


def _correlation(plane: npt.NDArray[np.int16]) -> Numbers:
    """Of the first picture with each of the others over all cells; 1 where one is flat."""
    values = plane.reshape(-1, plane.shape[-1]).astype(np.float32)
    values -= values.mean(axis=0)
    variances = np.einsum("ij,ij->j", values, values) / len(values)
    together = values[:, 0] @ values[:, 1:] / len(values)
    return _correlated(together, variances[0], variances[1:])


def _correlation_within(plane: npt.NDArray[np.int16], cells: Answers) -> Numbers:
    """Of the first picture with each of the others over their ``cells``; 1 where one is flat."""
    kept = cells.reshape(-1, cells.shape[-1]).astype(np.float32)
    values = plane.reshape(-1, plane.shape[-1]).astype(np.float32)
    one, others = values[:, 0], values[:, 1:]
    count = np.maximum(kept.sum(axis=0), 1)
    seen = kept * others
    mean, means = one @ kept / count, seen.sum(axis=0) / count
    variance = one**2 @ kept / count - mean**2
    variances = np.einsum("ij,ij->j", seen, others) / count - means**2
    together = one @ seen / count - mean * means
    return _correlated(together, variance, variances)


def _correlated(together: Numbers, variance: Numbers, variances: Numbers) -> Numbers:
    # In 32 bits a variance is off by less than 0.1, which is far below the limit.
    is_flat = np.minimum(variance, variances) < LIMITS.flat_variance
    spread = np.sqrt(np.where(is_flat, 1, variance * variances))
    return np.where(is_flat, 1.0, together / spread)


def _is_boxed(alpha: npt.NDArray[np.int16]) -> Answers:
    variance = alpha.astype(np.float32).var(axis=(0, 1))
    is_flat: Answers = np.maximum(variance[1:], variance[0]) < LIMITS.flat_variance
    return is_flat


def _stretch(mine: Fingerprint, others: Sequence[Fingerprint]) -> Numbers:
    own, theirs = _aspect(mine), np.array([_aspect(other) for other in others], np.float64)
    # Not by the inverse of a ratio: rounded twice, it would differ from the other one's ratio.
    ratio = np.maximum(theirs, own) / np.minimum(theirs, own)
    return np.where(np.isfinite(ratio), ratio, _UNKNOWN)


def _aspect(fingerprint: Fingerprint) -> float:
    """Width by height of the cropped upload; NaN where it is not known."""
    if fingerprint.width_px is None or fingerprint.height_px is None:
        return float("nan")
    return fingerprint.width_px / fingerprint.height_px
