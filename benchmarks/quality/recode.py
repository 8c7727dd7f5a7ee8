"""Copies in other formats, decoded again."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image

from benchmarks.quality import artwork
from benchmarks.quality.drawing import Pixels


def png(pixels: Pixels) -> Pixels:
    return artwork.decode(artwork.encode(pixels))


def webp(pixels: Pixels, quality: int) -> Pixels:
    return _through(Image.fromarray(pixels), "WEBP", quality=quality)


def jpeg(pixels: Pixels, quality: int) -> Pixels:
    """JPEG knows no alpha: art that has some is put on white first."""
    flat = Image.fromarray(flattened(pixels, 255)).convert("RGB")
    return _through(flat, "JPEG", quality=quality)


def palette(pixels: Pixels, colours: int) -> Pixels:
    """PNG with a palette; opaque art by median cut, art with alpha by octree."""
    image = Image.fromarray(pixels)
    is_opaque = bool((pixels[..., 3] == 255).all())
    return _through((image.convert("RGB") if is_opaque else image).quantize(colours), "PNG")


def flattened(pixels: Pixels, level: int) -> Pixels:
    """On a grey ground: 255 is white."""
    alpha = pixels[..., 3:].astype(np.float32) / 255
    rgb = pixels[..., :3] * alpha + level * (1 - alpha)
    return np.asarray(cv2.cvtColor(np.rint(rgb).astype(np.uint8), cv2.COLOR_RGB2RGBA))


def _through(image: Image.Image, format_: str, **options: int) -> Pixels:
    file = io.BytesIO()
    image.save(file, format_, **options)
    with Image.open(file) as read:
        return np.asarray(read.convert("RGBA"))
