"""Uploads become upright RGBA, exactly, or they are refused: never half a picture."""

from __future__ import annotations

import io
import pickle
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imaging_files import (
    PNG_END,
    PNG_SAMPLES,
    PNG_SIGNATURE,
    Samples,
    bmp,
    chunk,
    drawn,
    exif,
    png,
    png_header,
    profile,
    tiff,
    with_segment,
)
from imaging_lies import LIES, deflated
from PIL import Image

from shared.errors import CorruptImage, FileRefused, ImageTooLarge
from shared.imaging import codecs
from shared.imaging.decode import decode
from shared.imaging.headers import jpeg
from shared.imaging.headers import png as headers
from shared.imaging.limits import Limits, judge

LIMITS = Limits(max_bytes=20_000_000, max_pixels=100_000_000, max_side=20_000)
QUIET = settings(database=None, deadline=None, max_examples=200)
"""Nothing is left on disk, and a busy machine fails no test."""


def pixels(data: bytes) -> npt.NDArray[np.uint8]:
    return decode(data, LIMITS).pixels


def saved(picture: Samples | Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    image.save(file, kind, **options)
    return file.getvalue()


def rgba(samples: Samples, depth: int = 8) -> Samples:
    """What gray, gray+alpha, RGB and RGBA samples look like, by definition."""
    if depth == 16:
        samples = samples >> 8
    elif depth < 8:
        samples = samples * (255 // ((1 << depth) - 1))
    colour = samples[:, :, :1] if samples.shape[2] < 3 else samples[:, :, :3]
    has_alpha = samples.shape[2] in (2, 4)
    alpha = samples[:, :, -1:] if has_alpha else np.full_like(colour[:, :, :1], 255)
    channels = np.dstack(
        [colour[:, :, 0], colour[:, :, colour.shape[2] // 2], colour[:, :, -1], alpha]
    )
    return channels.astype(np.uint8)


def blocks(samples: int = 3) -> Samples:
    """Flat 16 x 16 squares, which lossy formats keep to within a level or two."""
    return np.repeat(np.repeat(drawn(4, 6, samples, seed=5) // 2 + 60, 16, 0), 16, 1).astype(
        np.uint8
    )


PNG_KINDS = [
    (colour, depth)
    for colour, depths in {0: (1, 2, 4, 8, 16), 2: (8, 16), 4: (8, 16), 6: (8, 16)}.items()
    for depth in depths
]


@pytest.mark.parametrize("interlace", [False, True])
@pytest.mark.parametrize(("colour", "depth"), PNG_KINDS)
@pytest.mark.parametrize("size", [(21, 13), (1, 1), (3, 40)])
def test_every_png_of_gray_and_rgb_is_read_exactly(
    colour: int, depth: int, interlace: bool, size: tuple[int, int]
) -> None:
    samples = drawn(*size, PNG_SAMPLES[colour], 1 << depth)
    picture = png(samples, colour, depth, interlace=interlace)
    assert np.array_equal(pixels(picture), rgba(samples, depth))


@pytest.mark.parametrize("interlace", [False, True])
@pytest.mark.parametrize(("colour", "depth"), [kind for kind in PNG_KINDS if kind[0] < 4])
def test_the_transparent_colour_of_a_png_is_kept(colour: int, depth: int, interlace: bool) -> None:
    samples = drawn(21, 13, PNG_SAMPLES[colour], 1 << depth)
    key = samples[4, 5]
    transparent = chunk(b"tRNS", struct.pack(f">{key.size}H", *key))
    picture = png(samples, colour, depth, interlace=interlace, before=[transparent])
    expected = rgba(samples, depth)
    expected[(samples == key).all(axis=2), 3] = 0
    assert np.array_equal(pixels(picture), expected)


@pytest.mark.parametrize("interlace", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_a_palette_png_is_read_with_its_transparency(depth: int, interlace: bool) -> None:
    indexes = drawn(21, 13, 1, 1 << depth)
    palette = drawn(1 << depth, 1, 4, seed=1)[:, 0]
    before = [chunk(b"PLTE", palette[:, :3].tobytes()), chunk(b"tRNS", palette[:-1, 3].tobytes())]
    palette[-1, 3] = 255  # entries that tRNS leaves out are opaque
    picture = png(indexes, 3, depth, interlace=interlace, before=before)
    assert np.array_equal(pixels(picture), palette[indexes[:, :, 0]])


@pytest.mark.parametrize("colour", [2, 6])
def test_both_png_decoders_give_the_same_pixels(
    colour: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = png(drawn(40, 30, PNG_SAMPLES[colour]), colour)
    fast = pixels(picture)
    monkeypatch.setattr(codecs, "FAST_PIXELS", 0)
    assert np.array_equal(pixels(picture), fast)


def test_chunks_beside_the_pixels_change_nothing() -> None:
    samples = drawn(9, 7, 4)
    beside = [
        chunk(b"gAMA", struct.pack(">I", 100_000)),
        chunk(b"cHRM", bytes(32)),
        chunk(b"sBIT", b"\5\5\5\5"),
        chunk(b"bKGD", b"\0\5\0\5\0\5"),
        chunk(b"tEXt", b"a\0b")[:-1] + b"!",  # its check sum is wrong
        chunk(b"zTXt", b"a\0\0junk"),
    ]
    assert np.array_equal(pixels(png(samples, before=beside)), samples)


def test_text_that_inflates_to_gigabytes_is_never_inflated() -> None:
    bomb = chunk(b"zTXt", b"x\0\0" + deflated(7 << 20))
    picture = png(drawn(9, 7, 1, 2), 0, 1, before=[bomb] * 700)
    start = time.thread_time()
    assert pixels(picture).shape == (9, 7, 4)
    assert time.thread_time() - start < 0.5


def with_surplus(size: int) -> bytes:
    """A gray PNG whose coded pixels go on for ``size`` zero bytes after its last row."""
    rows = b"\0" + bytes(range(7))
    return png(drawn(1, 7, 1), 0, rows=rows + bytes(size))


def test_a_png_whose_pixels_end_a_little_late_is_read() -> None:
    assert np.array_equal(pixels(with_surplus(1000))[0, :, 0], range(7))


@pytest.mark.parametrize("codec", ["the fast one", "zlib", "zlib, as the fast one has stopped"])
def test_a_png_whose_pixels_go_on_is_not_inflated_to_its_end(
    codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if codec != "the fast one":
        monkeypatch.setattr(headers, "quick", zlib)
    if "stopped" in codec:
        monkeypatch.setattr(
            headers, "quick", SimpleNamespace(error=OSError, decompressobj=stop, crc32=zlib.crc32)
        )
    with pytest.raises(CorruptImage) as refused:
        decode(with_surplus(1 << 20), LIMITS)
    assert refused.value.facts == {"reason": "it holds more pixels than its header says"}


def stop() -> None:
    raise OSError


FOUR = chunk(b"PLTE", bytes(range(12)))
INDEXES = drawn(9, 7, 1, 4)


@pytest.mark.parametrize(
    "data",
    [
        png(INDEXES, 3, 2, before=[FOUR, chunk(b"tRNS", b"")]),
        png(INDEXES, 3, 2, before=[FOUR, chunk(b"tRNS", b"\0\x80"), FOUR]),
        png(INDEXES, 3, 2, before=[chunk(b"PLTE", bytes(range(60)))]),
        png(INDEXES, 0, 2, before=[FOUR]),
        png(drawn(9, 7, 2), 4, before=[FOUR, chunk(b"tRNS", bytes(2))]),
        png(drawn(9, 7, 3), 2, before=[chunk(b"tRNS", bytes(6)), FOUR]),
        png(drawn(9, 7, 4, 65536), 6, 16, before=[FOUR], after=[chunk(b"tRNS", bytes(6))]),
    ],
    ids=lambda data: f"{len(data)} bytes",
)
def test_a_palette_or_transparency_that_is_not_needed_changes_nothing_and_prints_nothing(
    data: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))
    assert np.array_equal(pixels(data), expected)
    assert not capfd.readouterr().err


@pytest.mark.parametrize(
    "data",
    [
        *(data for group in LIES.values() for what, data in group.items() if "PNG" in what),
        png(INDEXES, 3, 2, before=[FOUR]).replace(b"IDAT\x78", b"IDAT\x79"),
        PNG_SIGNATURE + png_header(7, 9, 2, 3) + FOUR + chunk(b"IDAT", bytes(9)) + PNG_END,
    ],
    ids=lambda data: f"{len(data)} bytes",
)
def test_a_bad_png_is_refused_without_a_line_printed(
    data: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CorruptImage):
        decode(data, LIMITS)
    assert not capfd.readouterr().err


def test_a_chunk_that_comes_a_thousand_times_does_not_fill_the_log(
    capfd: pytest.CaptureFixture[str],
) -> None:
    again = [chunk(b"tRNS", bytes(6))] * 1000
    assert pixels(png(drawn(9, 7, 3), 2, before=again)).shape == (9, 7, 4)
    assert not capfd.readouterr().err


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_jpeg_is_read_as_libjpeg_reads_it(mode: str, subsampling: int, progressive: bool) -> None:
    image = Image.fromarray(drawn(40, 50, 3)).convert(mode)
    data = saved(image, "JPEG", subsampling=subsampling, progressive=progressive)
    expected = Image.open(io.BytesIO(data)).convert("RGBA")
    assert np.array_equal(pixels(data), np.asarray(expected))


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_jpeg_shows_what_was_drawn(mode: str) -> None:
    image = Image.fromarray(blocks()).convert(mode)
    read = pixels(saved(image, "JPEG", quality=100, subsampling=0)).astype(int)
    assert abs(read - np.asarray(image.convert("RGBA"))).max() <= 2


@pytest.mark.parametrize("what", ["JPEG", "JPEG gray", "JPEG CMYK"])
def test_slips_of_a_jpeg_that_hurt_no_pixel_are_passed_over(what: str) -> None:
    data = EXAMPLES[what]
    scan = data.index(b"\xff\xda")
    header_end = scan + 2 + int.from_bytes(data[scan + 2 : scan + 4], "big")
    assert data[header_end - 3 : header_end] == b"\0\x3f\0"
    slips = {
        "a scan header that some phones write": data[: header_end - 3]
        + bytes(3)
        + data[header_end:],
        "stray bytes before a segment": data[:scan] + bytes(3) + data[scan:],
        "fill bytes before a segment": data[:scan] + b"\xff\xff" + data[scan:],
        "a second picture after the end": data + data,
    }
    for slip, changed in slips.items():
        assert np.array_equal(pixels(changed), pixels(data)), slip


def test_a_jpeg_of_restarts_alone_is_not_made_nine_times_as_large() -> None:
    """Without the fast decoder bytes are written behind each restart: 98 MB took minutes."""
    art = saved(blocks(), "JPEG")
    bomb = art[:-2] + b"\xff\xd0" * 2_000_001 + art[-2:]
    start = time.thread_time()
    with pytest.raises(CorruptImage) as refused:
        jpeg.padded(bomb)
    assert refused.value.facts == {"reason": "it has too many restarts"}
    assert time.thread_time() - start < 1


def test_a_jpeg_of_rgb_without_conversion_keeps_its_channels() -> None:
    data = saved(blocks(), "JPEG", quality=100, keep_rgb=True)
    assert abs(pixels(data).astype(int) - rgba(blocks())).max() <= 2


def test_a_lossless_webp_is_read_exactly() -> None:
    for samples in (drawn(20, 30, 3), drawn(20, 30, 4)):
        assert np.array_equal(
            pixels(saved(samples, "WEBP", lossless=True, exact=True)), rgba(samples)
        )


def test_a_lossy_webp_is_read_as_libwebp_reads_it() -> None:
    for samples in (blocks(3), blocks(4)):
        data = saved(samples, "WEBP", quality=90)
        expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"), int)
        assert abs(pixels(data) - expected).max() <= 1


@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("count", [3, 4])
def test_a_tiff_of_rgb_and_straight_alpha_is_read_exactly(
    count: int, depth: int, endian: str, planar: bool, deflate: bool
) -> None:
    samples = drawn(11, 13, count, 1 << depth)
    picture = tiff(
        samples,
        depth=depth,
        extra=(2,) * (count - 3),
        endian=endian,
        planar=planar,
        deflate=deflate,
    )
    assert np.array_equal(pixels(picture), rgba(samples, depth))


@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_a_gray_tiff_is_read_exactly(depth: int, photometric: int) -> None:
    samples = drawn(11, 13, 1, 1 << depth)
    expected = rgba(samples if photometric else (1 << depth) - 1 - samples, depth)
    assert np.array_equal(pixels(tiff(samples, photometric, depth)), expected)


@pytest.mark.parametrize("endian", ["<", ">"])
def test_a_gray_tiff_of_16_bits_keeps_the_high_byte(endian: str) -> None:
    samples = drawn(11, 13, 1, 65536)
    assert np.array_equal(pixels(tiff(samples, 1, 16, endian=endian)), rgba(samples, 16))


def test_a_palette_tiff_is_read_exactly() -> None:
    indexes, palette = drawn(11, 13, 1, 16), drawn(16, 1, 3, seed=2)[:, 0]
    colours = [int(value) * 257 for value in palette.T.ravel()]
    picture = tiff(indexes, 3, 4, tags={320: (3, colours)})
    assert np.array_equal(pixels(picture), rgba(palette[indexes[:, :, 0]]))


@pytest.mark.parametrize(("photometric", "count"), [(1, 2), (2, 4)])
def test_premultiplied_alpha_of_a_tiff_becomes_straight(photometric: int, count: int) -> None:
    straight = drawn(11, 13, count)
    alpha = straight[:, :, -1:].astype(int)
    stored = np.dstack([straight[:, :, :-1] * alpha // 255, alpha]).astype(np.uint8)
    read = pixels(tiff(stored, photometric, extra=(1,))).astype(int)
    assert np.array_equal(read[:, :, 3:], alpha)
    # Premultiplying again gives what was stored: more can't be known of faint pixels.
    again = read[:, :, :3] * alpha / 255
    assert abs(again - rgba(stored)[:, :, :3]).max() < 1


def test_a_tiff_channel_that_is_not_alpha_is_left_out() -> None:
    samples = drawn(11, 13, 5)
    expected = rgba(samples[:, :, :3])
    assert np.array_equal(pixels(tiff(samples[:, :, :4], extra=(0,))), expected)
    assert np.array_equal(pixels(tiff(samples, extra=(0, 0))), expected)
    assert np.array_equal(pixels(tiff(samples, extra=(2, 0))), samples[:, :, :4])


@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize(("count", "extra"), [(3, ()), (4, (2,))])
def test_a_tiff_as_it_stands_is_read_exactly(
    endian: str, count: int, extra: tuple[int, ...]
) -> None:
    samples = drawn(11, 13, count)
    strips = [{"rows_per_strip": rows} for rows in (1, 4, 11)]
    one_strip = {"rows_per_strip": 11, "tags": {278: (4, [2**32 - 1])}}
    for layout in (*strips, one_strip):
        data = tiff(samples, extra=extra, endian=endian, **layout)
        assert judge(data, LIMITS).raw is not None
        art = decode(data, LIMITS)
        assert np.array_equal(art.pixels, rgba(samples))
        assert art.is_opaque is (count == 3)


def test_a_tiff_that_is_not_as_it_stands_is_the_decoders() -> None:
    samples, alpha = drawn(11, 13, 3), drawn(11, 13, 4)
    others = [
        tiff(samples, 6),
        tiff(samples, deflate=True),
        tiff(samples, planar=True),
        tiff(samples, tags={266: (3, [2])}),  # bits from the other end
        tiff(samples, tags={279: (4, [4 * 39 + 1, 4 * 39 - 1, 3 * 39])}),  # a strip is too short
        tiff(drawn(11, 13, 3, 65536), 2, 16),
        *(tiff(alpha, extra=extra) for extra in ((), (0,), (1,))),
    ]
    assert [judge(data, LIMITS).raw for data in others] == [None] * len(others)


def test_a_tiff_that_does_not_tell_what_its_fourth_channel_is_has_alpha() -> None:
    samples = drawn(11, 13, 4)
    for tags in ({}, {338: (3, [])}):
        assert np.array_equal(pixels(tiff(samples, tags=tags)), samples)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_a_tiff_is_read_exactly_whatever_its_compression(compression: str) -> None:
    samples = drawn(40, 30, 4)
    assert np.array_equal(pixels(saved(samples, "TIFF", compression=compression)), samples)


def test_a_tiff_of_jpeg_is_read_to_within_a_few_levels() -> None:
    data = saved(blocks(), "TIFF", compression="jpeg", quality=100)
    assert abs(pixels(data).astype(int) - rgba(blocks())).max() <= 3


@pytest.mark.parametrize("top_down", [False, True])
def test_a_bmp_of_24_bits_is_read_exactly(top_down: bool) -> None:
    samples = drawn(5, 7, 3)
    assert np.array_equal(pixels(bmp(samples[:, :, ::-1], top_down=top_down)), rgba(samples))


def test_a_bmp_of_32_bits_has_alpha_only_where_it_says_so() -> None:
    samples = drawn(5, 7, 4)
    stored = samples[:, :, [2, 1, 0, 3]]
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    assert np.array_equal(pixels(bmp(stored, masks=masks, header=124)), samples)
    assert np.array_equal(pixels(bmp(stored)), rgba(samples[:, :, :3]))


@pytest.mark.parametrize("depth", [1, 4, 8])
def test_a_palette_bmp_is_read_exactly(depth: int) -> None:
    indexes, palette = drawn(5, 7, 1, 1 << depth), drawn(1 << depth, 1, 3, seed=3)[:, 0]
    entries = np.pad(palette[:, ::-1], ((0, 0), (0, 1))).tobytes()
    picture = bmp(indexes, depth=depth, palette=entries)
    assert np.array_equal(pixels(picture), rgba(palette[indexes[:, :, 0]]))


UPRIGHT = blocks(4)
SIDES = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}
"""Where the first stored row and the first stored column lie in the upright picture, by EXIF's
definition of each orientation."""


def stored(upright: Samples, orientation: int) -> Samples:
    first_row, first_column = SIDES[orientation]
    picture = upright if first_row in ("top", "bottom") else upright.transpose(1, 0, 2)
    picture = picture[::-1] if first_row in ("bottom", "right") else picture
    return np.ascontiguousarray(
        picture[:, ::-1] if first_column in ("bottom", "right") else picture
    )


def late_png(samples: Samples, orientation: int) -> bytes:
    return png(samples, after=[chunk(b"eXIf", exif(orientation))])


def oriented_jpeg(samples: Samples, orientation: int) -> bytes:
    data = saved(samples[:, :, :3], "JPEG", quality=100, subsampling=0)
    return with_segment(data, 0xE1, b"Exif\0\0" + exif(orientation, "<"))


def oriented_webp(samples: Samples, orientation: int) -> bytes:
    return saved(samples, "WEBP", lossless=True, exact=True, exif=exif(orientation))


def oriented_tiff(samples: Samples, orientation: int) -> bytes:
    return tiff(samples, extra=(2,), deflate=True, tags={274: (3, [orientation])})


@pytest.mark.parametrize("orientation", SIDES)
@pytest.mark.parametrize("encode", [late_png, oriented_jpeg, oriented_webp, oriented_tiff])
def test_every_orientation_of_every_format_is_turned_upright(
    encode: Callable[[Samples, int], bytes], orientation: int
) -> None:
    read = pixels(encode(stored(UPRIGHT, orientation), orientation))
    assert read.shape == UPRIGHT.shape
    channels, levels = (3, 2) if encode is oriented_jpeg else (4, 0)
    assert abs(read.astype(int) - UPRIGHT)[:, :, :channels].max() <= levels


def cmyk_profile() -> bytes:
    """A press that prints with its black ink alone: what the other inks say doesn't show."""
    corners = [bytes((0 if number & 1 else 255, 128, 128)) for number in range(16)]
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + bytes(range(256)) * 4
    return profile(b"CMYK", (b"A2B0", table + b"".join(corners) + bytes(range(256)) * 3))


LINEAR_GRAY = profile(b"GRAY", (b"kTRC", b"curv" + bytes(4) + struct.pack(">IH", 1, 0x100)))


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb_by_its_own_profile_which_is_then_dropped(kind: str) -> None:
    inks = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    plain = decode(saved(inks, kind), LIMITS)
    assert plain.pixels[8, 8].tolist() == [0, 255, 255, 255]
    managed = decode(saved(inks, kind, icc_profile=cmyk_profile()), LIMITS)
    assert managed.pixels[8, 8].tolist() == [255, 255, 255, 255]
    assert managed.icc is None


def test_cmyk_whose_profile_can_not_be_used_is_converted_plainly() -> None:
    inks = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    for useless in (profile(b"CMYK"), profile(b"RGB ")):
        read = pixels(saved(inks, "TIFF", icc_profile=useless))
        assert read[8, 8].tolist() == [0, 255, 255, 255]


def test_a_cmyk_jpeg_of_adobe_is_not_inverted() -> None:
    inks = np.dstack([blocks(3), np.zeros((64, 96), np.uint8)])
    data = saved(Image.fromarray(inks, "CMYK"), "JPEG", quality=100, subsampling=0)
    assert b"Adobe" in data  # whose CMYK is stored inverted
    assert abs(pixels(data).astype(int) - rgba(255 - inks[:, :, :3])).max() <= 3


def test_gray_levels_are_moved_from_their_own_curve_to_srgb() -> None:
    samples = drawn(9, 8, 2)
    samples[0, 0] = (55, 9)  # linear 55/255 is sRGB 128 of 255 by IEC 61966-2-1
    artwork = decode(
        png(samples, 4, before=[chunk(b"iCCP", b"x\0\0" + zlib.compress(LINEAR_GRAY))]), LIMITS
    )
    assert artwork.pixels[0, 0].tolist() == [128, 128, 128, 9]
    assert np.array_equal(artwork.pixels[:, :, 3], samples[:, :, 1])
    assert artwork.icc is None


@pytest.mark.parametrize("encode", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_an_rgb_profile_is_kept_and_changes_no_pixel(encode: str) -> None:
    own = profile(b"RGB ")
    tagged = decode(saved(blocks(), encode, icc_profile=own), LIMITS)
    assert tagged.icc == own
    untagged = decode(saved(blocks(), encode), LIMITS)
    assert untagged.icc is None
    assert np.array_equal(tagged.pixels, untagged.pixels)


@pytest.mark.parametrize("space", [b"GRAY", b"CMYK", b"Lab "])
def test_a_profile_that_does_not_describe_rgb_is_dropped(space: bytes) -> None:
    artwork = decode(saved(blocks(), "TIFF", icc_profile=profile(space)), LIMITS)
    assert artwork.icc is None
    assert np.array_equal(artwork.pixels, rgba(blocks()))


def test_artwork_is_opaque_only_when_every_alpha_is_255() -> None:
    samples = drawn(30, 20, 4)
    samples[:, :, 3] = 255
    assert decode(png(samples), LIMITS).is_opaque
    samples[29, 19, 3] = 254
    assert not decode(png(samples), LIMITS).is_opaque
    assert decode(saved(blocks(), "JPEG"), LIMITS).is_opaque


EXAMPLES = {
    "PNG RGBA": png(drawn(20, 30, 4)),
    "PNG palette": png(drawn(20, 30, 1), 3, before=[chunk(b"PLTE", bytes(768))]),
    "PNG 16 bits": png(drawn(20, 30, 3, 65536), 2, 16),
    "JPEG": saved(blocks(), "JPEG"),
    "JPEG gray": saved(Image.fromarray(blocks()).convert("L"), "JPEG"),
    "JPEG progressive": saved(blocks(), "JPEG", progressive=True),
    "JPEG CMYK": saved(Image.fromarray(blocks()).convert("CMYK"), "JPEG"),
    "WebP lossy": saved(blocks(4), "WEBP"),
    "WebP lossless": saved(drawn(20, 30, 4), "WEBP", lossless=True),
    "TIFF": tiff(drawn(20, 30, 3)),
    "TIFF deflate": tiff(drawn(20, 30, 3), deflate=True),
    "TIFF LZW": saved(drawn(20, 30, 3), "TIFF", compression="tiff_lzw"),
    "TIFF JPEG": saved(blocks(), "TIFF", compression="jpeg"),
    "BMP": bmp(drawn(20, 30, 3)),
}


@pytest.mark.parametrize("what", EXAMPLES)
def test_artwork_is_read_only_contiguous_rgba_from_any_buffer(what: str) -> None:
    expected = pixels(EXAMPLES[what])
    for wrap in (bytearray, memoryview):
        artwork = decode(wrap(EXAMPLES[what]), LIMITS)
        assert np.array_equal(artwork.pixels, expected)
        assert artwork.pixels.dtype == np.uint8
        assert artwork.pixels.flags.c_contiguous
        assert not artwork.pixels.flags.writeable


@pytest.mark.parametrize("what", EXAMPLES)
def test_a_file_cut_anywhere_is_refused(what: str) -> None:
    data = EXAMPLES[what]
    for kept in (0.3, 0.5, 0.9, 0.99):
        with pytest.raises(FileRefused) as refused:
            decode(data[: int(len(data) * kept)], LIMITS)
        assert refused.value.code == "corrupt_image"


@pytest.mark.parametrize("what", ["JPEG", "JPEG gray", "JPEG progressive"])
@pytest.mark.parametrize("kept", [0.7, 0.9, 0.97])
def test_a_jpeg_cut_and_closed_again_is_refused(what: str, kept: float) -> None:
    data = EXAMPLES[what]
    with pytest.raises(CorruptImage):
        decode(data[: int(len(data) * kept)] + b"\xff\xd9", LIMITS)


ROWS = b"".join(b"\0" + bytes(30 * 4) for _ in range(20))


@pytest.mark.parametrize(
    "data",
    [
        png(drawn(20, 30, 4), rows=ROWS[: 121 * 12]),
        png(drawn(20, 30, 4), rows=ROWS[:-1]),
        png(drawn(20, 30, 4), rows=b"\x09" + ROWS[1:]),
        EXAMPLES["WebP lossless"][:60] + bytes(200) + EXAMPLES["WebP lossless"][260:],
        EXAMPLES["TIFF deflate"][:60] + bytes(20) + EXAMPLES["TIFF deflate"][80:],
        EXAMPLES["TIFF LZW"].replace(b"\x03\x01\x03\0\1\0\0\0\5", b"\x03\x01\x03\0\1\0\0\0\x08"),
    ],
)
def test_damaged_pixels_behind_a_sound_header_are_refused(data: bytes) -> None:
    judge(data, LIMITS)
    with pytest.raises(CorruptImage):
        decode(data, LIMITS)


def test_a_damaged_byte_in_the_pixels_of_a_png_is_found_by_its_check_sum() -> None:
    for what in ("PNG RGBA", "PNG palette", "PNG 16 bits"):
        data = bytearray(EXAMPLES[what])
        data[data.index(b"IDAT") + 30] ^= 1
        with pytest.raises(CorruptImage):
            decode(data, LIMITS)


def test_the_limits_hold_for_decoding_too() -> None:
    with pytest.raises(ImageTooLarge):
        decode(EXAMPLES["PNG RGBA"], Limits(20_000, 599, 30))


def test_threads_decode_side_by_side() -> None:
    jobs = list(EXAMPLES.values()) * 6
    expected = [pixels(data) for data in jobs]
    with ThreadPoolExecutor(8) as pool:
        for alone, together in zip(expected, pool.map(pixels, jobs), strict=True):
            assert np.array_equal(alone, together)


# The child's memory is its own, and it may not write a byte to any file.
IN_A_PROCESS_OF_ITS_OWN = """
import pickle, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
from shared.errors import FileRefused
from shared.imaging.decode import decode
from shared.imaging.limits import Limits
from shared.imaging.opencv import cv2
import numpy as np
honest, lies, vast = pickle.load(sys.stdin.buffer)
limits = Limits(20_000_000, 100_000_000, 20_000)
for data in honest:
    decode(data, limits)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for data in lies:
    try:
        decode(data, limits)
    except FileRefused:
        continue
    raise SystemExit("a lie was decoded")
try:
    picture = cv2.imdecode(np.frombuffer(vast, np.uint8), cv2.IMREAD_UNCHANGED)
except cv2.error as error:
    print("pixels" in str(error).lower())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_lies_cost_no_memory_and_nothing_is_written_to_disk() -> None:
    lies = [data for group in LIES.values() for data in group.values() if len(data) < 1_000_000]
    vast = PNG_SIGNATURE + png_header(21_000, 20_000) + chunk(b"IDAT", bytes(9)) + PNG_END
    child = subprocess.run(  # noqa: S603 - this interpreter, the code above
        [sys.executable, "-c", IN_A_PROCESS_OF_ITS_OWN],
        input=pickle.dumps((list(EXAMPLES.values()), lies, vast)),
        capture_output=True,
        cwd=Path(__file__).parents[2],
        timeout=60,
        check=False,
    )
    assert child.returncode == 0, child.stderr.decode()
    is_limited, kilobytes = child.stdout.split()
    assert is_limited == b"True"  # OpenCV's own limit stands behind the header walk
    assert int(kilobytes) < 30_000


@QUIET
@given(
    what=st.sampled_from(sorted(EXAMPLES)),
    changes=st.lists(st.tuples(st.integers(0, 9_999), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_a_changed_file_gives_whole_artwork_or_a_refusal(
    what: str, changes: list[tuple[int, int]]
) -> None:
    changed = bytearray(EXAMPLES[what])
    for place, value in changes:
        changed[place % len(changed)] = value
    with suppress(FileRefused):
        artwork = decode(changed, Limits(1_000_000, 1_000_000, 2_000))
        assert artwork.pixels.shape[2] == 4
        assert artwork.is_opaque == bool((artwork.pixels[:, :, 3] == 255).all())
