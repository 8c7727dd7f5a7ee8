"""TIFF: a walk over the image file directories (TIFF 6.0, sections 2, 7 and 15)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from shared.errors import AnimatedImage, CorruptImage, UnsupportedFormat
from shared.imaging.headers.header import MAX_PROFILE, Colour, Format, Header

MAX_DIRECTORIES = 16
"""Thumbnails and masks beside the one picture."""

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 8: 2, 9: 4}
"""Bytes of a value by field type, for those types that the tags read here have."""

_COLOURS = {
    0: Colour.GRAY,
    1: Colour.GRAY,
    2: Colour.RGB,
    3: Colour.PALETTE,
    5: Colour.CMYK,
    6: Colour.RGB,
}
"""By PhotometricInterpretation."""

_COMPRESSIONS = (1, 5, 7, 8, 32773, 32946)
"""None, LZW, JPEG, deflate, PackBits and deflate's old number."""

SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 254, 256, 257, 258, 259, 262
STRIP_OFFSETS, ORIENTATION, SAMPLES, STRIP_SIZES = 273, 274, 277, 279
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_SIZES = 322, 323, 324, 325
EXTRA_SAMPLES, SAMPLE_FORMAT, PROFILE = 338, 339, 34675


@dataclass(frozen=True, slots=True)
class _Directory:
    """The tags of one picture: field type, count and the place of the values."""

    data: bytes
    endian: str
    tags: dict[int, tuple[int, int, int]]
    following: int

    def all(self, tag: int, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        if tag not in self.tags:
            return default
        kind, count, place = self.tags[tag]
        if kind not in (1, 3, 4):
            raise CorruptImage(reason="a tag has a wrong type")
        letter = {1: "B", 3: "H", 4: "I"}[kind]
        if count > len(self.data):
            raise CorruptImage(reason="a tag is longer than the file")
        return struct.unpack_from(f"{self.endian}{count}{letter}", self.data, place)

    def one(self, tag: int, default: int = 0) -> int:
        return (self.all(tag) or (default,))[0]

    def bytes(self, tag: int) -> bytes | None:
        kind, count, place = self.tags.get(tag, (0, 0, 0))
        if kind not in (1, 7) or not 0 < count <= MAX_PROFILE:
            return None
        return self.data[place : place + count]


def walk(data: bytes) -> Header:
    """The header of a TIFF.

    Raises CorruptImage for directories, strips and tiles that don't fit the file, AnimatedImage
    for several pages, UnsupportedFormat for BigTIFF and for codings that aren't read.
    """
    endian = "<" if data[:2] == b"II" else ">"
    magic, place = struct.unpack_from(f"{endian}HI", data, 2)
    if magic != 42:
        raise UnsupportedFormat
    page = _page(data, endian, place)
    width, height, samples = page.one(WIDTH), page.one(HEIGHT), page.one(SAMPLES, 1)
    depths = page.all(BITS, (1,))
    colour = _COLOURS.get(page.one(PHOTOMETRIC, 1))
    if (
        colour is None
        or page.one(COMPRESSION, 1) not in _COMPRESSIONS
        or depths[0] not in (1, 2, 4, 8, 16)
        or len(set(depths)) != 1
        or any(kind != 1 for kind in page.all(SAMPLE_FORMAT, (1,)))
        or not 1 <= samples <= 5
    ):
        raise UnsupportedFormat
    _check_pixels(page, width, height, samples * depths[0])
    orientation = page.one(ORIENTATION, 1)
    return Header(
        Format.TIFF,
        width,
        height,
        colour,
        depths[0],
        orientation=orientation if 1 <= orientation <= 8 else 1,
        icc=page.bytes(PROFILE),
    )


def _page(data: bytes, endian: str, place: int) -> _Directory:
    """The directory of the one page; reduced copies and masks beside it are passed over."""
    pages = []
    seen: set[int] = set()
    while place:
        if place in seen or len(seen) == MAX_DIRECTORIES:
            raise CorruptImage(reason="its directories run in a circle")
        seen.add(place)
        directory = _directory(data, endian, place)
        if not directory.one(SUBFILE) & 0b101:
            pages.append(directory)
        if len(pages) > 1:
            raise AnimatedImage
        place = directory.following
    if not pages:
        raise CorruptImage(reason="it holds no picture")
    return pages[0]


def _directory(data: bytes, endian: str, place: int) -> _Directory:
    (count,) = struct.unpack_from(f"{endian}H", data, place)
    tags: dict[int, tuple[int, int, int]] = {}
    for number in range(count):
        entry = place + 2 + 12 * number
        tag, kind, length, value = struct.unpack_from(f"{endian}HHII", data, entry)
        size = _SIZES.get(kind, 8) * length
        start = entry + 8 if size <= 4 else value
        if start + size > len(data):
            raise CorruptImage(reason="a tag is longer than the file")
        tags.setdefault(tag, (kind, length, start))
    (following,) = struct.unpack_from(f"{endian}I", data, place + 2 + 12 * count)
    return _Directory(data, endian, tags, following)


def _check_pixels(page: _Directory, width: int, height: int, bits: int) -> None:
    """Check that strips or tiles lie in the file and could hold what the header says."""
    tiled = TILE_OFFSETS in page.tags
    offsets = page.all(TILE_OFFSETS if tiled else STRIP_OFFSETS)
    sizes = page.all(TILE_SIZES if tiled else STRIP_SIZES)
    if not offsets or len(offsets) != len(sizes):
        raise CorruptImage(reason="it holds no pixels")
    if any(offset + size > len(page.data) for offset, size in zip(offsets, sizes, strict=True)):
        raise CorruptImage(reason="its pixels lie beyond the end of the file")
    if page.one(COMPRESSION, 1) == 1 and sum(sizes) < height * -(-width * bits // 8):
        raise CorruptImage(reason="it holds fewer pixels than its header says")
    if tiled and not (
        0 < page.one(TILE_WIDTH) <= max(1024, width + 15)
        and 0 < page.one(TILE_HEIGHT) <= max(1024, height + 15)
    ):
        raise CorruptImage(reason="its tiles are larger than the picture")
