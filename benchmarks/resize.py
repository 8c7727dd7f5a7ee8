"""How near OpenCV's ways to reduce a picture come to Lanczos, in dB (PSNR), and how long they take.

python -m benchmarks.resize
"""

from __future__ import annotations

import statistics
from time import perf_counter

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.artwork import noisy_wrap

WAYS = {"area": cv2.INTER_AREA, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}
SHARES = (0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5)


def run() -> None:
    for name, picture in {"wrap": _wrap(), "lettering": _lettering()}.items():
        print(f"{name}, {picture.shape[1]} x {picture.shape[0]} px")
        print(f"  {'share':>6}" + "".join(f"{way:>20}" for way in WAYS))
        for share in SHARES:
            print(f"  {share:>6}" + "".join(_cell(picture, share, way) for way in WAYS.values()))


def _cell(picture: np.ndarray, share: float, way: int) -> str:
    height, width = picture.shape[:2]
    size = (round(width * share), round(height * share))
    exact = Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS)
    times = []
    for _ in range(5):
        started = perf_counter()
        reduced = cv2.resize(picture, size, interpolation=way)
        times.append((perf_counter() - started) * 1000)
    error = np.square(reduced.astype(float) - np.asarray(exact)).mean()
    return f"{10 * np.log10(255**2 / error):8.1f} dB {statistics.median(times):5.1f} ms"


def _wrap() -> np.ndarray:
    pixels = cv2.imdecode(np.frombuffer(noisy_wrap(1), np.uint8), cv2.IMREAD_COLOR_RGB)
    return np.ascontiguousarray(pixels[24:-24, 24:-24])


def _lettering() -> np.ndarray:
    image = Image.new("RGB", (3000, 1300), "white")
    font = ImageFont.load_default(400)
    ImageDraw.Draw(image).text((100, 400), "Made by hand", fill="black", font=font)
    return np.asarray(image)


if __name__ == "__main__":
    run()
