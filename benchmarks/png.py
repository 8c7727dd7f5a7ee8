"""Writing a print file: time and size of our PNG and of others'.

python -m benchmarks.png
"""

from __future__ import annotations

import io
import os
import platform
import statistics
from collections.abc import Callable
from time import perf_counter

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.artwork import noisy_wrap
from shared.imaging.encode import encode
from shared.imaging.pixels import Pixels

WIDTH, HEIGHT = 3800, 1732
"""UVDTF 16oz at 400 DPI."""
TURNS = 7


def busy() -> Pixels:
    """Shaded shapes under film grain."""
    stored = np.frombuffer(noisy_wrap(0, WIDTH, HEIGHT), np.uint8)
    return cv2.cvtColor(cv2.imdecode(stored, cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)


def flat() -> Pixels:
    """Lettering on nothing."""
    image = Image.new("RGBA", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(image)
    draw.text((300, 500), "Bride to be", "black", ImageFont.load_default(600))
    return np.array(image)


def opencv(level: int) -> Callable[[Pixels], bytes]:
    def write(pixels: Pixels) -> bytes:
        art = cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA)
        return cv2.imencode(".png", art, [cv2.IMWRITE_PNG_COMPRESSION, level])[1].tobytes()

    return write


def pillow(pixels: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


WRITERS: dict[str, Callable[[Pixels], bytes]] = {
    "OpenCV, level 3": opencv(3),
    "OpenCV, level 1": opencv(1),
    "Pillow, level 3": pillow,
    "ours": lambda pixels: encode(pixels, dpi=400),
    "ours, one thread": lambda pixels: encode(pixels, dpi=400, threads=1),
}


def run() -> None:
    print(f"{platform.machine()}, {os.cpu_count()} processors; {WIDTH} x {HEIGHT} px RGBA")
    print(f"{'':20}{'busy: ms':>10}{'MB':>8}{'flat: ms':>10}{'MB':>8}")
    pictures = [busy(), flat()]
    for name, write in WRITERS.items():
        cells = [_measure(write, pixels) for pixels in pictures]
        print(f"{name:20}" + "".join(f"{ms:>10.0f}{size / 1e6:>8.2f}" for ms, size in cells))


def _measure(write: Callable[[Pixels], bytes], pixels: Pixels) -> tuple[float, int]:
    """Milliseconds (the median) and bytes."""
    size = len(write(pixels))
    times = []
    for _ in range(TURNS):
        started = perf_counter()
        write(pixels)
        times.append((perf_counter() - started) * 1000)
    return statistics.median(times), size


if __name__ == "__main__":
    run()
