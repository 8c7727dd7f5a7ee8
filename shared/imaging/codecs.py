"""The fast codecs, where there is a wheel of them for this machine; else None, or zlib.

Without them pictures are read and written more slowly, with the same pixels (docs/decisions/014).
"""

from __future__ import annotations

import zlib
from contextlib import suppress
from typing import Any

from shared.imaging.headers.header import Colour, Format, Header

FAST_PIXELS = 32_000_000
"""The fast PNG decoder holds Python's lock, for 0.1 s at 16 megapixels; larger pictures go to
OpenCV, which takes twice as long and lets other threads run."""

kornia: Any = None
"""PNG of 8 bits, where the size is known."""
with suppress(ImportError):
    from kornia_rs import io

    kornia = io

turbo: Any = None
"""JPEG to any order of channels; refuses what is cut."""
with suppress(ImportError):
    import simplejpeg

    turbo = simplejpeg.decode_jpeg

quick: Any = zlib
"""igzip (ISA-L) has zlib's names, and an ``error`` of its own."""
with suppress(ImportError):
    from isal import isal_zlib

    quick = isal_zlib

thorough: Any = None
"""zlib-ng: three times as fast as zlib."""
with suppress(ImportError):
    from zlib_ng import zlib_ng

    thorough = zlib_ng


def is_fast_png(header: Header) -> bool:
    """Whether the fast PNG decoder reads it."""
    is_plain = header.format is Format.PNG and header.depth == 8 and header.key is None
    has_colours = header.colour in (Colour.RGB, Colour.RGBA)
    is_small = header.width * header.height <= FAST_PIXELS
    return kornia is not None and is_plain and has_colours and is_small
