"""Colours become sRGB where their own profile can't stay: CMYK and gray."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms

from shared.imaging.headers import icc
from shared.imaging.opencv import cv2
from shared.imaging.pixels import Pixels

_RAMP = np.arange(256, dtype=np.uint8)


def rgb_of_cmyk(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A CMYK picture as RGB: sRGB by its profile, else by Pillow's plain formula.

    As photo editors convert: relative colorimetric, with black point compensation.
    """
    if profile is None or icc.space(profile) != b"CMYK":
        return image.convert("RGB")
    return _to_srgb(image, profile, "RGB") or image.convert("RGB")


def regray(pixels: Pixels, profile: bytes | None) -> Pixels:
    """Gray RGBA pixels with their levels moved from a gray profile's curve to sRGB's."""
    if profile is None or icc.space(profile) != b"GRAY":
        return pixels
    ramp = _to_srgb(Image.fromarray(_RAMP[None]), profile, "RGB")
    if ramp is None:
        return pixels
    levels = np.asarray(ramp)[:, :, 1]
    curves = np.dstack([levels, levels, levels, _RAMP[None]])
    return np.asarray(cv2.LUT(pixels, curves), np.uint8)


def _to_srgb(image: Image.Image, profile: bytes, mode: str) -> Image.Image | None:
    """The picture in sRGB; None where the profile can't be used, which viewers ignore too."""
    try:
        return ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode=mode,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError):
        return None
