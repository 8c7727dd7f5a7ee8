"""The pixels of drawings: drawn once, then read from the cache."""

from __future__ import annotations

import cv2
import numpy as np

from benchmarks.quality import cache
from benchmarks.quality.drawing import Drawing, Pixels


def load(drawing: Drawing) -> Pixels:
    """A drawing's pixels, (h, w, 4) uint8 RGBA."""
    key = drawing.key
    path = cache.folder(f"art/{key[:2]}") / f"{key[2:]}.png"
    if not path.exists():
        cache.write(path, encode(drawing.draw()))
    return decode(path.read_bytes())


def encode(pixels: Pixels) -> bytes:
    """As PNG, lossless, the colours of fully transparent pixels included."""
    done, png = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA))
    assert done
    return png.tobytes()


def decode(data: bytes) -> Pixels:
    """Any picture's bytes as RGBA."""
    raw = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if raw.ndim == 2:
        return np.asarray(cv2.cvtColor(raw, cv2.COLOR_GRAY2RGBA))
    has_alpha = raw.shape[2] == 4
    code = cv2.COLOR_BGRA2RGBA if has_alpha else cv2.COLOR_BGR2RGBA
    return np.asarray(cv2.cvtColor(raw, code))
