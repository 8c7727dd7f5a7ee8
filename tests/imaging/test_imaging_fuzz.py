"""The gate under files that were changed at random: a header or artwork, or a refusal, in time.

FUZZ_SECONDS=600 goes on for so long with each target; unset, a few seconds of it run.
"""

from __future__ import annotations

import io
import os
import struct
import time
import zlib
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imaging_bombs import slow_profile
from imaging_files import bmp, chunk, drawn, exif, jpeg_skeleton, png, profile, tiff, with_segment
from imaging_lies import LIES
from PIL import Image

from shared.errors import FileRefused
from shared.imaging.decode import decode
from shared.imaging.limits import Limits, judge

SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
"""For each of the two targets."""
LIMITS = Limits(max_bytes=1_000_000, max_pixels=1_000_000, max_side=20_000, seconds=2)
WORST_S = {"judge": 0.15, "decode": 1.0}
"""Of this thread's time on the processor."""


def saved(mode: str, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((29, 23), 60).convert(mode).save(file, kind, **options)
    return file.getvalue()


JPEG = saved("RGB", "JPEG")
ICC = chunk(b"iCCP", b"x\0\0" + zlib.compress(profile(b"RGB ")))
SEEDS = [
    *(
        png(drawn(9, 7, n, 1 << d), c, d)
        for c, n, d in ((0, 1, 1), (2, 3, 16), (4, 2, 8), (6, 4, 8))
    ),
    png(drawn(9, 7, 4), interlace=True, before=[chunk(b"eXIf", exif(6)), ICC]),
    png(drawn(9, 7, 1, 16), 3, 4, before=[chunk(b"PLTE", bytes(48)), chunk(b"tRNS", bytes(9))]),
    png(drawn(9, 7, 3), 2, before=[chunk(b"tRNS", struct.pack(">3H", 1, 2, 3))]),
    JPEG,
    with_segment(JPEG, 0xE1, b"Exif\0\0" + exif(6)),
    with_segment(JPEG, 0xE2, b"ICC_PROFILE\0\1\1" + profile(b"RGB ")),
    saved("RGB", "JPEG", progressive=True),
    saved("L", "JPEG", restart_marker_blocks=2),
    saved("CMYK", "JPEG"),
    jpeg_skeleton(8, 8),
    saved("RGB", "WEBP"),
    saved("RGBA", "WEBP", lossless=True, exif=exif(3)),
    saved("RGBA", "WEBP", alpha_quality=50),
    tiff(drawn(9, 7, 3), planar=True, deflate=True),
    tiff(drawn(9, 7, 4), extra=(1,), endian=">"),
    tiff(drawn(9, 7, 1, 65536), 1, 16),
    *(saved("RGB", "TIFF", compression=name) for name in ("tiff_lzw", "packbits", "jpeg")),
    saved("CMYK", "TIFF", icc_profile=slow_profile(3)),
    bmp(drawn(9, 7, 3)),
    bmp(drawn(9, 7, 4), masks=(0xFF0000, 0xFF00, 0xFF, 0xFF000000), header=124),
    *(data for lies in LIES.values() for data in lies.values() if len(data) < 2_000),
]

NUMBERS = st.one_of(
    st.sampled_from([0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFF0, 0xFFFFFFFF]),
    st.integers(0, 0xFFFFFFFF),
)


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """A file with numbers written over, parts taken out, put twice or taken from another."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 5))):
        place = draw(st.integers(0, len(data)))
        how = draw(st.sampled_from(["number", "byte", "cut", "twice", "other", "end"]))
        if how == "number":
            layout = draw(st.sampled_from(["<I", ">I", "<H", ">H"]))
            size = struct.calcsize(layout)
            number = draw(NUMBERS) & ((1 << 8 * size) - 1)
            data[place : place + size] = struct.pack(layout, number)
        elif how == "byte":
            data[place : place + 1] = bytes([draw(st.integers(0, 255))])
        elif how == "cut":
            del data[place : place + draw(st.integers(1, 40))]
        elif how == "twice":
            data[place:place] = data[place : place + draw(st.integers(1, 200))]
        elif how == "other":
            other = draw(st.sampled_from(SEEDS))
            data[place:place] = other[draw(st.integers(0, len(other))) :][:200]
        else:
            del data[place:]
    if data[:4] == b"\x89PNG" and draw(st.booleans()):
        data = repaired(data)
    return bytes(data)


def repaired(data: bytearray) -> bytearray:
    """A PNG with the check sums that its chunks should have, so that decoders go on."""
    position = 8
    while position + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, position)
        end = position + 8 + size
        if end + 4 > len(data):
            break
        struct.pack_into(">I", data, end, zlib.crc32(data[position + 4 : end]))
        position = end + 4
    return data


@pytest.mark.parametrize("target", ["judge", "decode"])
def test_a_changed_file_is_answered_or_refused_in_time(target: str) -> None:
    tried, worst = 0, 0.0

    def work(data: bytes) -> float:
        """The time that it takes."""
        started = time.thread_time()
        with suppress(FileRefused):
            if target == "judge":
                header = judge(data, LIMITS)
                assert 0 < header.width * header.height <= LIMITS.max_pixels
            else:
                assert decode(data, LIMITS).pixels.shape[2] == 4
        return time.thread_time() - started

    @settings(max_examples=1_500, suppress_health_check=list(HealthCheck))
    @given(data=changed())
    def run(data: bytes) -> None:
        nonlocal tried, worst
        taken = work(data)
        if taken >= WORST_S[target]:  # Python may have cleaned up meanwhile
            taken = min(work(data) for _ in range(3))
        tried, worst = tried + 1, max(worst, taken)
        assert taken < WORST_S[target]

    end = time.monotonic() + SECONDS
    run()
    while time.monotonic() < end:
        run()
    print(f"{target}: {tried} files, {worst * 1000:.1f} ms at the worst")  # noqa: T201
