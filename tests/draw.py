"""Artwork drawn in code."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont


def text(words: str, *, ink: tuple[int, int, int] = (0, 0, 0), size: int = 90) -> Image.Image:
    """Words on a transparent ground, with a margin around them."""
    image = Image.new("RGBA", (900, 400), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.text((80, 120), words, fill=(*ink, 255), font=ImageFont.load_default(size))
    return image


def wrap(seed: int, width: int = 1200, height: int = 547) -> Image.Image:
    """An opaque cup wrap: discs and stripes on a shaded ground."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = [100 * np.sin(x / a) * np.cos(y / b) for a, b in rng.uniform(40, 200, (3, 2))]
    ground = np.clip(128 + np.stack(waves, axis=2), 0, 255).astype(np.uint8)
    image = Image.fromarray(ground)
    draw = ImageDraw.Draw(image)
    for _ in range(30):
        left, top = int(rng.integers(width)), int(rng.integers(height))
        radius = int(rng.integers(10, 120))
        color = tuple(int(value) for value in rng.integers(0, 256, 3))
        draw.ellipse((left - radius, top - radius, left + radius, top + radius), fill=color)
    return image


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The image as a file's bytes."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def marked(image: Image.Image, left: int = 150, top: int = 60, size: int = 8) -> Image.Image:
    """The image with a white dot on it: similar where the dot is small, and no copy."""
    changed = image.copy()
    ImageDraw.Draw(changed).ellipse((left, top, left + size, top + size), fill=(255, 255, 255))
    return changed
