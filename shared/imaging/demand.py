"""What working on a picture takes of memory, told by its header before any of it is done.

Figures are bytes for each pixel: the measured peak of a process, rounded up (docs/decisions/023).
"""

from __future__ import annotations

from shared.imaging import isolated
from shared.imaging.codecs import turbo
from shared.imaging.geometry import Size
from shared.imaging.headers.header import Colour, Format, Header

FIXED = 32 << 20
"""Strips, tables and threads, whatever the picture."""

_READ = 8
"""What a decoder makes, and RGBA of it; or that, and the same turned upright."""
_READ_JPEG = 10 if turbo else 20
"""A progressive one keeps all coefficients of a picture until its last scan. Pillow reads it twice,
to compare."""
_HELP = 8
"""What the decoder makes, and RGBA of it, in a helper. What both see is a part of `_READ`."""
_READ_DEEP = 16
"""Of 16 bits a sample; and Pillow's own pixels beside two copies."""
_ISOLATED = 16
"""In the helper: Pillow's own pixels, in the file's colours and in RGBA, and a copy."""
_OWN = 4
"""Of what a helper decoded, here."""
_KEPT = 13
"""RGBA, the same as RGB, and twice a file that does not compress."""
_RESIZED = 17
"""RGBA, the same as RGB, and products of 16 bits to resize by."""
_TARGET = 16
"""Such products, resized, and 8-bit pixels of them, with and without a canvas."""
_TARGET_OPAQUE = 11
"""RGB, on a canvas, and twice the file: what has no alpha is not multiplied by it."""


def to_read(header: Header, size: int) -> int:
    """Bytes that decoding and the fingerprint take; ``size``: bytes of the file."""
    if isolated.is_needed(header):
        return 2 * size + _OWN * header.width * header.height + to_isolate(header, size)
    per_pixel = _READ
    if header.depth == 16 or header.format is Format.BMP:
        per_pixel = _READ_DEEP
    elif header.format is Format.JPEG:
        per_pixel = _READ_JPEG
    return FIXED + 2 * size + per_pixel * header.width * header.height


def to_prepare(header: Header, size: int, target: Size | None) -> int:
    """Bytes that decoding and then the print file take, of ``target`` pixels at the most.

    ``target`` None: the pixels are kept.
    """
    pixels = header.width * header.height
    if target is None:
        prepared = _KEPT * pixels
    else:
        per_pixel = _TARGET_OPAQUE if is_opaque(header) else _TARGET
        prepared = _RESIZED * pixels + per_pixel * target.width * target.height
    return max(to_read(header, size), FIXED + 2 * size + prepared)


def is_opaque(header: Header) -> bool:
    """Whether the header says that there is no alpha."""
    if header.raw is not None:
        return len(header.raw.order) == 3
    knows_alpha = header.format in (Format.PNG, Format.JPEG, Format.WEBP)
    return knows_alpha and header.colour in (Colour.RGB, Colour.GRAY) and header.key is None


def to_isolate(header: Header, size: int) -> int:
    """Bytes of address space that a helper may take to decode it."""
    return 2 * FIXED + 3 * size + _ISOLATED * header.width * header.height


def to_help(header: Header, size: int) -> int:
    """Bytes that decoding it takes more where a helper does it that could be done without."""
    return 2 * size + _HELP * header.width * header.height
