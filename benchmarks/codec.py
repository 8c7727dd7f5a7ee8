"""Reading uploads and writing print files: ours against OpenCV and Pillow, in time and size.

python -m benchmarks.codec
"""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

from benchmarks import artwork
from benchmarks.pairs import head, machine, row
from shared.imaging.decode import decode
from shared.imaging.encode import encode
from shared.imaging.flatten import flatten
from shared.imaging.limits import Limits
from shared.imaging.pixels import Pixels
from shared.settings import Effort

WIDTH, HEIGHT = 3800, 1732
"""UVDTF 16oz at 400 DPI."""
SIZES = ((600, 290), (2000, 950), (9000, 4280))
"""Wraps of 0.2, 2 and 40 MB."""
LIMITS = Limits(max_bytes=10**9, max_pixels=10**9, max_side=10**5)
Write = Callable[[Pixels], bytes]


def opencv(level: int) -> Write:
    def write(pixels: Pixels) -> bytes:
        order = cv2.COLOR_RGBA2BGRA if pixels.shape[2] == 4 else cv2.COLOR_RGB2BGR
        coded = cv2.imencode(
            ".png", cv2.cvtColor(pixels, order), [cv2.IMWRITE_PNG_COMPRESSION, level]
        )
        return coded[1].tobytes()

    return write


def pillow(pixels: Pixels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=3)
    return file.getvalue()


def run() -> None:
    print(machine())
    arts = {draw.__name__: flatten(draw(0, WIDTH, HEIGHT)) for draw in artwork.KINDS}
    _writing(arts)
    _effort(arts)
    _reading(arts)


def _writing(arts: dict[str, Pixels]) -> None:
    print(f"\nWriting {WIDTH} x {HEIGHT} px; size: ours / other")
    print(head("") + f"{'MB':>8}{'size':>7}")
    for name, art in arts.items():
        for rival, write in (("OpenCV, level 3", opencv(3)), ("Pillow, level 3", pillow)):
            _written(f"{name} / {rival}", art, write, None)
        _written(f"{name} / OpenCV, level 3, one thread", art, opencv(3), 1)
    for width, height in SIZES:
        art = artwork.wrap(1, width, height)
        _written(f"wrap {width} x {height} / OpenCV, level 3", art, opencv(3), None)


def _written(name: str, art: Pixels, write: Write, threads: int | None) -> None:
    def ours() -> bytes:
        return encode(art, dpi=400, threads=threads)

    size = len(ours())
    line = row(name, lambda: write(art), ours)
    print(f"{line}{size / 1e6:>8.2f}{size / len(write(art)):>7.3f}")


def _effort(arts: dict[str, Pixels]) -> None:
    print("\nPNG_EFFORT=small (other) and fast (ours); size: small / fast")
    print(head("") + f"{'MB':>8}{'size':>7}")
    for name, whole in arts.items():
        art = whole[:600]
        small = len(encode(art, dpi=400, effort=Effort.SMALL))
        line = row(
            f"{name}, {WIDTH} x 600 px",
            lambda art=art: encode(art, dpi=400, effort=Effort.SMALL),
            lambda art=art: encode(art, dpi=400),
        )
        print(f"{line}{small / 1e6:>8.2f}{small / len(encode(art, dpi=400)):>7.3f}")


def _reading(arts: dict[str, Pixels]) -> None:
    print(f"\nReading {WIDTH} x {HEIGHT} px to RGBA, ours with the header walk")
    print(head(""))
    for name, art in arts.items():
        rgba = art if art.shape[2] == 4 else cv2.cvtColor(art, cv2.COLOR_RGB2RGBA)
        files = {"PNG": artwork.png(rgba)}
        if name == "photo":
            for kind, options in (("JPEG", {"quality": 92}), ("WEBP", {"quality": 90})):
                file = io.BytesIO()
                Image.fromarray(art).save(file, kind, **options)
                files[kind] = file.getvalue()
        for kind, data in files.items():
            for rival, read in (("OpenCV", _by_opencv), ("Pillow", _by_pillow)):
                print(
                    row(
                        f"{name}, {kind} of {len(data) / 1e6:.1f} MB / {rival}",
                        lambda read=read, data=data: read(data),
                        lambda data=data: decode(data, LIMITS),
                    )
                )


def _by_opencv(data: bytes) -> Pixels:
    stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    return cv2.cvtColor(stored, cv2.COLOR_BGRA2RGBA if stored.shape[2] == 4 else cv2.COLOR_BGR2RGBA)


def _by_pillow(data: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))


if __name__ == "__main__":
    run()
