"""JPEG: a walk over the markers (ITU-T T.81, annex B)."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from shared.errors import CorruptImage, UnsupportedFormat
from shared.imaging.headers import exif, icc
from shared.imaging.headers.header import Colour, Format, Header

SIGNATURE = b"\xff\xd8\xff"

MAX_SEGMENTS = 10_000
"""Honest files have tens; metadata of several megabytes comes in hundreds of 64 KB."""

MAX_SCANS = 100
"""Each scan is a pass over all pixels. Encoders write about ten."""

PIXELS_PER_BYTE = 512
"""Each 8 x 8 block takes a bit at least, so no byte holds more pixels."""

_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
"""A marker, restarts apart. In coded pixels FF is followed by 00 or a restart only, so one search
jumps over a whole scan at memory speed."""

_RESTARTS = [bytes((0xFF, number)) for number in range(0xD0, 0xD8)]
_IDLE = b"\x5a\xa5" * 8

MAX_RESTARTS = 2_000_000
"""In all scans; `padded` writes at each. A picture of 100 megapixels has fewer blocks."""

_EOI, _SOS, _APP1, _APP2 = 0xD9, 0xDA, 0xE1, 0xE2
_WITHOUT_LENGTH = (0x01, 0xD8, _EOI)
_SEQUENTIAL, _PROGRESSIVE = (0xC0, 0xC1), 0xC2
_SOF = (*_SEQUENTIAL, _PROGRESSIVE)
"""Frames with Huffman codes."""
_OTHER_SOF = (0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF)
"""Lossless, hierarchical and arithmetic frames, which hardly any program reads."""
_FOR_PIXELS = (*_SOF, 0xC4, _SOS, 0xDB, 0xDC, 0xDD, 0xE0, 0xEE)
"""Frames, tables, scans, line and restart counts, and JFIF and Adobe, which tell the colours."""
_WHOLE_SPECTRUM = b"\0\x3f\0"
"""What the end of a scan header must say in a sequential frame."""
_COLOURS = {1: Colour.GRAY, 3: Colour.RGB, 4: Colour.CMYK}


class Segment(NamedTuple):
    marker: int
    place: int
    """Where the marker stands."""
    start: int
    """Where its content starts and, after it, ends."""
    end: int


def walk(data: bytes) -> Header:
    """The header of a JPEG.

    Raises CorruptImage for markers that don't fit the file or each other, UnsupportedFormat for
    codings other than 8-bit Huffman. What follows the end marker is not looked at.
    """
    segments = list(_segments(data))
    if any(segment.marker in _OTHER_SOF for segment in segments):
        raise UnsupportedFormat
    frames = [segment.start for segment in segments if segment.marker in _SOF]
    scans = [segment.end for segment in segments if segment.marker == _SOS]
    if len(frames) != 1 or not scans:
        raise CorruptImage(reason="it has no frame or no pixels, or more than one frame")
    if len(scans) > MAX_SCANS:
        raise CorruptImage(reason=f"it has more than {MAX_SCANS} scans")
    width, height, colour = _frame(data, frames[0])
    coded = segments[-1].place - scans[0]
    if coded * PIXELS_PER_BYTE < width * height:
        raise CorruptImage(reason="it holds fewer pixels than its header says")
    orientation, profile = _metadata(data, segments)
    return Header(Format.JPEG, width, height, colour, orientation=orientation, icc=profile)


def bare(data: bytes) -> bytes:
    """The same picture with the segments that its pixels need, as the standard wants them.

    A strict decoder would refuse slips that hurt no pixel: stray bytes between segments, and
    scan headers of sequential frames that some phones fill in wrong. ``data`` has passed `walk`.
    """
    segments = list(_segments(data))
    is_sequential = any(segment.marker in _SEQUENTIAL for segment in segments)
    parts = [SIGNATURE[:2]]
    for segment, following in pairwise(segments):
        if segment.marker == _SOS:
            tail = _WHOLE_SPECTRUM if is_sequential else data[segment.end - 3 : segment.end]
            parts.append(data[segment.place : segment.end - 3] + tail)
            parts.append(data[segment.end : following.place])
        elif segment.marker in _FOR_PIXELS:
            parts.append(data[segment.place : segment.end])
    return b"".join((*parts, data[segments[-1].place : segments[-1].end]))


def padded(data: bytes) -> bytes:
    """The same picture with idle bytes behind each run of coded pixels.

    A decoder that has all pixels of a run passes over what follows; one that lacks some takes it
    for pixels. ``data`` comes from `bare`. Raises CorruptImage for more than `MAX_RESTARTS`.
    """
    if sum(map(data.count, _RESTARTS)) > MAX_RESTARTS:
        raise CorruptImage(reason="it has too many restarts")
    segments = list(_segments(data))
    parts = [SIGNATURE[:2]]
    for segment, following in pairwise(segments):
        parts.append(data[segment.place : segment.end])
        coded = data[segment.end : following.place]
        if segment.marker == _SOS:
            for restart in _RESTARTS:
                coded = coded.replace(restart, _IDLE + restart)
            coded += _IDLE
        parts.append(coded)
    return b"".join((*parts, data[segments[-1].place : segments[-1].end]))


def _segments(data: bytes) -> Iterator[Segment]:
    """Every segment up to the end marker, which must be there and comes last."""
    position = len(SIGNATURE) - 1
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, position)
        if found is None:
            raise CorruptImage(reason="its end is missing")
        place, start = found.span()
        position = start
        marker = data[start - 1]
        if marker not in _WITHOUT_LENGTH:
            (size,) = struct.unpack_from(">H", data, start)
            start, position = start + 2, start + size
            if size < 2 or position > len(data):
                raise CorruptImage(reason="a segment is longer than the file")
        yield Segment(marker, place, start, position)
        if marker == _EOI:
            return
    raise CorruptImage(reason="it has too many segments")


def _metadata(data: bytes, segments: list[Segment]) -> tuple[int, bytes | None]:
    """Orientation, by the first EXIF block, and colour profile, which comes in numbered parts."""
    orientation: int | None = None
    parts: dict[int, bytes] = {}
    for marker, _, start, end in segments:
        if orientation is None and marker == _APP1 and data.startswith(b"Exif\0\0", start):
            orientation = exif.orientation(data[start:end])
        elif marker == _APP2 and data.startswith(b"ICC_PROFILE\0", start):
            parts[data[start + 12]] = data[start + 14 : end]
    return orientation or 1, icc.checked(b"".join(parts[number] for number in sorted(parts)))


def _frame(data: bytes, start: int) -> tuple[int, int, Colour]:
    """Width, height and colour of a frame header."""
    depth, height, width, components = struct.unpack_from(">BHHB", data, start)
    if depth != 8 or components not in _COLOURS:
        raise UnsupportedFormat
    return width, height, _COLOURS[components]
