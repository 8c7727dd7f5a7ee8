"""Small files that would cost a decoder gigabytes or minutes, and how they are answered."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache

from imaging_files import (
    PNG_END,
    PNG_SIGNATURE,
    bmp,
    chunk,
    drawn,
    jpeg_segment,
    jpeg_skeleton,
    png,
    png_header,
    profile,
    tiff,
    webp_lossless,
)
from imaging_lies import bmp_of
from PIL import Image


@cache
def gigabyte() -> bytes:
    """2**30 zero bytes, deflated: 1 MB. Its check sum is wrong, which is found at its end only."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    part = deflater.compress(bytes(1 << 25)) + deflater.flush(zlib.Z_FULL_FLUSH)
    return b"\x78\xda" + part * 32 + b"\x03\0" + bytes(4)


def bombs() -> dict[str, tuple[bytes, str]]:
    """By name: a file, and the code that it is refused with."""
    art = drawn(3, 4, 4)
    return {
        "PNG of 44 bytes, a chunk of 4 GB": (
            PNG_SIGNATURE + png_header(1, 1) + struct.pack(">I4sB", 0xFFFFFFF0, b"IDAT", 0)[:11],
            "corrupt_image",
        ),
        "PNG of 30,000 squared": (
            PNG_SIGNATURE + png_header(30_000, 30_000) + chunk(b"IDAT", gigabyte() * 4) + PNG_END,
            "image_too_large",
        ),
        "PNG of 16 bits, 900 megapixels": (
            PNG_SIGNATURE
            + png_header(30_000, 30_000, 16)
            + chunk(b"IDAT", gigabyte() * 8)
            + PNG_END,
            "image_too_large",
        ),
        "PNG of 100 megapixels in 1 KB": (
            PNG_SIGNATURE + png_header(10_000, 10_000) + chunk(b"IDAT", bytes(1000)) + PNG_END,
            "corrupt_image",
        ),
        "PNG whose profile inflates to 1 GB": (
            png(art, before=[chunk(b"iCCP", b"x\0\0" + gigabyte())]),
            "corrupt_image",
        ),
        "WebP of 34 bytes, 268 megapixels": (webp_lossless(16_383, 16_383), "image_too_large"),
        "WebP of 34 bytes, 100 megapixels": (webp_lossless(10_000, 10_000), "corrupt_image"),
        "JPEG of 691 bytes, 4,000 megapixels": (
            jpeg_skeleton(65_000, 65_000, scan=bytes(664)),
            "corrupt_image",
        ),
        "JPEG of 2,000 scans": (scans(2_000), "corrupt_image"),
        "JPEG of 9,000 texts": (
            jpeg_skeleton(8, 8, jpeg_segment(0xFE, bytes(60_000)) * 90)[:-2],
            "corrupt_image",
        ),
        "TIFF of 100 megapixels in 1 KB": (
            tiff(drawn(1, 60, 1), 1, tags={256: (4, [10_000]), 257: (4, [10_000])}),
            "corrupt_image",
        ),
        "BMP of 100 megapixels in 70 bytes": (bmp_of(10_000, 10_000), "corrupt_image"),
        "BMP of run lengths": (
            bmp(drawn(3, 5, 1), palette=bytes(1024)).replace(b"\1\0\x08\0\0", b"\1\0\x08\0\1", 1),
            "unsupported_format",
        ),
        "JP2 of 1 KB": (
            b"\0\0\0\x0cjP  \r\n\x87\n" + struct.pack(">II", 60_000, 60_000) * 125,
            "unsupported_format",
        ),
        "GIF of 4,000 megapixels": (
            b"GIF89a" + struct.pack("<HH", 65_000, 65_000) + bytes(300_000),
            "unsupported_format",
        ),
        "PPM of 4,000 megapixels": (b"P6 65000 65000 255\n" + bytes(99), "unsupported_format"),
    }


def texts() -> dict[str, bytes]:
    """Honest pictures beside texts that nobody needs: taken in, and the texts never inflated."""
    art = drawn(60, 80, 4)
    return {
        "zTXt of 1 GB": png(art, before=[chunk(b"zTXt", b"x\0\0" + gigabyte())]),
        "iTXt of 1 GB": png(art, before=[chunk(b"iTXt", b"x\0\1\0\0\0" + gigabyte())]),
        "zTXt after the pixels": png(art, after=[chunk(b"zTXt", b"x\0\0" + gigabyte())]),
    }


def scans(count: int) -> bytes:
    """A progressive JPEG of 16 megapixels whose last scan comes again and again."""
    file = io.BytesIO()
    Image.new("L", (4000, 4000), 128).save(file, "JPEG", progressive=True)
    jpeg = file.getvalue()[:-2]
    return jpeg + jpeg[jpeg.rindex(b"\xff\xda") :] * count + b"\xff\xd9"


def slow_profile(steps: int) -> bytes:
    """A CMYK profile whose ``steps`` matrices all stand in one place: 8 bytes a step."""
    square = [float(row == column) for row in range(4) for column in range(4)]
    matrix = b"matf" + bytes(4) + struct.pack(">HH20f", 4, 4, *square, *[0] * 4)
    last = b"matf" + bytes(4) + struct.pack(">HH15f", 4, 3, *square[:12], *[0] * 3)
    start = 16 + 8 * (steps + 1)
    table = struct.pack(">II", start, len(matrix)) * steps
    table += struct.pack(">II", start + len(matrix), len(last))
    steps_tag = b"mpet" + bytes(4) + struct.pack(">HHI", 4, 3, steps + 1) + table + matrix + last
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    plain = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + bytes(range(256)) * 4
    plain += bytes(48) + bytes(range(256)) * 3
    made = profile(b"CMYK", (b"D2B0", steps_tag), (b"D2B1", steps_tag), (b"A2B0", plain))
    return made[:8] + b"\x04\x30\0\0" + made[12:]


def slow(steps: int = 100_000) -> bytes:
    """A CMYK TIFF of 16 x 16 px that takes 1 ms for each of its profile's steps."""
    file = io.BytesIO()
    inks = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    inks.save(file, "TIFF", icc_profile=slow_profile(steps))
    return file.getvalue()
