"""An upload's bytes become artwork: upright RGBA, 8 bit, straight alpha."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from shared.errors import CorruptImage
from shared.imaging.limits import Colour, Content, Format, Header, Limits, judge
from shared.imaging.opencv import cv2

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Artwork:
    """What an upload decodes to.

    ``pixels``: (height, width, 4) uint8, RGBA, straight alpha, C-contiguous, upright, read-only.
    ``icc``: the RGB colour profile that the numbers are meant in; None: sRGB or untagged.
    ``is_opaque``: every alpha is 255.
    """

    pixels: Pixels
    icc: bytes | None
    is_opaque: bool


def decode(data: Content, limits: Limits) -> Artwork:
    """Judge, then decode. 16-bit samples keep their high byte.

    Raises the FileRefused classes only.
    """
    content = bytes(data)
    header = judge(content, limits)
    pixels = _upright(_pixels(content, header), header.orientation)
    pixels.flags.writeable = False
    is_rgb = header.icc is not None and header.icc[16:20] == b"RGB "
    return Artwork(pixels, header.icc if is_rgb else None, bool(pixels[..., 3].min() == 255))


def _pixels(content: bytes, header: Header) -> Pixels:
    if header.format in (Format.TIFF, Format.BMP) or header.colour is Colour.CMYK:
        return _pillow(content, header)
    return _opencv(content, header)


def _opencv(content: bytes, header: Header) -> Pixels:
    try:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise CorruptImage(reason="its pixels can't be decoded") from error
    if picture is None or picture.shape[:2] != (header.height, header.width):
        raise CorruptImage(reason="its pixels can't be decoded")
    alpha = None
    if picture.ndim == 2 and header.key is not None:
        scale = 255 // ((1 << header.depth) - 1) if header.depth < 8 else 1
        alpha = np.where(picture == header.key[0] * scale, 0, 255).astype(np.uint8)
    if picture.dtype == np.uint16:
        picture = np.ascontiguousarray((picture >> 8).astype(np.uint8))
    channels = 1 if picture.ndim == 2 else picture.shape[2]
    code = {1: cv2.COLOR_GRAY2RGBA, 3: cv2.COLOR_BGR2RGBA, 4: cv2.COLOR_BGRA2RGBA}[channels]
    pixels = cv2.cvtColor(picture, code)
    if alpha is not None:
        pixels[..., 3] = alpha
    return pixels


def _pillow(content: bytes, header: Header) -> Pixels:
    try:
        with Image.open(io.BytesIO(content), formats=[header.format.upper()]) as image:
            image.load()
            if header.colour is Colour.CMYK:
                return _from_cmyk(image, header.icc)
            return np.array(image.convert("RGBA"))
    except Exception as error:
        raise CorruptImage(reason="its pixels can't be decoded") from error


def _from_cmyk(image: Image.Image, icc: bytes | None) -> Pixels:
    if icc is not None:
        srgb = ImageCms.createProfile("sRGB")
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        converted = ImageCms.profileToProfile(image, profile, srgb, outputMode="RGB")
        if converted is not None:
            image = converted
    return np.array(image.convert("RGBA"))


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turn and mirror as EXIF says (Exif 2.32, section 4.6.4, tag 0x0112)."""
    if orientation == 1:
        return pixels
    if orientation >= 5:
        pixels = cv2.transpose(pixels)
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    return pixels if flip is None else cv2.flip(pixels, flip)
