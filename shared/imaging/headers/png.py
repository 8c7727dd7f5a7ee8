"""PNG: a walk over every chunk (PNG specification, third edition, sections 5 and 11)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

from shared.errors import AnimatedImage, CorruptImage
from shared.imaging.codecs import quick
from shared.imaging.headers import exif, icc
from shared.imaging.headers.header import Colour, Format, Header

SIGNATURE = b"\x89PNG\r\n\x1a\n"

MAX_CHUNKS = 50_000
"""Encoders write IDATs of 8 KB and more: a file of 100 MB has about 12,000."""

MAX_INFLATION = 1032
"""Deflate can't do better: 258 bytes from 2 bits."""

MAX_SURPLUS = 2
"""Times the bytes of all rows that the coded pixels may inflate to; most writers end with them."""

_SLICE = 1 << 16
"""Bytes that are inflated at once. All that they become is not kept."""

METRES_PER_INCH = 0.0254

_PHYSICAL = struct.Struct(">IIB")
"""Of a pHYs chunk: pixels a unit across and down, and whether the unit is the metre (1)."""

_FIRST = len(SIGNATURE) + 8, 13
"""Start and size of the header's content."""

_END = b"\0\0\0\0IEND\xaeB`\x82"
_ANIMATION = (b"acTL", b"fcTL", b"fdAT")
_COLOURS = {
    0: (Colour.GRAY, 1, (1, 2, 4, 8, 16)),
    2: (Colour.RGB, 3, (8, 16)),
    3: (Colour.PALETTE, 1, (1, 2, 4, 8)),
    4: (Colour.GRAY_ALPHA, 2, (8, 16)),
    6: (Colour.RGBA, 4, (8, 16)),
}
"""Colour type: its meaning, samples of a pixel, bits a sample may have."""

_NEEDED = {
    Colour.GRAY: (b"tRNS", b"IDAT"),
    Colour.RGB: (b"tRNS", b"IDAT"),
    Colour.PALETTE: (b"PLTE", b"tRNS", b"IDAT"),
    Colour.GRAY_ALPHA: (b"IDAT",),
    Colour.RGBA: (b"IDAT",),
}
"""What pixels need besides the header, in the order in which it must stand."""


def walk(data: bytes) -> Header:
    """The header of a PNG.

    Raises CorruptImage for chunks that don't fit the file or each other, AnimatedImage for APNG.
    """
    chunks = _chunks(data)
    width, height, colour, depth, pixel_bits = _first(data, chunks)
    _check_sum(data, *_FIRST)
    coded, found = _found(data, chunks, colour)
    if coded * MAX_INFLATION < height * (width * pixel_bits // 8):
        raise CorruptImage(reason="it holds fewer pixels than its header says")
    if colour is Colour.PALETTE:
        _check_palette(found.get(b"PLTE", b""), found.get(b"tRNS", b""), depth)
    order = [kind for kind in found if kind in _NEEDED[colour]]
    if order != sorted(order, key=_NEEDED[colour].index):
        raise CorruptImage(reason="its palette, transparency and pixels are not in this order")
    return Header(
        Format.PNG,
        width,
        height,
        colour,
        depth,
        key=_key(found.get(b"tRNS"), colour, depth),
        orientation=exif.orientation(found.get(b"eXIf", b"")),
        icc=_profile(found.get(b"iCCP", b"")),
        dpi=_dpi(found.get(b"pHYs", b"")),
    )


def _found(
    data: bytes, chunks: Iterator[tuple[bytes, int, int]], colour: Colour
) -> tuple[int, dict[bytes, bytes]]:
    """Bytes of coded pixels, and what the first chunk of each kind holds; not of IDAT."""
    coded = 0
    found: dict[bytes, bytes] = {}
    for kind, start, size in chunks:
        if kind == b"IDAT":
            coded += size
            found.setdefault(kind, b"")
        elif kind in _ANIMATION:
            raise AnimatedImage
        elif kind == b"IHDR":
            raise CorruptImage(reason="it has two PNG headers")
        elif kind in (b"PLTE", b"tRNS"):
            if kind in _NEEDED[colour] and kind not in found:
                _check_sum(data, start, size)
                found[kind] = data[start : start + size]
        elif kind[:1].isupper():
            raise CorruptImage(reason="it has a chunk that no standard knows")
        elif kind in (b"iCCP", b"eXIf", b"pHYs"):
            found.setdefault(kind, data[start : start + size])
    return coded, found


def bare(data: bytes, colour: Colour) -> bytes:
    """The same picture with the chunks that pixels of its ``colour`` need, and nothing else.

    A decoder given the rest would inflate text: 14 MB of zTXt chunks cost libpng 39 s. Given a
    kind again and again, or one that the pixels have no use for, it would print a line for each.
    ``data`` has passed `walk`.
    """
    view = memoryview(data)
    needed: list[bytes | memoryview] = [SIGNATURE]
    seen: set[bytes] = set()
    kinds = (b"IHDR", *_NEEDED[colour])
    for kind, start, size in _chunks(data):
        if kind in kinds and kind not in seen and (size or kind != b"tRNS"):
            needed.append(view[start - 8 : start + size + 4])
            seen |= {kind} - {b"IDAT"}
    return b"".join((*needed, _END))


def check_end(data: bytes) -> None:
    """Check that the coded pixels can be inflated and end about where the picture does.

    libpng inflates what follows the last row too, to its end: 1 MB of zeros costs 2 s. And it
    prints a line for pixels that it can't inflate. ``data`` has passed `walk`. Raises CorruptImage.
    """
    for kind, start, size in _chunks(data):
        if kind == b"IDAT":
            _check_sum(data, start, size)
    for codec in (quick, zlib):
        try:
            _inflate(data, codec)
        except codec.error:
            continue  # igzip may stop where zlib, which libpng goes by, does not
        return
    raise CorruptImage(reason="its pixels can't be decoded")


def _inflate(data: bytes, codec: Any) -> None:
    chunks = _chunks(data)
    width, height, _, _, pixel_bits = _first(data, chunks)
    # Interlaced pictures have twice as many rows, each with a byte for its filter and a cut one.
    left = _SLICE + MAX_SURPLUS * height * (width * pixel_bits // 8 + 4)
    inflater = codec.decompressobj()
    for kind, start, size in chunks:
        if kind != b"IDAT":
            continue
        for place in range(start, start + size, _SLICE):
            coded = data[place : min(place + _SLICE, start + size)]
            while coded and not inflater.eof:
                left -= len(inflater.decompress(coded, _SLICE))
                if left < 0:
                    raise CorruptImage(reason="it holds more pixels than its header says")
                coded = inflater.unconsumed_tail


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and size of the content of each chunk before IEND, which must be there."""
    position = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        size, kind = struct.unpack_from(">I4s", data, position)
        start = position + 8
        position = start + size + 4
        if position > len(data):
            raise CorruptImage(reason="a chunk is longer than the file")
        if kind == b"IEND":
            return
        yield kind, start, size
    raise CorruptImage(reason="it has too many chunks")


def _first(
    data: bytes, chunks: Iterator[tuple[bytes, int, int]]
) -> tuple[int, int, Colour, int, int]:
    """Width, height, colour, bits of a sample and bits of a pixel, from the first chunk."""
    kind, start, size = next(chunks, (b"", 0, 0))
    if kind != b"IHDR" or size != 13:
        raise CorruptImage(reason="its first chunk is not a PNG header")
    width, height, depth, colour_type, method, filters, interlace = struct.unpack_from(
        ">IIBBBBB", data, start
    )
    colour, samples, depths = _COLOURS.get(colour_type, (Colour.RGB, 3, ()))
    if depth not in depths or method or filters or interlace > 1:
        raise CorruptImage(reason="its PNG header makes no sense")
    return width, height, colour, depth, samples * depth


def _check_sum(data: bytes, start: int, size: int) -> None:
    """Check a chunk against its CRC, which covers its kind and its content."""
    stored = int.from_bytes(data[start + size : start + size + 4], "big")
    if quick.crc32(memoryview(data)[start - 4 : start + size]) != stored:
        raise CorruptImage(reason="a chunk differs from its check sum")


def _check_palette(palette: bytes, alphas: bytes, depth: int) -> None:
    """Check what libpng prints a line for. Of too many alphas it forgets all, and others don't."""
    colours, surplus = divmod(len(palette), 3)
    if surplus or not 1 <= colours <= 256:
        raise CorruptImage(reason="its palette is missing or makes no sense")
    if len(alphas) > min(colours, 1 << depth):
        raise CorruptImage(reason="it has more transparent colours than colours")


def _key(content: bytes | None, colour: Colour, depth: int) -> tuple[int, ...] | None:
    """The transparent sample values of a gray or RGB image."""
    samples = {Colour.GRAY: 1, Colour.RGB: 3}.get(colour)
    if content is None or samples is None:
        return None
    if len(content) != 2 * samples:
        raise CorruptImage(reason="its transparent colour makes no sense")
    mask = (1 << depth) - 1
    return tuple(value & mask for value in struct.unpack(f">{samples}H", content))


def _profile(content: bytes) -> bytes | None:
    """The colour profile in an iCCP chunk: a name, a zero, the method 0, then deflated bytes."""
    deflated = content.partition(b"\0")[2][1:]
    try:
        return icc.checked(zlib.decompressobj().decompress(deflated, icc.MAX_BYTES + 1))
    except zlib.error:
        return None


def _dpi(content: bytes) -> int | None:
    """Pixels an inch by a pHYs chunk."""
    if len(content) != _PHYSICAL.size:
        return None
    across, down, unit = _PHYSICAL.unpack(content)
    return round(across * METRES_PER_INCH) or None if across == down and unit == 1 else None
