"""Crops of the sample photos that ship inside scikit-image and scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from benchmarks.quality.drawing import Drawing, Pixels

_SKIMAGE = (
    "astronaut.png", "brick.png", "camera.png", "cell.png", "chelsea.png", "clock_motion.png",
    "coffee.png", "coins.png", "color.png", "grass.png", "gravel.png", "hubble_deep_field.jpg",
    "ihc.png", "moon.png", "motorcycle_left.png", "page.png", "retina.jpg", "rocket.jpg",
    "text.png",
)  # fmt: skip
_SKLEARN = ("china.jpg", "flower.jpg")
_WINDOWS = (
    (0.0, 0.0, 1.0, 1.0),
    (0.0, 0.0, 0.5, 0.55), (0.5, 0.0, 1.0, 0.5), (0.0, 0.55, 0.45, 1.0), (0.45, 0.5, 1.0, 1.0),
    (0.25, 0.2, 0.8, 0.7), (0.1, 0.3, 0.6, 0.9),
)  # fmt: skip
"""Left, top, right and bottom of each crop, as shares of the photo. No two are near each other."""


@dataclass(frozen=True)
class Photo(Drawing):
    """A window of a photo, ``width`` pixels wide."""

    package: str
    file: str
    window: tuple[float, float, float, float]
    width: int = 760

    def draw(self) -> Pixels:
        rgb = cv2.cvtColor(cv2.imread(str(_path(self.package, self.file))), cv2.COLOR_BGR2RGB)
        height, width = rgb.shape[:2]
        left, top, right, bottom = self.window
        part = rgb[int(top * height) : int(bottom * height), int(left * width) : int(right * width)]
        size = (self.width, round(part.shape[0] * self.width / part.shape[1]))
        sized = cv2.resize(
            part, size, interpolation=cv2.INTER_AREA if size[0] < part.shape[1] else cv2.INTER_CUBIC
        )
        return np.asarray(cv2.cvtColor(sized, cv2.COLOR_RGB2RGBA))


def photos() -> list[Photo]:
    files = [("skimage", file) for file in _SKIMAGE] + [("sklearn", file) for file in _SKLEARN]
    return [Photo(package, file, window) for package, file in files for window in _WINDOWS]


def _path(package: str, file: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    inside = {"skimage": "data", "sklearn": "datasets/images"}[package]
    return Path(spec.origin).parent / inside / file
