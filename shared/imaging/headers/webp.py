"""WebP: a walk over the RIFF chunks (RFC 9649; VP8: RFC 6386, section 9.1)."""

from __future__ import annotations

import struct

from shared.errors import AnimatedImage, CorruptImage
from shared.imaging.headers import exif, icc
from shared.imaging.headers.header import Colour, Format, Header

MAX_CHUNKS = 1_000
"""A still picture has seven known chunks at most."""

_ANIMATED = 0x02


def walk(data: bytes) -> Header:
    """The header of a WebP file.

    Raises CorruptImage for chunks that don't fit the file or each other, AnimatedImage.
    """
    (size,) = struct.unpack_from("<I", data, 4)
    if size + 8 > len(data):
        raise CorruptImage(reason="it is shorter than it says")
    chunks = _chunks(data, size + 8)
    canvas = _canvas(chunks[b"VP8X"]) if b"VP8X" in chunks else None
    if b"ANIM" in chunks or b"ANMF" in chunks:
        raise AnimatedImage
    if b"VP8 " in chunks:
        width, height = _lossy(chunks[b"VP8 "])
        has_alpha = b"ALPH" in chunks
    elif b"VP8L" in chunks:
        width, height, has_alpha = _lossless(chunks[b"VP8L"])
    else:
        raise CorruptImage(reason="it holds no pixels")
    if canvas not in (None, (width, height)):
        raise CorruptImage(reason="its two sizes differ")
    return Header(
        Format.WEBP,
        width,
        height,
        Colour.RGBA if has_alpha else Colour.RGB,
        orientation=exif.orientation(bytes(chunks.get(b"EXIF", b""))),
        icc=icc.checked(bytes(chunks.get(b"ICCP", b""))),
    )


def _chunks(data: bytes, end: int) -> dict[bytes, memoryview]:
    """The content of the first chunk of each kind."""
    view = memoryview(data)[:end]
    found: dict[bytes, memoryview] = {}
    position = 12
    for _ in range(MAX_CHUNKS):
        if position + 8 > end:
            return found
        kind, size = struct.unpack_from("<4sI", view, position)
        start, position = position + 8, position + 8 + size + size % 2
        if start + size > end:
            raise CorruptImage(reason="a chunk is longer than the file")
        found.setdefault(kind, view[start : start + size])
    raise CorruptImage(reason="it has too many chunks")


def _canvas(chunk: memoryview) -> tuple[int, int]:
    flags, width, width_high, height, height_high = struct.unpack_from("<B3xHBHB", chunk)
    if flags & _ANIMATED:
        raise AnimatedImage
    return (width | width_high << 16) + 1, (height | height_high << 16) + 1


def _lossy(chunk: memoryview) -> tuple[int, int]:
    tag_low, tag_high, code, width, height = struct.unpack_from("<HB3sHH", chunk)
    tag = tag_low | tag_high << 16
    is_inter_frame, first_partition = tag & 1, tag >> 5
    if code != b"\x9d\x01\x2a" or is_inter_frame or first_partition + 10 > len(chunk):
        raise CorruptImage(reason="its picture data makes no sense")
    return width & 0x3FFF, height & 0x3FFF


def _lossless(chunk: memoryview) -> tuple[int, int, bool]:
    signature, bits = struct.unpack_from("<BI", chunk)
    version = bits >> 29
    if signature != 0x2F or version:
        raise CorruptImage(reason="its picture data makes no sense")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)
