"""PNG: a walk over every chunk (PNG specification, third edition, section 5)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from shared.errors import AnimatedImage, CorruptImage
from shared.imaging.headers import exif
from shared.imaging.headers.header import MAX_PROFILE, Colour, Format, Header

SIGNATURE = b"\x89PNG\r\n\x1a\n"

MAX_CHUNKS = 100_000
"""Encoders write IDATs of 8 KB and more: a file of 100 MB has about 12,000."""

MAX_DEFLATE_RATIO = 1032
"""Deflate can't do better: 258 bytes for 2 bits (zlib's technical notes)."""

_COLOURS = {
    0: (Colour.GRAY, 1, (1, 2, 4, 8, 16)),
    2: (Colour.RGB, 3, (8, 16)),
    3: (Colour.PALETTE, 1, (1, 2, 4, 8)),
    4: (Colour.GRAY_ALPHA, 2, (8, 16)),
    6: (Colour.RGBA, 4, (8, 16)),
}
"""Colour type: its meaning, samples a pixel, allowed bits a sample."""


def walk(data: bytes) -> Header:
    """The header of a PNG.

    Raises CorruptImage for chunks that don't fit the file or each other, AnimatedImage for APNG.
    """
    chunks = _chunks(data)
    kind, start, size = next(chunks)
    if kind != b"IHDR" or size != 13:
        raise CorruptImage(reason="its first chunk is not a PNG header")
    width, height, depth, colour_type, method, filters, interlace = struct.unpack_from(
        ">IIBBBBB", data, start
    )
    colour, samples, depths = _COLOURS.get(colour_type, (Colour.RGB, 0, ()))
    if depth not in depths or method or filters or interlace > 1:
        raise CorruptImage(reason="its PNG header makes no sense")

    pixel_bytes = 0
    found: dict[bytes, bytes] = {}
    for kind, start, size in chunks:
        if kind == b"IDAT":
            pixel_bytes += size
        elif kind in (b"acTL", b"fcTL", b"fdAT"):
            raise AnimatedImage
        elif kind == b"IHDR":
            raise CorruptImage(reason="it has two PNG headers")
        elif kind in (b"tRNS", b"iCCP", b"eXIf") and size <= MAX_PROFILE:
            found.setdefault(kind, data[start : start + size])
    if pixel_bytes * MAX_DEFLATE_RATIO < height * (-(-width * samples * depth // 8) + 1):
        raise CorruptImage(reason="it holds fewer pixels than its header says")

    return Header(
        Format.PNG,
        width,
        height,
        colour,
        depth,
        key=_key(found.get(b"tRNS"), colour),
        orientation=exif.orientation(found.get(b"eXIf", b"")),
        icc=_profile(found.get(b"iCCP")),
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and size of each chunk's content, up to IEND, which must be there."""
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


def _key(content: bytes | None, colour: Colour) -> tuple[int, ...] | None:
    """The transparent sample values of a gray or RGB image."""
    samples = {Colour.GRAY: 1, Colour.RGB: 3}.get(colour, 0)
    if content is None or not samples:
        return None
    if len(content) != 2 * samples:
        raise CorruptImage(reason="its transparent colour makes no sense")
    return struct.unpack(f">{samples}H", content)


def _profile(content: bytes | None) -> bytes | None:
    """The colour profile in an iCCP chunk: a name, a zero, the method 0, then deflated bytes."""
    if content is None:
        return None
    _, _, rest = content.partition(b"\0")
    inflater = zlib.decompressobj()
    try:
        profile = inflater.decompress(rest[1:], MAX_PROFILE)
    except zlib.error:
        return None
    return profile if inflater.eof else None
