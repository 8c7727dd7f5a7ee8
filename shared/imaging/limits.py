"""Bytes are judged before any decoder sees them: pure, and cheap on hostile files.

A decoder allocates what a header claims, and a file of 44 bytes can claim gigabytes. So each
format's headers are walked first and held against the file's length and the limits.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass

from shared.errors import (
    CorruptImage,
    EmptyFile,
    FileTooLarge,
    ImageTooCostly,
    ImageTooLarge,
    UnsupportedFormat,
)
from shared.imaging import demand
from shared.imaging.headers import bmp, jpeg, png, tiff, webp
from shared.imaging.headers.header import Colour, Format, Header, Raw

__all__ = ["Colour", "Content", "Format", "Header", "Limits", "Raw", "judge"]

Content = bytes | bytearray | memoryview

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one file may ask for."""

    max_bytes: int
    """Bytes of the file."""
    max_pixels: int
    """Width times height."""
    max_side: int
    """Pixels of the longer side."""
    seconds: float = 10.0
    """Of the processor's time, for decoding where the header tells too little of it."""
    max_memory: float = math.inf
    """Bytes of working on it."""


def judge(data: Content, limits: Limits) -> Header:
    """What the image says of itself, when it can be given to a decoder.

    The format is known by content, never by a name. Raises EmptyFile, FileTooLarge,
    UnsupportedFormat, CorruptImage, ImageTooLarge, ImageTooCostly or AnimatedImage.
    Not promised: that the pixels can be decoded.
    """
    size = memoryview(data).nbytes
    if not size:
        raise EmptyFile
    if size > limits.max_bytes:
        raise FileTooLarge(size_mb=size / _MILLION, limit_mb=limits.max_bytes / _MILLION)
    content = bytes(data)
    walk = _walk(content)
    try:
        header = walk(content)
    except (struct.error, IndexError) as error:
        raise CorruptImage(reason="it ends within a header") from error
    _check_size(header, limits)
    if demand.to_read(header, size) > limits.max_memory:
        raise ImageTooCostly(what="memory")
    return header


def _walk(data: bytes) -> Callable[[bytes], Header]:
    """The header walk of the format that the first bytes show."""
    if data.startswith(png.SIGNATURE):
        return png.walk
    if data.startswith(jpeg.SIGNATURE):
        return jpeg.walk
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return webp.walk
    if data.startswith(tiff.SIGNATURES):
        return tiff.walk
    if data.startswith(bmp.SIGNATURE):
        return bmp.walk
    raise UnsupportedFormat


def _check_size(header: Header, limits: Limits) -> None:
    width, height = header.width, header.height
    if not width or not height:
        raise CorruptImage(reason="it has no width or no height")
    if max(width, height) > limits.max_side or width * height > limits.max_pixels:
        most = f"{limits.max_pixels / _MILLION:g} megapixels and {limits.max_side} px a side"
        raise ImageTooLarge(width=width, height=height, limit=most)
