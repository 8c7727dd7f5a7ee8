"""Encode: write a print-ready PNG (RFC 2083, PNG third edition), in strips and in parallel.

Rows are filtered in NumPy and deflated by igzip, the ISA-L deflate. A strip is a run of rows that
is deflated on its own, ends on a byte boundary and becomes one IDAT chunk, so strips can be worked
on side by side. Where strips begin depends on the picture alone: the same picture gives the same
bytes however many threads there are.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from isal import isal_zlib

from shared.imaging.pixels import Pixels

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPE = {3: 2, 4: 6}
"""Channels -> colour type: RGB, RGBA."""
PERCEPTUAL = b"\x00"
"""The sRGB chunk's rendering intent: artwork without a profile is taken to be sRGB."""
METRE_IN = 1 / 0.0254

STRIP_BYTES = 1 << 20
"""Filtered bytes of a strip: large enough to deflate well, small enough to share out."""
SAMPLE_BYTES = 1 << 15
"""Bytes of a strip that the filters are tried on."""
LEVEL = 2
NONE, UP = 0, 2
"""Filter types."""


class Strip(NamedTuple):
    chunk: bytes
    adler: int
    length: int


def encode(
    pixels: Pixels, *, dpi: int, icc: bytes | None = None, threads: int | None = None
) -> bytes:
    """A PNG of (h, w, 3) RGB or (h, w, 4) RGBA uint8 pixels, lossless.

    It carries ``dpi`` as whole pixels per metre (400 DPI: 15748) and the ICC profile, or says
    sRGB where there is none. ``threads``: unset is the number of processors.
    """
    height, width, channels = pixels.shape
    rows = np.ascontiguousarray(pixels).reshape(height, width * channels)
    strips = list(_deflated(rows, threads or os.cpu_count() or 1))
    header = struct.pack(">IIBBBBB", width, height, 8, COLOUR_TYPE[channels], 0, 0, 0)
    return b"".join(
        [
            SIGNATURE,
            _chunk(b"IHDR", header),
            _colour(icc),
            _chunk(b"pHYs", struct.pack(">IIB", *[round(dpi * METRE_IN)] * 2, 1)),
            *(strip.chunk for strip in strips),
            _chunk(b"IDAT", _checksum(strips).to_bytes(4)),
            _chunk(b"IEND", b""),
        ]
    )


def _colour(icc: bytes | None) -> bytes:
    if icc is None:
        return _chunk(b"sRGB", PERCEPTUAL)
    return _chunk(b"iCCP", b"ICC profile\x00\x00" + isal_zlib.compress(icc))


def _chunk(kind: bytes, *data: bytes) -> bytes:
    crc = isal_zlib.crc32(kind)
    for part in data:
        crc = isal_zlib.crc32(part, crc)
    return b"".join([sum(map(len, data)).to_bytes(4), kind, *data, crc.to_bytes(4)])


def _deflated(rows: npt.NDArray[np.uint8], threads: int) -> Iterator[Strip]:
    height, length = rows.shape
    step = max(1, STRIP_BYTES // length)

    def strip(top: int) -> Strip:
        before = rows[top - 1] if top else np.zeros(length, np.uint8)
        return _strip(rows[top : top + step], before, top == 0, top + step >= height)

    tops = range(0, height, step)
    if len(tops) == 1:
        yield strip(0)
        return
    with ThreadPoolExecutor(min(threads, len(tops))) as pool:
        yield from pool.map(strip, tops)


def _strip(
    rows: npt.NDArray[np.uint8], before: npt.NDArray[np.uint8], first: bool, last: bool
) -> Strip:
    sample = max(1, SAMPLE_BYTES // rows.shape[1])
    kind = min(
        (UP, NONE),
        key=lambda kind: len(isal_zlib.compress(_filtered(rows[:sample], before, kind), LEVEL)),
    )
    data = _filtered(rows, before, kind)
    deflate = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, -15)
    body = deflate.compress(data)
    end = deflate.flush(isal_zlib.Z_FINISH if last else isal_zlib.Z_FULL_FLUSH)
    start = b"\x78\x5e" if first else b""
    return Strip(_chunk(b"IDAT", start, body, end), isal_zlib.adler32(data), data.size)


def _filtered(
    rows: npt.NDArray[np.uint8], before: npt.NDArray[np.uint8], kind: int
) -> npt.NDArray[np.uint8]:
    """Rows with their filter byte; ``before`` is the row above the first."""
    data = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
    data[:, 0] = kind
    if kind == NONE:
        data[:, 1:] = rows
    else:
        np.subtract(rows[0], before, out=data[0, 1:])
        np.subtract(rows[1:], rows[:-1], out=data[1:, 1:])
    return data


def _checksum(strips: list[Strip]) -> int:
    """The Adler-32 of all strips together (RFC 1950)."""
    modulus = 65521
    low, high = 1, 0
    for strip in strips:
        high += (strip.adler >> 16) + strip.length * (low - 1)
        low += (strip.adler & 0xFFFF) - 1
    return high % modulus << 16 | low % modulus
