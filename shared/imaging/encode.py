"""Encode: write a print-ready PNG (W3C PNG, third edition), in strips and side by side.

Rows are filtered in NumPy and deflated by igzip (ISA-L). A strip is a run of rows that is deflated
on its own, ends on a byte boundary and becomes one IDAT chunk, so strips can be worked on side by
side. Where they begin depends on the picture alone: the same picture gives the same bytes however
many threads there are. Another version of ISA-L or kind of processor may deflate to other bytes.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from isal import isal_zlib

from shared.imaging.pixels import Pixels
from shared.imaging.strips import in_strips

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {3: 2, 4: 6}
"""Channels -> colour type: RGB, RGBA."""
PERCEPTUAL = b"\x00"
"""The sRGB chunk's rendering intent."""
METRES_PER_INCH = 0.0254

STRIP_BYTES = 1 << 19
"""Of pixels: enough to deflate well and for the threads to share, little enough for the caches."""
LEVEL = 2
"""Of igzip's 0 to 3; 3 takes ten times as long on flat art and saves a tenth."""
ZLIB_HEADER = b"\x78\x5e"
NONE, UP = 0, 2
"""Filter types."""
FLAT = 1 / 8
"""What a strip of flat art deflates to at the most."""


class Strip(NamedTuple):
    """A deflated strip as an IDAT chunk, with the Adler-32 and length of what was deflated."""

    chunk: bytes
    adler: int
    length: int


def encode(
    pixels: Pixels, *, dpi: int, icc: bytes | None = None, threads: int | None = None
) -> bytes:
    """A PNG of (h, w, 3) RGB or (h, w, 4) RGBA uint8 pixels, lossless.

    It carries ``dpi`` as whole pixels per metre (400 DPI: 15748) and the ICC profile; where there
    is none it says sRGB, which untagged artwork is taken to be. Takes twice the answer's memory
    and a few strips. ``threads``: at most so many; unset is the number of processors.
    """
    height, width, channels = pixels.shape

    def strip(rows: slice) -> Strip:
        return _strip(pixels, rows)

    strips = in_strips(strip, height, max(1, STRIP_BYTES // (width * channels)), threads)
    header = struct.pack(">IIBBBBB", width, height, 8, COLOUR_TYPES[channels], 0, 0, 0)
    per_metre = round(dpi / METRES_PER_INCH)
    return b"".join(
        [
            SIGNATURE,
            _chunk(b"IHDR", header),
            _colour(icc),
            _chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1)),
            *(strip.chunk for strip in strips),
            _chunk(b"IDAT", _adler(strips).to_bytes(4, "big")),
            _chunk(b"IEND"),
        ]
    )


def _colour(icc: bytes | None) -> bytes:
    if icc is None:
        return _chunk(b"sRGB", PERCEPTUAL)
    return _chunk(b"iCCP", b"ICC profile\x00", b"\x00", isal_zlib.compress(icc))


def _chunk(kind: bytes, *parts: bytes) -> bytes:
    crc = isal_zlib.crc32(kind)
    for part in parts:
        crc = isal_zlib.crc32(part, crc)
    length = sum(len(part) for part in parts)
    return b"".join([length.to_bytes(4, "big"), kind, *parts, crc.to_bytes(4, "big")])


def _strip(pixels: Pixels, rows: slice) -> Strip:
    """Filtered with Up, which suits most art; flat art may deflate better unfiltered."""
    is_last = rows.stop == pixels.shape[0]
    data = _filtered(pixels, rows, UP)
    deflated = _deflated(data, is_last)
    if len(deflated) < data.size * FLAT:
        plain = _filtered(pixels, rows, NONE)
        smaller = _deflated(plain, is_last)
        if len(smaller) < len(deflated):
            data, deflated = plain, smaller
    start = b"" if rows.start else ZLIB_HEADER
    return Strip(_chunk(b"IDAT", start, deflated), isal_zlib.adler32(data), data.size)


def _filtered(pixels: Pixels, rows: slice, kind: int) -> npt.NDArray[np.uint8]:
    """The rows, each after its filter byte. Up: the difference from the row above, mod 256."""
    above = pixels[max(rows.start - 1, 0) : rows.stop]
    flat = np.ascontiguousarray(above).reshape(len(above), -1)
    count = rows.stop - rows.start
    data = np.empty((count, 1 + flat.shape[1]), np.uint8)
    data[:, 0] = kind
    if kind == NONE:
        data[:, 1:] = flat[-count:]
    else:
        # The picture's first row has none above it and stays as it is.
        data[0, 1:] = flat[0]
        np.subtract(flat[1:], flat[:-1], out=data[count - len(flat) + 1 :, 1:])
    return data


def _deflated(data: npt.NDArray[np.uint8], is_last: bool) -> bytes:
    """The strip as raw deflate (RFC 1951) for the next strip's to follow; the last one ends it."""
    stream = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, -isal_zlib.MAX_WBITS)
    end = isal_zlib.Z_FINISH if is_last else isal_zlib.Z_FULL_FLUSH
    return stream.compress(data) + stream.flush(end)


def _adler(strips: list[Strip]) -> int:
    """The Adler-32 of all strips together (RFC 1950)."""
    modulus = 65521
    low, high = 1, 0
    for strip in strips:
        high += (strip.adler >> 16) + strip.length * (low - 1)
        low += (strip.adler & 0xFFFF) - 1
    return high % modulus << 16 | low % modulus
