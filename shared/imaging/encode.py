"""Encode: write a print-ready PNG (W3C PNG, third edition), in strips and side by side.

A strip is a run of rows that is filtered and deflated on its own, ends on a byte boundary and
becomes one IDAT chunk, so strips can be worked on side by side. Where they begin, and how each is
made, depends on the picture alone: the same picture gives the same bytes however many threads there
are. Another version of ISA-L or zlib-ng, or kind of processor, may deflate to other bytes.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

from shared.imaging import deflate, filters
from shared.imaging.codecs import quick
from shared.imaging.deflate import AT_LENGTH, FAR, deflated
from shared.imaging.filters import AVERAGE, NONE, PAETH, SUB, UP, Samples, filtered
from shared.imaging.pixels import Pixels
from shared.imaging.strips import in_strips
from shared.settings import Effort

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {3: 2, 4: 6}
"""Channels -> colour type: RGB, RGBA."""
PERCEPTUAL = b"\x00"
"""The sRGB chunk's rendering intent."""
METRES_PER_INCH = 0.0254

STRIP_BYTES = 3 << 18
"""Of pixels: enough to deflate well and for the threads to share, little enough for the caches."""
ZLIB_HEADER = b"\x78\x5e"
LAST_BLOCK = b"\x03\x00"
"""An empty block that ends a deflate stream."""
FLAT = 1 / 8
"""What a strip of flat art deflates to at the most."""


class Strip(NamedTuple):
    """A deflated strip as an IDAT chunk, with the Adler-32 and length of what was deflated."""

    chunk: bytes
    adler: int
    length: int


def encode(
    pixels: Pixels,
    *,
    dpi: int,
    icc: bytes | None = None,
    threads: int | None = None,
    effort: Effort = Effort.FAST,
) -> bytes:
    """A PNG of (h, w, 3) RGB or (h, w, 4) RGBA uint8 pixels, lossless.

    It carries ``dpi`` as whole pixels per metre (400 DPI: 15748) and the ICC profile; where there
    is none it says sRGB, which untagged artwork is taken to be. Takes twice the answer's memory
    and up to six strips for every thread. ``threads``: at most so many; unset is the number of
    processors. ``effort``: ``small`` takes 20 to 60 times as long for a smaller file.
    """
    height, width, channels = pixels.shape
    each = max(1, STRIP_BYTES // (width * channels))

    def strip(rows: slice) -> Strip:
        if effort is Effort.SMALL:
            return _small(pixels, rows)
        return _fast(pixels, rows, rows.start // each)

    strips = in_strips(strip, height, each, threads)
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
    return _chunk(b"iCCP", b"ICC profile\x00", b"\x00", zlib.compress(icc))


def _chunk(kind: bytes, *parts: bytes) -> bytes:
    crc = quick.crc32(kind)
    for part in parts:
        crc = quick.crc32(part, crc)
    length = sum(len(part) for part in parts)
    return b"".join([length.to_bytes(4, "big"), kind, *parts, crc.to_bytes(4, "big")])


def _fast(pixels: Pixels, rows: slice, number: int) -> Strip:
    """Filtered with Up or Average, whichever suits; flat art may deflate better unfiltered."""
    some = filters.middle(pixels, rows)
    kind = filters.suited(pixels, some)
    sample, data = filtered(pixels, some, kind), filtered(pixels, rows, kind)
    packed = deflated(data, deflate.suited(sample, number))
    if len(packed) < data.size * FLAT and deflate.rivals(filtered(pixels, some, NONE), sample):
        plain = filtered(pixels, rows, NONE)
        smaller = deflated(plain, FAR)
        if len(smaller) < len(packed):
            data, packed = plain, smaller
    return _joined(pixels, rows, data, packed)


def _small(pixels: Pixels, rows: slice) -> Strip:
    """Filtered with what is smallest once it is deflated quickly, then deflated at length."""

    def size(kind: int) -> int:
        return len(deflated(filtered(pixels, rows, kind), FAR))

    # One after another, and nothing kept but its size: every thread holds as much.
    data = filtered(pixels, rows, min((NONE, SUB, UP, AVERAGE, PAETH), key=size))
    # Noise comes out smaller when short matches are passed over, or all of them.
    packed = min((deflated(data, way) for way in (FAR, *AT_LENGTH)), key=len)
    return _joined(pixels, rows, data, packed)


def _joined(pixels: Pixels, rows: slice, data: Samples, deflated: bytes) -> Strip:
    start = b"" if rows.start else ZLIB_HEADER
    end = LAST_BLOCK if rows.stop == pixels.shape[0] else b""
    return Strip(_chunk(b"IDAT", start, deflated, end), quick.adler32(data), data.size)


def _adler(strips: list[Strip]) -> int:
    """The Adler-32 of all strips together (RFC 1950)."""
    modulus = 65521
    low, high = 1, 0
    for strip in strips:
        high += (strip.adler >> 16) + strip.length * (low - 1)
        low += (strip.adler & 0xFFFF) - 1
    return high % modulus << 16 | low % modulus
