"""An upload's bytes become artwork: upright RGBA, 8 bits, straight alpha."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, TiffImagePlugin
from PIL.BmpImagePlugin import BmpImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import TiffImageFile

from shared.errors import CorruptImage
from shared.imaging import demand, isolated
from shared.imaging.codecs import is_fast_png, kornia, turbo
from shared.imaging.colour import regray, rgb_of_cmyk
from shared.imaging.headers import icc, jpeg, png, tiff
from shared.imaging.limits import Colour, Content, Format, Header, Limits, Raw, judge
from shared.imaging.opencv import cv2
from shared.imaging.pixels import Pixels, all_opaque

# Pillow's own reader of uncompressed TIFFs gets 16-bit pixels stored plane by plane wrong without
# a word; libtiff reads all of them.
TiffImagePlugin.READ_LIBTIFF = True

Spare = Callable[[int], AbstractContextManager[object] | None]
"""Gives so many bytes out, until the end of the context; None where they can't be had."""


@dataclass(frozen=True, slots=True, eq=False)
class Artwork:
    """What an upload decodes to.

    ``pixels``: (height, width, 4) uint8, RGBA, straight alpha, C-contiguous, upright, read-only.
    ``icc``: the RGB colour profile the numbers are meant in; None: sRGB, or the file has none.
    ``is_opaque``: every alpha is 255.
    ``dpi``: pixels an inch that a PNG tells; None: the file tells none.
    """

    pixels: Pixels
    icc: bytes | None
    is_opaque: bool
    dpi: int | None = None


def decode(data: Content, limits: Limits, spare: Spare | None = None) -> Artwork:
    """Judge the bytes, then decode them.

    ``spare`` gives memory out where other files are worked on in this process. A PNG whose decoder
    would hold Python's lock goes to a helper then, if one is ready: for 9 MB that takes 12 ms more,
    but the others go on meanwhile.

    16-bit samples keep their high byte. CMYK becomes sRGB by its profile; so do the levels of
    gray with a gray profile. Raises the FileRefused classes only, and answers no part of a
    picture. Not promised: that changed bytes are noticed in formats without check sums, and in
    CMYK JPEGs and JPEG within TIFF, whose decoder puts gray in the place of damaged pixels.
    """
    content = bytes(data)
    header = judge(content, limits)
    pixels = _by_a_helper(content, header, limits, spare)
    if pixels is None:
        try:
            pixels = stored(content, header)
        except (MemoryError, CorruptImage):
            raise  # the machine's fault, not the file's; or told already
        except Exception as error:
            # Decoders raise whatever they meet on damaged files, ValueError to ZeroDivisionError.
            raise CorruptImage(reason="its pixels can't be decoded") from error
    pixels = np.ascontiguousarray(_upright(pixels, header.orientation))
    pixels.flags.writeable = False
    profile = header.icc if header.icc and icc.space(header.icc) == b"RGB " else None
    # None of these has an alpha that its header does not tell of.
    tells = header.raw is not None or header.format in (Format.PNG, Format.JPEG)
    is_opaque = (tells and demand.is_opaque(header)) or all_opaque(pixels)
    return Artwork(pixels, profile, is_opaque, header.dpi)


def _by_a_helper(
    content: bytes, header: Header, limits: Limits, spare: Spare | None
) -> Pixels | None:
    """The stored picture where it must not be decoded here, or had better not be."""
    room = demand.to_isolate(header, len(content))
    if isolated.is_needed(header):
        return isolated.decoded(content, header, room, limits.seconds)
    if spare and isolated.is_wanted(header):
        share = spare(demand.to_help(header, len(content)))
        if share is not None:
            with share:
                return isolated.decoded_at_once(content, header, room, limits.seconds)
    return None


def stored(content: bytes, header: Header) -> Pixels:
    """The stored picture as (height, width, 4) RGBA, not yet upright.

    Raises MemoryError, and whatever a decoder does for damaged pixels.
    """
    try:
        pixels = _decoded(content, header)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError from error
        raise
    if pixels.shape != (header.height, header.width, 4):
        raise ValueError("the decoder sees another size than the header walk")
    if header.colour in (Colour.GRAY, Colour.GRAY_ALPHA):
        return regray(pixels, header.icc)
    return pixels


def _decoded(content: bytes, header: Header) -> Pixels:
    if header.raw is not None:
        return _as_it_stands(content, header.raw, header.width)
    if header.format is Format.PNG:
        return _png(png.bare(content, header.colour), header)
    if header.format is Format.WEBP:
        return _opencv(content, header)
    if header.format is Format.JPEG and header.colour is not Colour.CMYK:
        return _jpeg(jpeg.bare(content))
    return _pillow(content, header)


def _as_it_stands(content: bytes, raw: Raw, width: int) -> Pixels:
    data = np.frombuffer(content, np.uint8)
    strips: list[Pixels] = []
    for start, rows in raw.strips:
        lines = data[start : start + rows * raw.stride].reshape(rows, raw.stride)
        samples = lines[:, : width * len(raw.order)].reshape(rows, width, len(raw.order))
        conversion = _CONVERSIONS.get(raw.order)
        strips.append(samples if conversion is None else _rgba(samples, conversion))
    return strips[0] if len(strips) == 1 else np.concatenate(strips)


_CONVERSIONS = {"RGB": cv2.COLOR_RGB2RGBA, "BGR": cv2.COLOR_BGR2RGBA}
"""To RGBA, of what isn't."""


def _png(content: bytes, header: Header) -> Pixels:
    if is_fast_png(header):
        shape = header.height, header.width
        if header.colour is Colour.RGBA:
            return np.asarray(kornia.decode_image_png_u8(content, shape, "rgba"), np.uint8)
        return _rgba(kornia.decode_image_png_u8(content, shape, "rgb"), cv2.COLOR_RGB2RGBA)
    png.check_end(content)
    return _opencv(content, header)


def _jpeg(content: bytes) -> Pixels:
    """By libjpeg-turbo's strict interface: OpenCV and Pillow fill what is missing with gray."""
    if turbo is None:
        return _jpeg_twice(content)
    return np.asarray(turbo(content, "RGBA"), np.uint8)


def _jpeg_twice(content: bytes) -> Pixels:
    """By Pillow: bytes behind the coded pixels change a picture only where some are missing."""
    pixels, again = (
        np.array(Image.open(io.BytesIO(data), formats=["JPEG"]).convert("RGBA"))
        for data in (content, jpeg.padded(content))
    )
    if not np.array_equal(pixels, again):
        raise ValueError("its pixels end too early")
    return pixels


def _opencv(content: bytes, header: Header) -> Pixels:
    """A PNG or WebP. OpenCV loses the transparent level of gray PNGs; it is found again here."""
    stored = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None:
        raise ValueError("OpenCV can't read it")
    picture = _eight_bits(stored)
    if picture.ndim == 2:
        pixels = _rgba(picture, cv2.COLOR_GRAY2RGBA)
        if header.key:
            step = 255 // (2**header.depth - 1) if header.depth < 8 else 1
            pixels[stored == header.key[0] * step, 3] = 0
        return pixels
    return _rgba(picture, cv2.COLOR_BGR2RGBA if picture.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)


def _pillow(content: bytes, header: Header) -> Pixels:
    """A TIFF, BMP or CMYK JPEG."""
    bare = {Format.TIFF: tiff.bare, Format.JPEG: jpeg.bare}.get(header.format, bytes)
    # Opened by class: Image.open would try every plugin and warn by limits of its own.
    with _PILLOW[header.format](io.BytesIO(bare(content))) as image:
        image.load()
        if image.mode.startswith("I;16"):
            return _rgba(_eight_bits(np.asarray(image)), cv2.COLOR_GRAY2RGBA)
        if image.mode == "CMYK":
            return np.asarray(rgb_of_cmyk(image, header.icc).convert("RGBA"))
        if image.mode == "La":
            return np.asarray(image.convert("LA").convert("RGBA"))
        return np.asarray(image.convert("RGBA"))


_PILLOW: dict[Format, type[ImageFile.ImageFile]] = {
    Format.TIFF: TiffImageFile,
    Format.BMP: BmpImageFile,
    Format.JPEG: JpegImageFile,
}


def _eight_bits(picture: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """16-bit samples as their high byte, as libpng and Pillow strip them."""
    if picture.itemsize == 1:
        return picture
    little_endian = picture.astype("<u2", copy=False)
    return np.ascontiguousarray(little_endian.view(np.uint8).reshape(*picture.shape, 2)[..., 1])


def _rgba(picture: npt.NDArray[Any], conversion: int) -> Pixels:
    return np.asarray(cv2.cvtColor(picture, conversion), np.uint8)


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turn and mirror as EXIF says (Exif 2.32, section 4.6.4, Orientation).

    Makes one copy at the most, and leaves ``pixels`` as they are.
    """
    own: npt.NDArray[Any] | None = cv2.transpose(pixels) if orientation >= 5 else None
    turned = pixels if own is None else own
    mirror = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    return np.asarray(turned if mirror is None else cv2.flip(turned, mirror, dst=own), np.uint8)
