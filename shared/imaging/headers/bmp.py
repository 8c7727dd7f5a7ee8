"""BMP: its two headers, held against the file's length (Windows GDI: BITMAPINFOHEADER and kin)."""

from __future__ import annotations

import struct

from shared.errors import CorruptImage, UnsupportedFormat
from shared.imaging.headers.header import Colour, Format, Header, Raw

SIGNATURE = b"BM"

_CORE = 12
"""Bytes of the oldest header, whose sizes are 16-bit."""
_INFO = (40, 52, 56, 64, 108, 124)
_UNCOMPRESSED = (0, 3, 6)
"""BI_RGB, BI_BITFIELDS and BI_ALPHABITFIELDS; run lengths and embedded files are not read."""


def walk(data: bytes) -> Header:
    """The header of a BMP.

    Raises CorruptImage for sizes that don't fit the file, UnsupportedFormat for compressed
    pixels and for anything else that starts with the letters BM.
    """
    offset, info = struct.unpack_from("<II", data, 10)
    if info == _CORE:
        width, height, planes, bits = struct.unpack_from("<HHHH", data, 18)
        compression = 0
    elif info in _INFO:
        width, height, planes, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    else:
        raise UnsupportedFormat
    if compression not in _UNCOMPRESSED:
        raise UnsupportedFormat
    from_bottom = height > 0
    height = abs(height)
    if planes != 1 or bits not in (1, 4, 8, 16, 24, 32) or width < 0:
        raise CorruptImage(reason="its BMP header makes no sense")
    stride = (width * bits + 31) // 32 * 4
    if offset < 14 + info or offset + stride * height > len(data):
        raise CorruptImage(reason="it holds fewer pixels than its header says")
    if bits == 24 and compression == 0:
        raw = Raw(((offset, height),), stride, "BGR")
        # Rows that run from the bottom are a picture upside down, in a mirror.
        orientation = 4 if from_bottom else 1
        return Header(Format.BMP, width, height, Colour.RGB, orientation=orientation, raw=raw)
    return Header(Format.BMP, width, height, Colour.PALETTE if bits <= 8 else Colour.RGB)
