"""Reading uploads and writing print files: ours against OpenCV and Pillow, in time and size.

python -m benchmarks --only codec
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import cv2
import numpy as np
from PIL import Image

from benchmarks import artwork
from benchmarks.pairs import Row, paired
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
OTHERS = {"JPEG": {"quality": 92}, "WEBP": {"quality": 90}, "TIFF": {}, "BMP": {}}
"""Formats of a photo beside PNG, and how it is saved."""
WRITING = "Writing PNG: size is ours / other"
READING = "Reading to RGBA, ours with the walk over the header"
Write = Callable[[Pixels], bytes]


def rows(quick: bool) -> Iterator[Row]:
    arts = {draw.__name__: flatten(draw(0, WIDTH, HEIGHT)) for draw in artwork.KINDS}
    if quick:
        arts = {name: arts[name] for name in ("wrap", "vector")}
    yield from _writing(arts, quick)
    yield from _reading(arts, quick)


def _writing(arts: dict[str, Pixels], quick: bool) -> Iterator[Row]:
    for name, art in arts.items():
        yield _written(name, "OpenCV, level 3", art, opencv, quick, floor=3.0)
        if not quick:
            yield _written(name, "Pillow, level 3", art, pillow, quick)
            one_thread = _written(
                f"{name}, one thread", "OpenCV, level 3", art, opencv, quick, threads=1
            )
            yield one_thread
    if quick:
        return
    for width, height in SIZES:
        art = artwork.wrap(1, width, height)
        yield _written(f"wrap {width} x {height}", "OpenCV, level 3", art, opencv, quick)
    for name, whole in arts.items():
        yield _small(name, whole[:600], quick)


def _written(
    name: str,
    baseline: str,
    art: Pixels,
    write: Write,
    quick: bool,
    threads: int | None = None,
    floor: float | None = None,
) -> Row:
    def ours() -> bytes:
        return encode(art, dpi=400, threads=threads)

    size = len(ours())
    note = f"{size / 1e6:.2f} MB, size {size / len(write(art)):.3f}"
    return paired(
        WRITING, name, baseline, lambda: write(art), ours, quick=quick, note=note, floor=floor
    )


def _small(name: str, art: Pixels, quick: bool) -> Row:
    size = len(encode(art, dpi=400)) / len(encode(art, dpi=400, effort=Effort.SMALL))
    return paired(
        WRITING,
        f"{name}, 600 rows",
        "PNG_EFFORT=small",
        lambda: encode(art, dpi=400, effort=Effort.SMALL),
        lambda: encode(art, dpi=400),
        quick=quick,
        note=f"size {size:.3f}",
    )


def _reading(arts: dict[str, Pixels], quick: bool) -> Iterator[Row]:
    for name, art in arts.items():
        rgba = art if art.shape[2] == 4 else cv2.cvtColor(art, cv2.COLOR_RGB2RGBA)
        files = {"PNG": artwork.png(rgba)}
        if name == "photo":
            files |= {kind: _saved(art, kind) for kind in OTHERS}
        for kind, data in files.items():
            title = f"{name}, {kind} of {len(data) / 1e6:.1f} MB"
            is_held = kind == "PNG" and name == "wrap"
            yield _read(title, "OpenCV", data, _by_opencv, quick, 1.2 if is_held else None)
            if not quick:
                yield _read(title, "Pillow", data, _by_pillow, quick, None)


def _read(
    title: str,
    baseline: str,
    data: bytes,
    read: Callable[[bytes], Pixels],
    quick: bool,
    floor: float | None,
) -> Row:
    return paired(
        READING,
        title,
        baseline,
        lambda: read(data),
        lambda: decode(data, LIMITS),
        quick=quick,
        floor=floor,
    )


def _saved(art: Pixels, kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(art).save(file, kind, **OTHERS[kind])
    return file.getvalue()


def opencv(pixels: Pixels) -> bytes:
    order = cv2.COLOR_RGBA2BGRA if pixels.shape[2] == 4 else cv2.COLOR_RGB2BGR
    coded = cv2.imencode(".png", cv2.cvtColor(pixels, order), [cv2.IMWRITE_PNG_COMPRESSION, 3])
    return coded[1].tobytes()


def pillow(pixels: Pixels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=3)
    return file.getvalue()


def _by_opencv(data: bytes) -> Pixels:
    stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    return cv2.cvtColor(stored, cv2.COLOR_BGRA2RGBA if stored.shape[2] == 4 else cv2.COLOR_BGR2RGBA)


def _by_pillow(data: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))
