"""JPEG: a walk over the markers (ITU-T T.81, annex B)."""

from __future__ import annotations

import re
import struct

from shared.errors import CorruptImage
from shared.imaging.headers import exif
from shared.imaging.headers.header import Colour, Format, Header

SIGNATURE = b"\xff\xd8\xff"

MAX_SEGMENTS = 10_000
"""Segments before the first scan: honest files have tens, metadata of 64 KB each included."""

MAX_SCANS = 100
"""Each scan of a progressive file is a pass over all pixels; encoders write about ten."""

PIXELS_PER_BYTE = 512
"""Most pixels a byte of Huffman-coded data can hold: each block of 64 takes a bit at least."""

_MARKER = re.compile(rb"\xff[\x01-\xfe]")
_COLOURS = {1: Colour.GRAY, 3: Colour.RGB, 4: Colour.CMYK}

SOF = frozenset((0xC0, 0xC1, 0xC2))
"""Baseline, extended and progressive Huffman frames: what decoders read."""
OTHER_SOF = frozenset((0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF))
SOS, EOI = 0xDA, 0xD9


def walk(data: bytes) -> Header:
    """The header of a JPEG; raises CorruptImage for markers that don't fit the file."""
    frame: tuple[int, int, Colour, int] | None = None
    orientation = 1
    profile: dict[int, bytes] = {}
    position = 2
    for _ in range(MAX_SEGMENTS):
        marker, start, position = _segment(data, position)
        if marker in SOF:
            if frame:
                raise CorruptImage(reason="it has two frame headers")
            frame = _frame(data, start)
        elif marker in OTHER_SOF:
            raise CorruptImage(reason="its kind of JPEG coding can't be read")
        elif marker == 0xE1 and data.startswith(b"Exif\0\0", start):
            orientation = exif.orientation(data[start:position])
        elif marker == 0xE2 and data.startswith(b"ICC_PROFILE\0", start):
            profile.setdefault(data[start + 12], data[start + 14 : position])
        elif marker == SOS:
            break
    else:
        raise CorruptImage(reason="it has too many segments")
    if frame is None:
        raise CorruptImage(reason="it has no frame header")
    width, height, colour, depth = frame
    _check_scans(data, position, width * height)
    icc = b"".join(profile[number] for number in sorted(profile)) or None
    return Header(Format.JPEG, width, height, colour, depth, orientation=orientation, icc=icc)


def _segment(data: bytes, position: int) -> tuple[int, int, int]:
    """The next segment: its marker, where its content starts and where it ends."""
    found = _MARKER.search(data, position)
    if found is None:
        raise CorruptImage(reason="it ends before its pixels")
    marker, start = data[found.end() - 1], found.end()
    if marker == EOI:
        raise CorruptImage(reason="it holds no pixels")
    if marker == 0x01 or 0xD0 <= marker <= 0xD8:
        return marker, start, start
    (size,) = struct.unpack_from(">H", data, start)
    if size < 2 or start + size > len(data):
        raise CorruptImage(reason="a segment is longer than the file")
    return marker, start + 2, start + size


def _frame(data: bytes, start: int) -> tuple[int, int, Colour, int]:
    depth, height, width, components = struct.unpack_from(">BHHB", data, start)
    if components not in _COLOURS:
        raise CorruptImage(reason=f"it has {components} colour components")
    return width, height, _COLOURS[components], depth


def _check_scans(data: bytes, start: int, pixels: int) -> None:
    """Judge what follows the first scan's header, by searches that run at memory speed.

    Coded pixels never hold FF followed by other than 00 or D0..D7, so what is found is a marker.
    """
    end = data.find(b"\xff\xd9", start)
    if end < 0:
        raise CorruptImage(reason="its end is missing")
    if (end - start) * PIXELS_PER_BYTE < pixels:
        raise CorruptImage(reason="it holds fewer pixels than its header says")
    if data.count(b"\xff\xda", start, end) >= MAX_SCANS:
        raise CorruptImage(reason=f"it has more than {MAX_SCANS} scans")
