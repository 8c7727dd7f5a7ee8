"""TIFF: a walk over the image file directories (TIFF 6.0, sections 2, 7, 15 and 22)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from shared.errors import AnimatedImage, CorruptImage, UnsupportedFormat
from shared.imaging.headers import exif, icc
from shared.imaging.headers.header import Colour, Format, Header, Raw

SIGNATURES = (b"II*\0", b"MM\0*")
"""Classic TIFF of both byte orders. BigTIFF is for files over 4 GB."""

MAX_DIRECTORIES = 16
"""Thumbnails and masks that may stand beside the one picture."""

MAX_FIELDS = 1_000
"""Tags of one picture; writers use about thirty."""

MAX_PIECES = 200_000
"""Strips or tiles of one picture. Six planes of 20,000 rows have 120,000 strips; 100 megapixels in
tiles of 64 x 64 are 25,000."""


class Tag(IntEnum):
    SUBFILE_TYPE = 254
    WIDTH = 256
    HEIGHT = 257
    BITS = 258
    COMPRESSION = 259
    PHOTOMETRIC = 262
    FILL_ORDER = 266
    STRIP_OFFSETS = 273
    ORIENTATION = 274
    SAMPLES = 277
    ROWS_PER_STRIP = 278
    STRIP_SIZES = 279
    PLANAR = 284
    PREDICTOR = 317
    COLOUR_MAP = 320
    TILE_WIDTH = 322
    TILE_HEIGHT = 323
    TILE_OFFSETS = 324
    TILE_SIZES = 325
    EXTRA_SAMPLES = 338
    SAMPLE_FORMAT = 339
    JPEG_TABLES = 347
    SUBSAMPLING = 530
    PROFILE = 34675


_FOR_PIXELS = frozenset(Tag) - {Tag.SUBFILE_TYPE, Tag.ORIENTATION, Tag.PROFILE}
_PLACES = frozenset((Tag.STRIP_OFFSETS, Tag.STRIP_SIZES, Tag.TILE_OFFSETS, Tag.TILE_SIZES))
_COUNTED = frozenset(Tag) - _PLACES - {Tag.PROFILE}
_MAX_SAMPLES = 6
_MAX_COUNT = {Tag.COLOUR_MAP: 768, Tag.JPEG_TABLES: 65_536}
"""The most values of a tag where that is more than one for each sample."""

_COLOURS = {
    0: Colour.GRAY,
    1: Colour.GRAY,
    2: Colour.RGB,
    3: Colour.PALETTE,
    5: Colour.CMYK,
    6: Colour.RGB,
}
"""By PhotometricInterpretation: white is zero, black is zero, RGB, palette, CMYK, YCbCr."""

_DEPTHS = {
    0: (1, 2, 4, 8),  # of 16 its decoder would not turn it round
    1: (1, 2, 4, 8, 16),
    2: (8, 16),
    3: (1, 2, 4, 8),
    5: (8, 16),
    6: (8,),
}
"""By PhotometricInterpretation, the bits of a sample that the decoder reads."""

_WITH_ALPHA = {(1, 8): 1, (2, 8): 3, (2, 16): 1, (3, 8): 1}
"""By PhotometricInterpretation and bits of a sample, the most samples beside the colours that the
decoder reads where the first is alpha. Where another is, it reads none."""

_ALPHA = {1, 2}
"""Of ExtraSamples: alpha that colours were multiplied by, or not."""

_INFLATION = {1: 1, 5: 2048, 7: 2048, 8: 1032, 32773: 64, 32946: 1032}
"""By compression, the most bytes that one coded byte can stand for: none, LZW (4,096 codes),
JPEG (a bit for each block), deflate, PackBits, deflate's older number."""

_BYTE, _SHORT, _LONG, _UNDEFINED = 1, 3, 4, 7
_LETTERS = {_BYTE: "B", _SHORT: "H", _LONG: "I"}
_VALUE_BYTES = {_BYTE: 1, 2: 1, _SHORT: 2, _LONG: 4, 6: 1, _UNDEFINED: 1, 8: 2, 9: 4, 11: 4, 13: 4}
"""By field type; the others (rationals, doubles) have 8."""


@dataclass(frozen=True, slots=True)
class Field:
    """One entry of a directory: its 12 bytes as they stand, and where its values start."""

    entry: bytes
    kind: int
    count: int
    start: int


@dataclass(frozen=True, slots=True)
class Directory:
    """One picture's tags."""

    data: bytes
    endian: str
    fields: dict[int, Field]
    following: int
    """Where the next directory starts; 0 after the last."""

    def numbers(self, tag: Tag, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        """A tag's values; raises CorruptImage where they are no whole numbers."""
        field = self.fields.get(tag)
        if field is None:
            return default
        if field.kind not in _LETTERS or not field.count:
            raise CorruptImage(reason="a tag makes no sense")
        layout = f"{self.endian}{field.count}{_LETTERS[field.kind]}"
        return struct.unpack_from(layout, self.data, field.start)

    def number(self, tag: Tag, default: int = 0) -> int:
        return self.numbers(tag, (default,))[0]

    def content(self, tag: Tag) -> bytes:
        """A tag's bytes; none where there is no such tag."""
        field = self.fields.get(tag)
        if field is None or field.kind not in (_BYTE, _UNDEFINED):
            return b""
        return self.data[field.start : field.start + field.count]


def walk(data: bytes) -> Header:
    """The header of a TIFF.

    Raises CorruptImage for directories, strips and tiles that don't fit the file, AnimatedImage
    for several pages, UnsupportedFormat for codings that are not read.
    """
    page = _page(data)
    width, height = page.number(Tag.WIDTH), page.number(Tag.HEIGHT)
    photometric = page.number(Tag.PHOTOMETRIC)
    depths = set(page.numbers(Tag.BITS, (1,)))
    depth = max(depths)
    if (
        photometric not in _COLOURS
        or page.number(Tag.COMPRESSION, 1) not in _INFLATION
        or len(depths) > 1
        or depth not in _DEPTHS[photometric]
        or not _is_alpha_read(page, photometric, depth)
        or set(page.numbers(Tag.SAMPLE_FORMAT, (1,))) != {1}
        or not 1 <= page.number(Tag.SAMPLES, 1) <= _MAX_SAMPLES
    ):
        raise UnsupportedFormat
    _check_pixels(page, width, height, depth)
    return Header(
        Format.TIFF,
        width,
        height,
        _COLOURS[photometric],
        depth,
        orientation=exif.upright_unless_known(page.number(Tag.ORIENTATION, 1)),
        icc=icc.checked(page.content(Tag.PROFILE)),
        raw=_raw(page, width, height) if depth == 8 else None,
    )


def bare(data: bytes) -> bytes:
    """The same picture with one directory, of the tags that its pixels need.

    A decoder given the rest would read whatever hangs on it: further pages, EXIF, arrays of
    millions of numbers; and turn the picture by itself. ``data`` has passed `walk`.
    """
    page = _page(data)
    entries = [page.fields[tag].entry for tag in sorted(_FOR_PIXELS & page.fields.keys())]
    padding = bytes(len(data) % 2)
    place = struct.pack(f"{page.endian}I", len(data) + len(padding))
    count = struct.pack(f"{page.endian}H", len(entries))
    return b"".join((data[:4], place, memoryview(data)[8:], padding, count, *entries, bytes(4)))


def _page(data: bytes) -> Directory:
    """The one picture's directory; reduced copies and masks beside it are passed over."""
    endian = "<" if data[:2] == b"II" else ">"
    (place,) = struct.unpack_from(f"{endian}I", data, 4)
    pages: list[Directory] = []
    seen: set[int] = set()
    while place:
        if place in seen or len(seen) == MAX_DIRECTORIES:
            raise CorruptImage(reason="its directories don't end")
        seen.add(place)
        directory = _directory(data, endian, place)
        if not directory.number(Tag.SUBFILE_TYPE) & 0b101:
            pages.append(directory)
        place = directory.following
    if len(pages) > 1:
        raise AnimatedImage
    if not pages:
        raise CorruptImage(reason="it holds no picture")
    return pages[0]


def _directory(data: bytes, endian: str, place: int) -> Directory:
    (count,) = struct.unpack_from(f"{endian}H", data, place)
    (following,) = struct.unpack_from(f"{endian}I", data, place + 2 + 12 * count)
    if count > MAX_FIELDS:
        raise CorruptImage(reason="it has too many tags")
    fields: dict[int, Field] = {}
    for entry in range(place + 2, place + 2 + 12 * count, 12):
        tag, kind, length, value = struct.unpack_from(f"{endian}HHII", data, entry)
        size = _VALUE_BYTES.get(kind, 8) * length
        start = entry + 8 if size <= 4 else value
        if start + size > len(data):
            raise CorruptImage(reason="a tag is longer than the file")
        if tag in _COUNTED and length > _MAX_COUNT.get(Tag(tag), _MAX_SAMPLES):
            raise CorruptImage(reason="a tag makes no sense")
        fields.setdefault(tag, Field(data[entry : entry + 12], kind, length, start))
    return Directory(data, endian, fields, following)


def _extra(page: Directory) -> tuple[int, ...]:
    """What the samples beside the colours are, as far as the file tells."""
    field = page.fields.get(Tag.EXTRA_SAMPLES)
    return page.numbers(Tag.EXTRA_SAMPLES) if field and field.count else ()


def _is_alpha_read(page: Directory, photometric: int, depth: int) -> bool:
    """Whether the decoder knows where the alpha is, if there is one."""
    extra = _extra(page)
    most = _WITH_ALPHA.get((photometric, depth), 0)
    return _ALPHA.isdisjoint(extra) or (len(extra) <= most and _ALPHA.isdisjoint(extra[1:]))


_RAW = {
    Tag.COMPRESSION: 1,
    Tag.PHOTOMETRIC: 2,
    Tag.FILL_ORDER: 1,
    Tag.PLANAR: 1,
    Tag.PREDICTOR: 1,
}
"""What RGB as it is says of itself, or nothing at all."""


def _raw(page: Directory, width: int, height: int) -> Raw | None:
    """Where RGB or RGBA of 8 bits lies in strips, uncoded. What is less plain is the decoder's."""
    order = {(3, ()): "RGB", (4, (2,)): "RGBA"}.get((page.number(Tag.SAMPLES, 1), _extra(page)))
    if order is None or Tag.TILE_OFFSETS in page.fields or Tag.STRIP_SIZES not in page.fields:
        return None
    if any(page.number(tag, value) != value for tag, value in _RAW.items()):
        return None
    stride, down = width * len(order), min(page.number(Tag.ROWS_PER_STRIP, height), height)
    rows = [min(down, height - top) for top in range(0, height, down)]
    sizes = page.numbers(Tag.STRIP_SIZES)
    if any(size < count * stride for size, count in zip(sizes, rows, strict=True)):
        return None
    strips = zip(page.numbers(Tag.STRIP_OFFSETS), rows, strict=True)
    return Raw(tuple(strips), stride, order)


def _check_pixels(page: Directory, width: int, height: int, depth: int) -> None:
    """Check that the strips or tiles lie in the file and can hold what the header says."""
    if Tag.TILE_OFFSETS in page.fields:
        places, lengths = Tag.TILE_OFFSETS, Tag.TILE_SIZES
        across, down = page.number(Tag.TILE_WIDTH), page.number(Tag.TILE_HEIGHT)
    else:
        places, lengths = Tag.STRIP_OFFSETS, Tag.STRIP_SIZES
        across, down = width, min(page.number(Tag.ROWS_PER_STRIP, height), height)
    if not 0 < across < width + 1024 or not 0 < down < height + 1024:
        raise CorruptImage(reason="its tiles make no sense")

    samples = page.number(Tag.SAMPLES, 1)
    planes = samples if page.number(Tag.PLANAR, 1) == 2 else 1
    expected = -(-width // across) * -(-height // down) * planes
    if expected > MAX_PIECES:
        raise CorruptImage(reason="it has too many strips or tiles")
    if {page.fields[tag].count for tag in (places, lengths) if tag in page.fields} != {expected}:
        raise CorruptImage(reason="its strips don't make up the picture")
    offsets, sizes = page.numbers(places), page.numbers(lengths)
    if any(start + size > len(page.data) for start, size in zip(offsets, sizes, strict=False)):
        raise CorruptImage(reason="its pixels lie beyond the end of the file")
    inflation = _INFLATION[page.number(Tag.COMPRESSION, 1)]
    if sum(sizes) * inflation < width * height * samples * depth // 8:
        raise CorruptImage(reason="it holds fewer pixels than its header says")
