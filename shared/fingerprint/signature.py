"""The signature: 512 bytes of small planes that show where two pictures differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from shared.fingerprint.kernel import SIDE
from shared.records import NormalForm

SIGNATURE_BYTES = 512

LUMA_CELLS = 16
"""Cells of each side of the luma and the alpha plane of art with alpha."""
OPAQUE_LUMA_CELLS = 22
"""Cells of each side of the luma plane of opaque art: the alpha's room is luma's."""
CHROMA_CELLS = 8
"""Cells of each side of a chroma plane."""

_LUMA_BYTES = LUMA_CELLS**2 * 6 // 8
_OPAQUE_LUMA_BYTES = -(-(OPAQUE_LUMA_CELLS**2) * 6 // 8)
_CHROMA_BYTES = 2 * CHROMA_CELLS**2


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """The planes of n signatures of one kind: (side, side, n) int16, levels of 255.

    ``luma`` and ``alpha`` are premultiplied, 0 to 255; ``blue`` and ``red`` are Cb and Cr around
    0, of premultiplied values too. The alpha of opaque art is 255 throughout.
    """

    luma: npt.NDArray[np.int16]
    alpha: npt.NDArray[np.int16]
    blue: npt.NDArray[np.int16]
    red: npt.NDArray[np.int16]


def planes(signatures: Sequence[str], *, is_opaque: bool) -> Planes:
    """Read signatures, all of opaque art or all of art with alpha, back into planes."""
    data = np.frombuffer(bytes.fromhex("".join(signatures)), np.uint8)
    # The signatures side by side: what is done to a cell of each runs along memory.
    columns = np.ascontiguousarray(data.reshape(len(signatures), SIGNATURE_BYTES).T)
    if is_opaque:
        luma = _levels(columns[:_OPAQUE_LUMA_BYTES], OPAQUE_LUMA_CELLS)
        alpha = np.full_like(luma, 255)
        rest = columns[_OPAQUE_LUMA_BYTES:]
    else:
        luma = _levels(columns[:_LUMA_BYTES], LUMA_CELLS)
        alpha = _levels(columns[_LUMA_BYTES : 2 * _LUMA_BYTES], LUMA_CELLS)
        rest = columns[2 * _LUMA_BYTES :]
    chroma = rest[:_CHROMA_BYTES].astype(np.int16) - 128
    blue, red = chroma.reshape(2, CHROMA_CELLS, CHROMA_CELLS, -1)
    return Planes(luma, alpha, blue, red)


def signature(form: NormalForm) -> str:
    """The signature of a normal form, as 1,024 hex characters.

    Art with alpha: luma 16 x 16, alpha 16 x 16, both 6 bits a cell; opaque art: luma 22 x 22,
    6 bits a cell. Then Cb and Cr 8 x 8, 8 bits a cell around 128; then zeros up to 512 bytes.
    All of premultiplied values, in integers only. Luma and chroma as in ITU-R BT.601.
    """
    planes = [_opaque_luma(form)] if form.is_opaque else [_luma(form), _alpha(form)]
    data = b"".join(_six_bits(plane) for plane in planes) + _chroma(form)
    return data.ljust(SIGNATURE_BYTES, b"\0").hex()


def _opaque_luma(form: NormalForm) -> npt.NDArray[np.uint8]:
    luma = Image.fromarray(form.pixels[..., :3]).convert("L")
    # 256 is no multiple of 22: Pillow's box filter weighs the pixels that cells share.
    cells = luma.resize((OPAQUE_LUMA_CELLS, OPAQUE_LUMA_CELLS), Image.Resampling.BOX)
    return np.asarray(cells, np.uint8) // np.uint8(4)


def _luma(form: NormalForm) -> npt.NDArray[np.int64]:
    sums, pixels = _cells(form, LUMA_CELLS)
    return _thousand_luma(sums) // (1000 * pixels * 4)


def _alpha(form: NormalForm) -> npt.NDArray[np.int64]:
    sums, pixels = _cells(form, LUMA_CELLS)
    return sums[..., 3] // (pixels * 4)


def _chroma(form: NormalForm) -> bytes:
    sums, pixels = _cells(form, CHROMA_CELLS)
    luma = _thousand_luma(sums)
    unit = 1_000_000 * pixels
    planes = [
        (weight * (1000 * sums[..., channel] - luma) + unit // 2) // unit + 128
        for weight, channel in ((564, 2), (713, 0))
    ]
    return bytes(np.clip(planes, 0, 255).astype(np.uint8))


def _cells(form: NormalForm, count: int) -> tuple[npt.NDArray[np.int64], int]:
    """Sums of R, G, B and A over ``count`` x ``count`` cells, and the pixels of a cell."""
    side = SIDE // count
    rows = form.pixels.reshape(count, side, SIDE, 4).sum(axis=1, dtype=np.uint16)
    sums = rows.reshape(count, count, side, 4).sum(axis=2, dtype=np.int64)
    return sums, side * side


def _thousand_luma(sums: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    luma: npt.NDArray[np.int64] = sums[..., :3] @ np.array([299, 587, 114])
    return luma


def _six_bits(values: npt.NDArray[np.integer]) -> bytes:
    bits = np.unpackbits(values.astype(np.uint8).reshape(-1, 1), axis=1)
    return np.packbits(bits[:, 2:]).tobytes()


def _levels(packed: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.int16]:
    """(bytes, n) packed six-bit values as (side, side, n) levels, each the middle of its step."""
    first, second, third = packed.reshape(-1, 3, packed.shape[1]).transpose(1, 0, 2)
    # Four values lie in three bytes; what is shifted out of a byte on the left is dropped.
    values = np.stack(
        (first, first << 6 | second >> 2, second << 4 | third >> 4, third << 2), axis=1
    )
    levels: npt.NDArray[np.int16] = (values & 0xFC).astype(np.int16) + 2
    return levels.reshape(side, side, -1)
