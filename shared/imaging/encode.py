"""Encode: write a print-ready PNG (W3C PNG, third edition), in strips and side by side.

Rows are filtered in NumPy and deflated by igzip (ISA-L), or by zlib where the package ``isal`` is
missing or small files are asked for. A strip is a run of rows that is deflated
on its own, ends on a byte boundary and becomes one IDAT chunk, so strips can be worked on side by
side. Where they begin depends on the picture alone: the same picture gives the same bytes however
many threads there are. Another version of ISA-L or kind of processor may deflate to other bytes.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shared.imaging.codecs import quick
from shared.imaging.opencv import cv2
from shared.imaging.pixels import Pixels
from shared.imaging.strips import in_strips
from shared.settings import Effort

QUICK_LEVEL = 1 if quick is zlib else 2
"""igzip has 0 to 3; 3 takes ten times as long on flat art and saves a tenth."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {3: 2, 4: 6}
"""Channels -> colour type: RGB, RGBA."""
PERCEPTUAL = b"\x00"
"""The sRGB chunk's rendering intent."""
METRES_PER_INCH = 0.0254

STRIP_BYTES = 1 << 19
"""Of pixels: enough to deflate well and for the threads to share, little enough for the caches."""
SMALL_LEVEL = 6
"""Of zlib's, for small files; 9 takes five times as long and saves a fifteenth more."""
ZLIB_HEADER = b"\x78\x5e"
LAST_BLOCK = b"\x03\x00"
"""An empty block that ends a deflate stream."""
NONE, SUB, UP, AVERAGE, PAETH = range(5)
"""Filter types."""
FLAT = 1 / 8
"""What a strip of flat art deflates to at the most."""
LOOK = 4
"""Rows in the middle of a strip that tell which filter suits it."""


Samples = npt.NDArray[np.uint8]


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
    and a few strips. ``threads``: at most so many; unset is the number of processors. ``effort``:
    ``small`` takes 20 to 60 times as long for a smaller file.
    """
    height, width, channels = pixels.shape
    write = _small if effort is Effort.SMALL else _fast

    def strip(rows: slice) -> Strip:
        return write(pixels, rows)

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
    return _chunk(b"iCCP", b"ICC profile\x00", b"\x00", zlib.compress(icc))


def _chunk(kind: bytes, *parts: bytes) -> bytes:
    crc = quick.crc32(kind)
    for part in parts:
        crc = quick.crc32(part, crc)
    length = sum(len(part) for part in parts)
    return b"".join([length.to_bytes(4, "big"), kind, *parts, crc.to_bytes(4, "big")])


def _fast(pixels: Pixels, rows: slice) -> Strip:
    """Filtered with Up or Average, whichever suits; flat art may deflate better unfiltered."""
    data = _filtered(pixels, rows, _suited(pixels, rows))
    deflated = _quick(data)
    if len(deflated) < data.size * FLAT:
        plain = _filtered(pixels, rows, NONE)
        smaller = _quick(plain)
        if len(smaller) < len(deflated):
            data, deflated = plain, smaller
    return _joined(pixels, rows, data, deflated)


def _small(pixels: Pixels, rows: slice) -> Strip:
    """Filtered with what is smallest once it is deflated quickly, then deflated at length."""
    kinds = (NONE, SUB, UP, AVERAGE, PAETH)
    tried = [_filtered(pixels, rows, kind) for kind in kinds]
    data, deflated = min(((one, _quick(one)) for one in tried), key=lambda pair: len(pair[1]))
    # Noise comes out smaller when short matches are passed over, or with igzip's codes.
    at_length = (_at_length(data, how) for how in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED))
    return _joined(pixels, rows, data, min(deflated, *at_length, key=len))


def _at_length(data: Samples, strategy: int) -> bytes:
    stream = zlib.compressobj(
        SMALL_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, strategy
    )
    return stream.compress(data.data) + stream.flush(zlib.Z_FULL_FLUSH)


def _suited(pixels: Pixels, rows: slice) -> int:
    """Up or Average: the one that leaves the smaller differences, judged by some of the rows."""
    middle = (rows.start + rows.stop) // 2
    some = slice(middle, min(middle + LOOK, rows.stop))
    up, average = (
        cv2.norm(_filtered(pixels, some, kind).view(np.int8), cv2.NORM_L1) for kind in (UP, AVERAGE)
    )
    return UP if up <= average else AVERAGE


def _filtered(pixels: Pixels, rows: slice, kind: int) -> Samples:
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
    zero = np.zeros((1, channels), np.uint8)
    _differ(kind, here[:, :channels], zero, above[:, :channels], zero, data[:, 1 : 1 + channels])
    left, corner = here[:, :-channels], above[:, :-channels]
    _differ(kind, here[:, channels:], left, above[:, channels:], corner, data[:, 1 + channels :])
    return data


def _differ(
    kind: int, here: Samples, left: Samples, above: Samples, corner: Samples, out: Samples
) -> None:
    """What each filter leaves of ``here`` (PNG, section 9), written to ``out``."""
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
        a, b, c = left.astype(np.int16), above.astype(np.int16), corner.astype(np.int16)
        to_left, to_above, to_corner = abs(b - c), abs(a - c), abs(a + b - 2 * c)
        nearer = np.where(to_above <= to_corner, above, corner)
        is_left = (to_left <= to_above) & (to_left <= to_corner)
        np.subtract(here, np.where(is_left, left, nearer), out=out)


def _quick(data: Samples) -> bytes:
    """Raw deflate (RFC 1951), ended on a byte boundary for the next strip to follow."""
    stream = quick.compressobj(QUICK_LEVEL, quick.DEFLATED, -quick.MAX_WBITS)
    return bytes(stream.compress(data) + stream.flush(quick.Z_FULL_FLUSH))


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
