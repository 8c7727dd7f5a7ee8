"""What every header walk answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Format(StrEnum):
    """The formats that are taken in, known by content."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"
    TIFF = "tiff"
    BMP = "bmp"


class Colour(StrEnum):
    """What an image's samples mean."""

    GRAY = "gray"
    GRAY_ALPHA = "gray+alpha"
    RGB = "rgb"
    RGBA = "rgba"
    PALETTE = "palette"
    CMYK = "cmyk"


@dataclass(frozen=True, slots=True)
class Raw:
    """Where samples of 8 bits stand in the file as they are, a pixel's side by side."""

    strips: tuple[tuple[int, int], ...]
    """The start in the file and the number of rows of each, from the first row to the last."""
    stride: int
    """Bytes from one row to the next."""
    order: str
    """RGB, RGBA (straight alpha) or BGR."""


@dataclass(frozen=True, slots=True)
class Header:
    """An image's own description of itself, held against the file it stands in."""

    format: Format
    width: int
    """Stored width in pixels, before the picture is turned upright."""
    height: int
    colour: Colour
    """TIFF and BMP: alpha apart, which their decoder judges."""
    depth: int = 8
    """Bits of one sample."""
    key: tuple[int, ...] | None = None
    """PNG tRNS of gray and RGB images: the sample values that are transparent."""
    orientation: int = 1
    """EXIF orientation, 1 (upright) to 8."""
    icc: bytes | None = None
    """The embedded colour profile, of whatever colour space."""
    dpi: int | None = None
    """Pixels an inch that a PNG tells, rounded; None: it tells none, or not the same both ways."""
    raw: Raw | None = None
    """TIFF and BMP, of the plainest kinds."""
