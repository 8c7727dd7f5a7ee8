"""Artwork to measure with: drawn, never the same twice for another seed, and like real uploads.

Four kinds that codecs treat unlike each other. Each is (h, w, 4) uint8 RGBA with straight alpha;
`png` makes an upload of it.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from shared.imaging.pixels import Pixels


def wrap(seed: int, width: int = 4200, height: int = 2000) -> Pixels:
    """A cup wrap: shaded shapes under film grain, on a transparent margin."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    columns, rows = rng.uniform(150, 400, 3), rng.uniform(90, 300, 3)
    waves = [96 * np.sin(x / columns[i]) * np.cos(y / rows[i]) for i in range(3)]
    art = 128 + np.stack(waves, axis=2)
    for _ in range(60):
        center = (int(rng.integers(width)), int(rng.integers(height)))
        color = tuple(float(value) for value in rng.integers(0, 256, 3))
        cv2.circle(art, center, int(rng.integers(20, 260)), color, -1, cv2.LINE_AA)
    grain = rng.normal(0, 1.6, (height, width, 1)).astype(np.float32)
    rgba = np.zeros((height, width, 4), np.uint8)
    rgba[..., :3] = np.clip(art + grain, 0, 255)
    alpha = np.zeros((height, width), np.uint8)
    cv2.rectangle(alpha, (24, 24), (width - 25, height - 25), 255, -1)
    rgba[..., 3] = alpha
    return cv2.cvtColor(rgba, cv2.COLOR_BGRA2RGBA)


def vector(seed: int, width: int = 4200, height: int = 2000) -> Pixels:
    """Flat art: shapes and lettering in plain colours with smooth edges, on nothing."""
    rng = np.random.default_rng(seed)
    art = np.zeros((height, width, 4), np.uint8)
    unit = min(width, height)
    for mark in range(40):
        cover = np.zeros((height, width), np.uint8)
        at = (int(rng.integers(width)), int(rng.integers(height)))
        size = int(rng.integers(unit // 40 + 1, unit // 8 + 2))
        if mark % 3 == 0:
            cv2.circle(cover, at, size, 255, -1, cv2.LINE_AA)
        elif mark % 3 == 1:
            corners = rng.integers(-size, size + 1, (5, 2)) + at
            cv2.fillPoly(cover, [corners.astype(np.int32)], 255, cv2.LINE_AA)
        else:
            face, scale = cv2.FONT_HERSHEY_TRIPLEX, unit / 400
            word = "Best Mum Ever"
            cv2.putText(cover, word, at, face, scale, 255, unit // 100 + 1, cv2.LINE_AA)
        seen = cover > 0
        art[seen, :3] = rng.integers(0, 256, 3)
        art[..., 3] = np.maximum(art[..., 3], cover)
    return art


def photo(seed: int, width: int = 4200, height: int = 2000) -> Pixels:
    """A photograph, opaque: detail of every size, soft focus, and a sensor's noise."""
    rng = np.random.default_rng(seed)
    art = np.full((height, width, 3), 120, np.float32)
    size = 2
    while size < max(width, height) // 2:
        rows = max(2, size * height // max(width, height))
        light = rng.normal(0, 1, (rows, size, 1)) + 0.35 * rng.normal(0, 1, (rows, size, 3))
        layer = cv2.resize(light.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        art += layer * 70 / size**0.6
        size *= 2
    art += rng.normal(0, 1.2, art.shape).astype(np.float32)
    rgb = cv2.GaussianBlur(np.clip(art, 0, 255).astype(np.uint8), (3, 3), 0.7)
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2RGBA)


def soft(seed: int, width: int = 4200, height: int = 2000) -> Pixels:
    """Watercolour blots and glows: smooth colour that fades to nothing."""
    rng = np.random.default_rng(seed)
    colour = np.zeros((height, width, 3), np.float32)
    cover = np.zeros((height, width, 1), np.float32)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    for _ in range(12):
        radius = rng.uniform(0.1, 0.3) * min(width, height)
        distance = np.hypot(x - rng.uniform(0, width), y - rng.uniform(0, height)) / radius
        blot = np.clip(1.4 - distance, 0, 1)[..., None] ** 1.5
        colour += blot * (
            rng.integers(0, 256, 3) * (0.8 + 0.2 * np.cos(4 * distance))[..., None] - colour
        )
        cover = np.maximum(cover, blot)
    art = np.concatenate([colour, 255 * cover], axis=2)
    return np.clip(art, 0, 255).astype(np.uint8)


KINDS: tuple[Callable[[int, int, int], Pixels], ...] = (wrap, vector, photo, soft)


def png(pixels: Pixels, level: int = 6) -> bytes:
    """The picture as a PNG that OpenCV writes; without alpha where all of it is opaque."""
    is_opaque = pixels[..., 3].min() == 255
    art = cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGR if is_opaque else cv2.COLOR_RGBA2BGRA)
    encoded, data = cv2.imencode(".png", art, [cv2.IMWRITE_PNG_COMPRESSION, level])
    assert encoded
    return data.tobytes()


def noisy_wrap(seed: int, width: int = 4200, height: int = 2000) -> bytes:
    """A cup wrap as PNG, about 9 MB."""
    return png(wrap(seed, width, height))
