"""Encode: lossless, valid, small, and the same bytes for the same picture."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imaging_art import Pixels, logo, noise, plain, wrap
from PIL import Image, ImageCms

from benchmarks import artwork
from shared.imaging import deflate, demand, filters
from shared.imaging.encode import STRIP_BYTES, encode
from shared.imaging.strips import MOST_THREADS
from shared.settings import Effort

DRAWN: tuple[Callable[[], Pixels], ...] = (
    logo,
    wrap,
    lambda: noise(700, 900, channels=3),
    lambda: artwork.wrap(1, 1200, 580),
    lambda: artwork.photo(0, 2000, 500)[..., :3],
    lambda: artwork.soft(0, 2000, 950),
)
"""Of these, strips are deflated in every way."""
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and data of every chunk, each with the right checksum and nothing after the last."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at = 8
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        data, crc = png[at + 8 : at + 8 + length], png[at + 8 + length : at + 12 + length]
        assert crc == struct.pack(">I", zlib.crc32(kind + data))
        yield kind, data
        at += 12 + length
    assert at == len(png)


def by_pillow(png: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(png)))


def by_opencv(png: bytes) -> Pixels:
    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    turned = cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(pixels, turned), dtype=np.uint8)


def by_opencv_level_3(pixels: Pixels) -> int:
    """Bytes of the PNG that OpenCV writes."""
    turned = cv2.COLOR_RGBA2BGRA if pixels.shape[2] == 4 else cv2.COLOR_RGB2BGR
    coded = cv2.imencode(".png", cv2.cvtColor(pixels, turned), [cv2.IMWRITE_PNG_COMPRESSION, 3])
    return len(coded[1])


def assert_lossless(pixels: Pixels) -> None:
    png = encode(pixels, dpi=400)
    assert (by_pillow(png) == pixels).all()
    assert (by_opencv(png) == pixels).all()


@settings(deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from([3, 4]), st.integers(0, 2**32 - 1))
def test_small_pictures_of_any_size_come_back_bit_for_bit(
    height: int, width: int, channels: int, seed: int
) -> None:
    assert_lossless(noise(height, width, channels, seed))


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 600), st.integers(1000, 2000), st.sampled_from([3, 4]), st.booleans())
def test_pictures_of_several_strips_come_back_bit_for_bit(
    height: int, width: int, channels: int, is_flat: bool
) -> None:
    art = logo()[:height] if is_flat else noise(height, width)
    assert_lossless(art[..., :channels])


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (1, 999), (999, 1), (3, 20_000), (20_000, 3), (1, 200_000)]
)
@pytest.mark.parametrize("channels", [3, 4])
def test_pictures_of_extreme_shape_come_back_bit_for_bit(
    height: int, width: int, channels: int
) -> None:
    assert_lossless(noise(height, width, channels))


@settings(deadline=None, max_examples=25)
@given(
    st.integers(1, 200),
    st.integers(1, 300),
    st.sampled_from([3, 4]),
    st.sampled_from(Effort),
    st.sampled_from([0, 1, 8, 64, 256]),
)
def test_every_effort_comes_back_bit_for_bit_whatever_filter_suits(
    height: int, width: int, channels: int, effort: Effort, grain: int
) -> None:
    y, x = np.mgrid[0:height, 0:width]
    shade = (3 * x + 2 * y)[..., None] + 40 * np.arange(channels)
    art = ((shade + noise(height, width, channels).astype(int) * grain // 256) % 256).astype(
        np.uint8
    )
    png = encode(art, dpi=400, effort=effort)
    assert (by_pillow(png) == art).all()
    assert (by_opencv(png) == art).all()


def test_every_filter_is_undone_by_two_decoders() -> None:
    art = noise(60, 70)
    for kind in range(5):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(filters, "suited", lambda *_, kind=kind: kind)
            png = encode(art, dpi=400)
        rows = zlib.decompress(b"".join(data for name, data in chunks(png) if name == b"IDAT"))
        assert set(rows[:: 1 + 4 * 70]) == {kind}
        assert (by_pillow(png) == art).all()
        assert (by_opencv(png) == art).all()


@pytest.mark.parametrize("way", ["NEAR", "FAR", "SEARCH", "CODES"])
def test_every_way_to_deflate_is_undone_by_two_decoders(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = getattr(deflate, way)
    if chosen.codec is None:
        pytest.skip("zlib-ng is not installed")
    monkeypatch.setattr(deflate, "suited", lambda *_: chosen)
    for art in (noise(300, 700), wrap(), logo(), plain(600, 700, 9, 8, 7, 0)):
        assert_lossless(art)


@pytest.mark.parametrize("effort", Effort)
def test_a_small_file_too_is_the_same_with_any_number_of_threads(effort: Effort) -> None:
    art = wrap()
    alone = encode(art, dpi=400, threads=1, effort=effort)
    assert all(encode(art, dpi=400, threads=n, effort=effort) == alone for n in (2, 5))


@pytest.mark.parametrize(("draw", "share"), [(logo, 0.9), *((draw, 1) for draw in DRAWN)])
def test_more_effort_gives_a_smaller_file_and_never_a_larger_one(
    draw: Callable[[], Pixels], share: float
) -> None:
    art = draw()[:400]
    assert len(encode(art, dpi=400, effort=Effort.SMALL)) <= share * len(encode(art, dpi=400))


@pytest.mark.parametrize("draw", [logo, wrap, lambda: plain(600, 700, 9, 8, 7, 0)])
def test_drawn_art_comes_back_bit_for_bit(draw: Callable[[], Pixels]) -> None:
    assert_lossless(draw())


def test_a_view_is_written_like_a_copy_of_it() -> None:
    view = wrap()[7:490, 31:960]
    assert not view.flags.c_contiguous
    assert encode(view, dpi=400) == encode(view.copy(), dpi=400)


def test_read_only_art_is_written_and_left_alone() -> None:
    art = wrap()
    art.flags.writeable = False
    assert (by_pillow(encode(art, dpi=400)) == art).all()


@pytest.mark.parametrize("draw", DRAWN)
def test_the_same_picture_gives_the_same_bytes_with_any_number_of_threads(
    draw: Callable[[], Pixels],
) -> None:
    art = draw()
    alone = encode(art, dpi=400, threads=1)
    made = {threads: zlib.crc32(encode(art, dpi=400, threads=threads)) for threads in (2, 4, 9)}
    assert made == dict.fromkeys(made, zlib.crc32(alone))
    assert encode(art, dpi=400) == alone


def test_the_file_is_made_of_valid_chunks_in_the_order_the_standard_asks() -> None:
    art = noise(700, 900)
    found = list(chunks(encode(art, dpi=400, icc=PROFILE)))
    kinds = [kind for kind, _ in found]
    assert kinds[:3] == [b"IHDR", b"iCCP", b"pHYs"]
    assert set(kinds[3:-1]) == {b"IDAT"}
    assert found[-1] == (b"IEND", b"")
    rows = zlib.decompress(b"".join(data for kind, data in found if kind == b"IDAT"))
    assert len(rows) == 700 * (1 + 900 * 4)


def test_no_strip_is_larger_than_its_share() -> None:
    found = list(chunks(encode(noise(2000, 900), dpi=400)))
    assert len([kind for kind, _ in found if kind == b"IDAT"]) > 10
    assert max(len(data) for _, data in found) < 1.01 * STRIP_BYTES


def test_the_header_tells_size_depth_and_colour_type() -> None:
    rgba, rgb = noise(5, 9), noise(6, 8, channels=3)
    assert (
        dict(chunks(encode(rgba, dpi=400)))[b"IHDR"] == struct.pack(">II", 9, 5) + b"\x08\6\0\0\0"
    )
    assert dict(chunks(encode(rgb, dpi=400)))[b"IHDR"] == struct.pack(">II", 8, 6) + b"\x08\2\0\0\0"


@pytest.mark.parametrize(("dpi", "per_metre"), [(400, 15748), (300, 11811), (72, 2835)])
def test_the_resolution_is_read_back(dpi: int, per_metre: int) -> None:
    png = encode(noise(4, 4), dpi=dpi)
    assert dict(chunks(png))[b"pHYs"] == struct.pack(">IIB", per_metre, per_metre, 1)
    assert Image.open(io.BytesIO(png)).info["dpi"] == pytest.approx((dpi, dpi), abs=0.01)


def test_the_colour_profile_is_read_back_byte_for_byte() -> None:
    png = encode(noise(4, 4), dpi=400, icc=PROFILE)
    assert Image.open(io.BytesIO(png)).info["icc_profile"] == PROFILE
    assert b"sRGB" not in dict(chunks(png))


def test_a_picture_without_a_profile_says_srgb() -> None:
    found = dict(chunks(encode(noise(4, 4), dpi=400)))
    assert found[b"sRGB"] == b"\0"
    assert b"iCCP" not in found


@pytest.mark.parametrize("channels", [3, 4])
def test_flat_art_is_about_as_small_as_opencv_makes_it(channels: int) -> None:
    art = logo(1400, 2000, channels)
    assert len(encode(art, dpi=400)) <= 1.02 * by_opencv_level_3(art)


def test_flat_art_is_written_with_the_filter_that_makes_it_smaller() -> None:
    one_row = noise(1, 900)
    rising = one_row + np.arange(700, dtype=np.uint8)[:, None, None]
    assert len(encode(rising, dpi=400)) < rising.size / 100


@pytest.mark.parametrize("channels", [3, 4])
def test_busy_art_is_at_most_six_hundredths_larger_than_opencv_makes_it(channels: int) -> None:
    art = wrap(1000, 2000)[..., :channels].copy()
    assert len(encode(art, dpi=400)) <= 1.06 * by_opencv_level_3(art)


@pytest.mark.parametrize(
    ("draw", "width", "most"),
    [
        *((artwork.wrap, width, 1.06) for width in (600, 1200, 2000, 2300)),
        (artwork.soft, 2000, 1),
        (artwork.vector, 600, 1),
        (artwork.vector, 2000, 1),
    ],
)
def test_art_of_any_size_is_no_larger_than_it_may_be(
    draw: Callable[[int, int, int], Pixels], width: int, most: float
) -> None:
    art = draw(1, width, width * 10 // 21)
    assert len(encode(art, dpi=400)) <= most * by_opencv_level_3(art)


def test_a_photo_is_a_seventh_smaller_than_opencv_makes_it_and_not_larger() -> None:
    art = artwork.photo(0, 2000, 950)[..., :3].copy()
    assert len(encode(art, dpi=400)) <= 0.86 * by_opencv_level_3(art)


def peak_and_size(art: Pixels, threads: int, effort: Effort) -> tuple[int, int]:
    """Bytes that encoding takes at its peak, and those of the file."""
    tracemalloc.start()
    png = encode(art, dpi=400, threads=threads, effort=effort)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak, len(png)


@pytest.mark.parametrize("effort", Effort)
def test_memory_is_bounded_by_twice_the_file_and_a_few_strips(effort: Effort) -> None:
    peak, size = peak_and_size(noise(1000, 2000), 2, effort)
    assert peak < 2 * size + 2 * 6 * STRIP_BYTES


@pytest.mark.parametrize("effort", Effort)
def test_as_many_threads_as_there_are_take_no_more_than_is_foretold_for_strips(
    effort: Effort,
) -> None:
    one_strip = noise(STRIP_BYTES // (4 * 1600), 1600)
    peak, _ = peak_and_size(one_strip, 1, effort)
    assert MOST_THREADS * peak < demand.FIXED
