"""WebP: a walk over the RIFF chunks (RFC 9649; VP8: RFC 6386, section 9.1)."""

from __future__ import annotations

import struct

from shared.errors import AnimatedImage, CorruptImage
from shared.imaging.headers import exif
from shared.imaging.headers.header import MAX_PROFILE, Colour, Format, Header

MAX_CHUNKS = 1_000
"""A still picture has at most seven known chunks."""


def walk(data: bytes) -> Header:
    """The header of a WebP file.

    Raises CorruptImage for chunks that don't fit the file or each other, AnimatedImage.
    """
    (size,) = struct.unpack_from("<I", data, 4)
    if size + 8 > len(data):
        raise CorruptImage(reason="it is shorter than it says")
    chunks = _chunks(data, size + 8)
    if b"ANIM" in chunks or b"ANMF" in chunks:
        raise AnimatedImage
    if b"VP8 " in chunks:
        width, height = _lossy(data, *chunks[b"VP8 "])
        has_alpha = b"ALPH" in chunks
    elif b"VP8L" in chunks:
        width, height, has_alpha = _lossless(data, *chunks[b"VP8L"])
    else:
        raise CorruptImage(reason="it holds no pixels")
    if b"VP8X" in chunks and _canvas(data, *chunks[b"VP8X"]) != (width, height):
        raise CorruptImage(reason="its two sizes differ")

    def content(kind: bytes) -> bytes:
        start, length = chunks.get(kind, (0, 0))
        return data[start : start + length] if length <= MAX_PROFILE else b""

    return Header(
        Format.WEBP,
        width,
        height,
        Colour.RGBA if has_alpha else Colour.RGB,
        orientation=exif.orientation(content(b"EXIF")),
        icc=content(b"ICCP") or None,
    )


def _chunks(data: bytes, end: int) -> dict[bytes, tuple[int, int]]:
    """Start and size of the first chunk of each kind."""
    found: dict[bytes, tuple[int, int]] = {}
    position = 12
    for _ in range(MAX_CHUNKS):
        if position + 8 > end:
            return found
        kind, size = struct.unpack_from("<4sI", data, position)
        if position + 8 + size > end:
            raise CorruptImage(reason="a chunk is longer than the file")
        found.setdefault(kind, (position + 8, size))
        position += 8 + size + size % 2
    raise CorruptImage(reason="it has too many chunks")


def _lossy(data: bytes, start: int, size: int) -> tuple[int, int]:
    tag, middle, last, code, width, height = struct.unpack_from("<BBB3sHH", data, start)
    first_partition = (tag | middle << 8 | last << 16) >> 5
    if code != b"\x9d\x01\x2a" or tag & 1 or first_partition + 10 > size:
        raise CorruptImage(reason="its picture data makes no sense")
    return width & 0x3FFF, height & 0x3FFF


def _lossless(data: bytes, start: int, size: int) -> tuple[int, int, bool]:
    signature, bits = struct.unpack_from("<BI", data, start)
    if signature != 0x2F or bits >> 29 or size < 5:
        raise CorruptImage(reason="its picture data makes no sense")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)


def _canvas(data: bytes, start: int, size: int) -> tuple[int, int]:
    if size < 10:
        raise CorruptImage(reason="its header is cut short")
    (flags,) = struct.unpack_from("<B", data, start)
    if flags & 0x02:
        raise AnimatedImage
    return (
        int.from_bytes(data[start + 4 : start + 7], "little") + 1,
        int.from_bytes(data[start + 7 : start + 10], "little") + 1,
    )
