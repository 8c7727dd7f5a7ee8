"""What a picture takes of memory is foretold: never less than it takes, and not many times more."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from imaging_files import bmp, chunk, drawn, exif, png, tiff, with_segment
from PIL import Image

from shared.errors import ImageTooCostly
from shared.imaging import demand
from shared.imaging.decode import decode
from shared.imaging.geometry import largest
from shared.imaging.limits import Limits, judge
from shared.imaging.opencv import cv2
from shared.records import Fit, Template

LIMITS = Limits(max_bytes=10**9, max_pixels=10**9, max_side=20_000, seconds=60)
SIDE = 3000


def drawn_once(channels: int, kind: type = np.uint8) -> np.ndarray:
    """A plain picture that can be seen."""
    return np.full((SIDE, SIDE, channels), np.iinfo(kind).max // 2, kind)


def by_opencv(channels: int, kind: type = np.uint8) -> bytes:
    return bytes(cv2.imencode(".png", drawn_once(channels, kind))[1])


def saved(mode: str, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    seeds = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    image = Image.fromarray(seeds).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    image.convert(mode).save(file, kind, **options)
    return file.getvalue()


def turned_png(orientation: int) -> bytes:
    data = by_opencv(3)
    return data[:33] + chunk(b"eXIf", exif(orientation)) + data[33:]


def turned_jpeg(orientation: int) -> bytes:
    return with_segment(saved("RGB", "JPEG"), 0xE1, b"Exif\0\0" + exif(orientation))


def turned_webp(orientation: int) -> bytes:
    return saved("RGB", "WEBP", method=0, exif=exif(orientation))


def standing_tiff(count: int, extra: tuple[int, ...]) -> bytes:
    """In strips, to be turned."""
    tags = {274: (3, [6])}
    return tiff(drawn_once(count), extra=extra, rows_per_strip=100, tags=tags)


KINDS: dict[str, Callable[[], bytes]] = {
    "PNG RGBA": lambda: by_opencv(4),
    "PNG RGB": lambda: by_opencv(3),
    "PNG RGBA of 16 bits": lambda: by_opencv(4, np.uint16),
    "JPEG": lambda: saved("RGB", "JPEG"),
    "JPEG progressive": lambda: saved("RGB", "JPEG", progressive=True, subsampling=0, quality=95),
    "WebP": lambda: saved("RGB", "WEBP", method=0),
    "BMP": lambda: bmp(drawn_once(3)),
    "TIFF": lambda: tiff(drawn_once(4), extra=(2,), deflate=True),
    **{
        f"TIFF as it stands, {count} samples by 6": partial(standing_tiff, count, extra)
        for count, extra in ((3, ()), (4, (2,)))
    },
    **{
        f"{draw.__name__} by {orientation}": partial(draw, orientation)
        for draw in (turned_png, turned_jpeg, turned_webp)
        for orientation in (2, 6, 7)  # mirrored; turned; both
    },
}
TEMPLATES = {
    "digital": None,
    "tiny": Template(name="Tiny UV", width_in=1, height_in=1, dpi=72),
    "large": Template(name="Large", width_in=12, height_in=16, fit=Fit.LONGEST, dpi=400),
}
WORK = [
    *((kind, "read") for kind in KINDS),
    *((kind, name) for kind in ("PNG RGBA", "PNG RGB", "JPEG") for name in TEMPLATES),
]

# The peak of the child's own memory, from when everything is loaded and small work was done.
MEASURED = """
import ctypes, pickle, sys
from pathlib import Path
from shared.fingerprint.hashes import fingerprint
from shared.fingerprint.normal import normal_form
from shared.imaging.decode import decode
from shared.imaging.limits import Limits
from shared.imaging.pipeline import prepare
def run(data, name):
    artwork = decode(data, Limits(10**9, 10**9, 20_000, seconds=60))
    fingerprint(normal_form(artwork.pixels))
    if name != "read":
        template = templates[name] or templates["tiny"]
        prepare(artwork, template, digital=name == "digital", max_side_px=20_000)
def status(name):
    return int(Path("/proc/self/status").read_text().partition(name)[2].split()[0]) * 1024
files, templates, work = pickle.load(sys.stdin.buffer)
for kind, name in work:
    ctypes.CDLL(None).malloc_trim(0)  # what earlier work freed and the C library kept
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before = status("VmRSS:")
    run(files[kind], name)
    print(status("VmHWM:") - before)
"""


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return {kind: draw() for kind, draw in KINDS.items()}


@pytest.fixture(scope="module")
def taken(files: dict[str, bytes]) -> dict[tuple[str, str], int]:
    """Bytes that each work takes at its peak."""
    child = subprocess.run(  # noqa: S603 - this interpreter, the code above
        [sys.executable, "-c", MEASURED],
        # The first loads what is loaded late, and does not count.
        input=pickle.dumps((files, TEMPLATES, [("JPEG", "large"), *WORK])),
        capture_output=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    if b"clear_refs" in child.stderr:
        pytest.skip("the system does not say how much memory a process takes")
    assert child.returncode == 0, child.stderr.decode()
    return dict(zip(WORK, map(int, child.stdout.split()[1:]), strict=True))


@pytest.mark.parametrize(("kind", "work"), WORK)
def test_as_much_is_foretold_as_is_taken(
    files: dict[str, bytes], taken: dict[tuple[str, str], int], kind: str, work: str
) -> None:
    data = files[kind]
    header = judge(data, LIMITS)
    if work == "read":
        foretold = demand.to_read(header, len(data))
    else:
        template = TEMPLATES[work]
        foretold = demand.to_prepare(header, len(data), largest(template) if template else None)
    assert taken[kind, work] < foretold
    # A TIFF is decoded in another process, whose memory is not measured here.
    assert kind == "TIFF" or foretold < 4 * taken[kind, work] + demand.FIXED


def test_what_takes_more_than_there_is_is_refused_by_its_header() -> None:
    data = png(drawn(30, 40, 4))
    need = demand.to_read(judge(data, LIMITS), len(data))
    assert decode(data, Limits(10**6, 10**6, 10**4, max_memory=need)).pixels.shape == (30, 40, 4)
    with pytest.raises(ImageTooCostly) as refused:
        decode(data, Limits(10**6, 10**6, 10**4, max_memory=need - 1))
    assert refused.value.facts == {"what": "memory"}
