"""Bytes are judged by their headers alone: honest files pass, hostile ones cost nothing."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imaging_files import (
    PNG_SIGNATURE,
    bmp,
    chunk,
    directory,
    drawn,
    exif,
    jpeg_frame,
    jpeg_skeleton,
    png,
    profile,
    riff,
    tiff,
    webp_lossless,
    with_segment,
)
from imaging_lies import LIES
from PIL import Image

from shared.errors import (
    AnimatedImage,
    CorruptImage,
    EmptyFile,
    FileRefused,
    FileTooLarge,
    ImageTooLarge,
    UnsupportedFormat,
)
from shared.imaging.limits import Colour, Format, Header, Limits, Raw, judge

LIMITS = Limits(max_bytes=20_000_000, max_pixels=100_000_000, max_side=20_000)


def saved(mode: str, kind: str, size: tuple[int, int] = (40, 30), **options: object) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(file, kind, **options)
    return file.getvalue()


JPEG = saved("RGB", "JPEG")
WEBP_ANIMATED = saved(
    "RGB", "WEBP", save_all=True, append_images=[Image.new("RGB", (40, 30), "red")]
)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (png(drawn(30, 40, 4)), Header(Format.PNG, 40, 30, Colour.RGBA)),
        (png(drawn(30, 40, 3, 65536), 2, 16), Header(Format.PNG, 40, 30, Colour.RGB, 16)),
        (
            png(drawn(3, 4, 1, 4), 0, 2, before=[chunk(b"tRNS", b"\xff\xfe")]),
            Header(Format.PNG, 4, 3, Colour.GRAY, 2, key=(2,)),
        ),
        (
            png(drawn(3, 4, 4), after=[chunk(b"eXIf", exif(6))]),
            Header(Format.PNG, 4, 3, Colour.RGBA, orientation=6),
        ),
        (JPEG, Header(Format.JPEG, 40, 30, Colour.RGB)),
        (saved("L", "JPEG", progressive=True), Header(Format.JPEG, 40, 30, Colour.GRAY)),
        (saved("CMYK", "JPEG"), Header(Format.JPEG, 40, 30, Colour.CMYK)),
        (
            with_segment(JPEG, 0xE1, b"Exif\0\0" + exif(8, "<")),
            Header(Format.JPEG, 40, 30, Colour.RGB, orientation=8),
        ),
        (saved("RGB", "WEBP"), Header(Format.WEBP, 40, 30, Colour.RGB)),
        (saved("RGB", "WEBP", lossless=True), Header(Format.WEBP, 40, 30, Colour.RGB)),
        (webp_lossless(9999, 7000), Header(Format.WEBP, 9999, 7000, Colour.RGB)),
        (
            saved("RGB", "WEBP", exif=b"Exif\0\0" + exif(5)),
            Header(Format.WEBP, 40, 30, Colour.RGB, orientation=5),
        ),
        (saved("RGB", "TIFF", compression="jpeg"), Header(Format.TIFF, 40, 30, Colour.RGB)),
        (tiff(drawn(3, 4, 4), 5), Header(Format.TIFF, 4, 3, Colour.CMYK)),
        (
            tiff(drawn(3, 4, 3, 65536), 2, 16, endian=">", tags={274: (3, [7])}),
            Header(Format.TIFF, 4, 3, Colour.RGB, 16, orientation=7),
        ),
        (
            tiff(drawn(3, 4, 4), extra=[2], rows_per_strip=2),
            Header(Format.TIFF, 4, 3, Colour.RGB, raw=Raw(((8, 2), (40, 1)), 16, "RGBA")),
        ),
        (
            bmp(drawn(3, 5, 3)),
            Header(Format.BMP, 5, 3, Colour.RGB, orientation=4, raw=Raw(((54, 3),), 16, "BGR")),
        ),
        (
            bmp(drawn(3, 5, 3), top_down=True),
            Header(Format.BMP, 5, 3, Colour.RGB, raw=Raw(((54, 3),), 16, "BGR")),
        ),
        (
            bmp(drawn(3, 5, 1, 2), header=12, depth=1, palette=bytes(6)),
            Header(Format.BMP, 5, 3, Colour.PALETTE),
        ),
    ],
)
def test_an_honest_file_is_described_as_it_is(data: bytes, expected: Header) -> None:
    assert judge(data, LIMITS) == expected


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_any_buffer_of_bytes_is_judged(wrap: Callable[[bytes], bytes]) -> None:
    assert judge(wrap(JPEG), LIMITS) == judge(JPEG, LIMITS)


@pytest.mark.parametrize(
    ("physical", "dpi"),
    [
        (struct.pack(">IIB", 15748, 15748, 1), 400),
        (struct.pack(">IIB", 2835, 2835, 1), 72),
        (struct.pack(">IIB", 15748, 11811, 1), None),
        (struct.pack(">IIB", 1, 1, 0), None),
        (struct.pack(">IIB", 0, 0, 1), None),
        (struct.pack(">II", 15748, 15748), None),
        (b"", None),
    ],
    ids=["400", "72", "not square", "a ratio", "zero", "cut", "empty"],
)
def test_the_resolution_of_a_png_is_found_where_it_tells_one(
    physical: bytes, dpi: int | None
) -> None:
    file = png(drawn(3, 4, 4), before=[chunk(b"pHYs", physical)])
    assert judge(file, LIMITS).dpi == dpi


RGB_PROFILE = profile(b"RGB ")


@pytest.mark.parametrize(
    "data",
    [
        png(drawn(3, 4, 4), before=[chunk(b"iCCP", b"name\0\0" + zlib.compress(RGB_PROFILE))]),
        saved("RGB", "JPEG", icc_profile=RGB_PROFILE),
        # JPEG carries a profile in numbered parts, which may stand in any order.
        with_segment(
            with_segment(JPEG, 0xE2, b"ICC_PROFILE\0\1\2" + RGB_PROFILE[:99]),
            0xE2,
            b"ICC_PROFILE\0\2\2" + RGB_PROFILE[99:],
        ),
        saved("RGB", "WEBP", icc_profile=RGB_PROFILE),
        saved("RGB", "TIFF", icc_profile=RGB_PROFILE),
    ],
)
def test_the_colour_profile_is_found_in_every_format_that_has_one(data: bytes) -> None:
    assert judge(data, LIMITS).icc == RGB_PROFILE


@pytest.mark.parametrize("junk", [b"", b"junk", RGB_PROFILE[:-1], bytes(200)])
def test_a_damaged_profile_is_left_out(junk: bytes) -> None:
    picture = png(drawn(3, 4, 4), before=[chunk(b"iCCP", b"x\0\0" + zlib.compress(junk))])
    assert judge(picture, LIMITS).icc is None


@pytest.mark.parametrize("block", [b"", b"MM\0*", exif(6)[:14], exif(9), exif(0), b"junk" * 9])
def test_a_damaged_exif_block_leaves_the_picture_as_it_is_stored(block: bytes) -> None:
    picture = png(drawn(3, 4, 4), before=[chunk(b"eXIf", block)])
    assert judge(picture, LIMITS).orientation == 1


def test_the_first_exif_block_counts_as_it_does_for_viewers() -> None:
    """And no more of them are read: a file may hold a thousand, of 5,000 tags each."""
    twice = with_segment(JPEG, 0xE1, b"Exif\0\0" + exif(3))
    assert judge(with_segment(twice, 0xE1, b"Exif\0\0" + exif(6)), LIMITS).orientation == 6


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(EmptyFile):
        judge(b"", LIMITS)


def test_a_file_over_the_limit_is_refused_with_both_sizes() -> None:
    with pytest.raises(FileTooLarge) as refused:
        judge(bytes(2_500_001), Limits(2_500_000, 1, 1))
    assert refused.value.facts == {"size_mb": 2.500001, "limit_mb": 2.5}


@pytest.mark.parametrize(
    "data",
    [
        b"this is text, whatever its name says",
        b"GIF89a" + bytes(40),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\0\0\1\0\1\0\x10\x10" + bytes(40),  # ICO
        b"\0\0\0\x20ftypavif" + bytes(40),
        b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(40),
        b"8BPS\0\1" + bytes(40),
        b"%PDF-1.7\n",
        b"RIFF\x24\0\0\0WAVEfmt " + bytes(40),
        b"II+\0\x08\0\0\0" + bytes(40),  # BigTIFF
        b"BM is how this sentence starts, and no more than that",
        b"\xff\xd8",
        PNG_SIGNATURE[:7],
        bmp(drawn(3, 5, 1), palette=bytes(1024)).replace(
            b"\1\0\x08\0\0", b"\1\0\x08\0\1", 1
        ),  # RLE8
        jpeg_skeleton(8, 8, frame=jpeg_frame(8, 8, marker=0xC9)),  # arithmetic coding
        jpeg_skeleton(8, 8, frame=jpeg_frame(8, 8, depth=12)),  # 12 bits
        tiff(drawn(3, 4, 3), 8),  # CIELab
        tiff(drawn(3, 4, 1, 65536), 0, 16),  # white is zero, which its decoder would not turn round
        tiff(drawn(3, 4, 3, 16), 2, 4),  # RGB of 4 bits a sample
        tiff(drawn(3, 4, 2, 65536), 1, 16, extra=(2,)),  # gray and alpha of 16 bits
        tiff(drawn(3, 4, 2), 0, extra=(2,)),  # white is zero, and alpha
        tiff(drawn(3, 4, 5), 5, extra=(2,)),  # CMYK and alpha
        tiff(drawn(3, 4, 5), 2, extra=(0, 2)),  # RGB, a spot colour and alpha
        tiff(drawn(3, 4, 5, 65536), 2, 16, extra=(2, 0)),  # the other way round, of 16 bits
        tiff(drawn(3, 4, 1), 1, tags={339: (3, [3])}),  # floating point
        tiff(drawn(3, 4, 3), 2, tags={259: (3, [34712])}),  # JPEG 2000 within
    ],
)
def test_what_is_not_taken_in_is_refused_by_content(data: bytes) -> None:
    with pytest.raises(UnsupportedFormat):
        judge(data, LIMITS)


@pytest.mark.parametrize(
    "data",
    [
        png(drawn(3, 4, 4), before=[chunk(b"acTL", bytes(8))]),
        WEBP_ANIMATED,
        riff((b"VP8X", b"\2" + bytes(9)), (b"VP8L", b"\x2f" + bytes(4))),
        riff((b"VP8L", b"\x2f" + bytes(4)), (b"ANMF", b"")),
        saved("RGB", "TIFF", save_all=True, append_images=[Image.new("RGB", (9, 9))]),
    ],
)
def test_several_frames_or_pages_are_refused(data: bytes) -> None:
    with pytest.raises(AnimatedImage):
        judge(data, LIMITS)


@pytest.mark.parametrize("kind", [1, 4, 5])
def test_a_thumbnail_or_mask_beside_the_picture_is_no_page(kind: int) -> None:
    beside = directory({254: (4, [kind])})
    assert judge(tiff(drawn(3, 4, 3), beside=beside), LIMITS).width == 4


@pytest.mark.parametrize(
    ("data", "width", "height"),
    [
        (png(drawn(1, 20_001, 1, 2), 0, 1), 20_001, 1),
        (webp_lossless(16_384, 16_384), 16_384, 16_384),
        (jpeg_skeleton(10_001, 10_000, scan=bytes(300_000)), 10_001, 10_000),
    ],
)
def test_too_many_pixels_are_refused_with_both_sizes(data: bytes, width: int, height: int) -> None:
    with pytest.raises(ImageTooLarge) as refused:
        judge(data, LIMITS)
    assert refused.value.facts == {
        "width": width,
        "height": height,
        "limit": "100 megapixels and 20000 px a side",
    }


def test_limits_are_the_last_size_that_passes() -> None:
    picture = png(drawn(30, 40, 4))
    assert judge(picture, Limits(len(picture), 1200, 40)).width == 40
    for limits in (Limits(len(picture), 1199, 40), Limits(len(picture), 1200, 39)):
        with pytest.raises(ImageTooLarge):
            judge(picture, limits)


REFUSED = {what: (data, reason) for reason, lies in LIES.items() for what, data in lies.items()}


@pytest.mark.parametrize("what", REFUSED)
def test_a_file_that_lies_or_is_cut_is_refused_with_the_reason(what: str) -> None:
    data, reason = REFUSED[what]
    with pytest.raises(CorruptImage) as refused:
        judge(data, LIMITS)
    assert refused.value.facts == {"reason": reason}


@pytest.mark.parametrize("what", REFUSED)
def test_a_lie_costs_neither_time_nor_memory(what: str) -> None:
    data, _ = REFUSED[what]

    def taken() -> float:
        """Of this thread alone: other work on the machine is not counted."""
        start = time.thread_time()
        with pytest.raises(CorruptImage):
            judge(data, LIMITS)
        return time.thread_time() - start

    assert min(taken() for _ in range(3)) < 0.15  # Python may clean up meanwhile

    tracemalloc.start()
    try:
        with pytest.raises(CorruptImage):
            judge(data, LIMITS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16_000_000


def test_a_large_honest_jpeg_is_walked_at_memory_speed() -> None:
    body = b"\0" * 250 + b"\xff\0" + b"\0" * 250 + b"\xff\xd3"  # stuffed bytes and restarts
    data = jpeg_skeleton(4_000, 4_000, scan=body * 40_000)
    start = time.thread_time()
    assert judge(data, Limits(50_000_000, 50_000_000, 5_000)).width == 4_000
    assert time.thread_time() - start < 0.2


def test_what_follows_the_end_is_not_looked_at() -> None:
    for picture in (png(drawn(3, 4, 4)), JPEG, saved("RGB", "WEBP"), tiff(drawn(3, 4, 3))):
        assert judge(picture + b"PK\3\4 a zip", LIMITS) == judge(picture, LIMITS)


QUIET = settings(database=None, deadline=None)
"""Nothing is left on disk, and a busy machine fails no test."""

HONEST = [
    png(
        drawn(5, 4, 4),
        before=[chunk(b"eXIf", exif(6)), chunk(b"iCCP", b"x\0\0" + zlib.compress(RGB_PROFILE))],
    ),
    with_segment(JPEG, 0xE1, b"Exif\0\0" + exif(6)),
    saved("RGB", "WEBP"),
    saved("RGBA", "WEBP", lossless=True, exif=exif(3)),
    tiff(drawn(5, 4, 3), planar=True, deflate=True),
    bmp(drawn(5, 4, 3)),
]


@QUIET
@given(data=st.binary(max_size=200), head=st.sampled_from([b"", *[data[:12] for data in HONEST]]))
def test_any_bytes_give_a_header_or_a_refusal(data: bytes, head: bytes) -> None:
    with suppress(FileRefused):
        assert isinstance(judge(head + data, LIMITS), Header)


@QUIET
@given(
    data=st.sampled_from(HONEST),
    changes=st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 255)), min_size=1, max_size=6),
    cut=st.integers(0, 2_000) | st.none(),
)
def test_a_changed_file_gives_a_header_within_the_limits_or_a_refusal(
    data: bytes, changes: list[tuple[int, int]], cut: int | None
) -> None:
    changed = bytearray(data)
    for place, value in changes:
        changed[place % len(changed)] = value
    try:
        header = judge(bytes(changed[:cut]), LIMITS)
    except FileRefused:
        return
    assert 0 < header.width <= LIMITS.max_side
    assert 0 < header.height <= LIMITS.max_side
    assert header.width * header.height <= LIMITS.max_pixels
    assert 1 <= header.orientation <= 8
