"""Files that claim what they don't hold, by the reason they are refused for."""

from __future__ import annotations

import struct
import zlib

from imaging_files import (
    PNG_END,
    PNG_SIGNATURE,
    bmp,
    chunk,
    directory,
    drawn,
    jpeg_frame,
    jpeg_segment,
    jpeg_skeleton,
    png,
    png_header,
    riff,
    tiff,
    tiff_file,
    webp_lossless,
)

MILLION = 1_000_000
TINY_PNG = PNG_SIGNATURE + png_header(1, 1)
INDEXES = drawn(3, 4, 1, 4)
FOUR_COLOURS = chunk(b"PLTE", bytes(range(12)))
SCAN = jpeg_segment(0xDA, b"\1\1\0\0\x3f\0")
TINY_BMP = bmp(drawn(2, 2, 3))
GRAY = {256: (4, [9]), 257: (4, [9]), 258: (3, [8]), 262: (3, [1]), 273: (4, [8]), 279: (4, [81])}


def deflated(size: int) -> bytes:
    """``size`` zero bytes, deflated without holding them at once."""
    deflater = zlib.compressobj(9)
    blocks = [deflater.compress(bytes(1 << 20)) for _ in range(size >> 20)]
    return b"".join((*blocks, deflater.flush()))


def bmp_of(width: int, height: int) -> bytes:
    return TINY_BMP.replace(struct.pack("<ii", 2, 2), struct.pack("<ii", width, height))


LIES: dict[str, dict[str, bytes]] = {
    "a chunk is longer than the file": {
        "PNG of 44 bytes whose pixels claim 4 GB": TINY_PNG
        + struct.pack(">I4s", 0xFFFFFFF0, b"IDAT")
        + b"\x78\x9c\x63",
        "PNG whose text claims 4 GB": TINY_PNG + chunk(b"tEXt", b"x", 0xFFFFFFF0),
        "PNG cut in a chunk": png(drawn(3, 4, 4))[:-20],
        "WebP whose chunk claims 4 GB": riff((b"VP8L", b"\x2f")).replace(
            b"\1\0\0\0", b"\xf0\xff\xff\xff"
        ),
    },
    "it ends within a header": {
        "PNG without an end": png(drawn(3, 4, 4))[:-12],
        "JPEG cut in a length": jpeg_skeleton(8, 8)[:3] + b"\xe1\0",
        "WebP of two bytes of pixels": riff((b"VP8L", b"\x2f\0")),
        "TIFF of 8 bytes": b"II*\0\x08\0\0\0",
        "TIFF cut in its directory": tiff(drawn(2, 2, 3))[:40],
        "BMP of 11 bytes": b"BM" + bytes(9),
    },
    "it holds fewer pixels than its header says": {
        "PNG of 81 megapixels in 20 bytes": PNG_SIGNATURE
        + png_header(9_000, 9_000)
        + chunk(b"IDAT", bytes(20))
        + PNG_END,
        "PNG without pixels": TINY_PNG + PNG_END,
        "JPEG of 81 megapixels in 691 bytes": jpeg_skeleton(9_000, 9_000, scan=bytes(664)),
        "TIFF of 81 megapixels in 60 bytes": tiff(
            drawn(1, 60, 1),
            1,
            deflate=True,
            tags={256: (4, [9_000]), 257: (4, [9_000]), 278: (4, [9_000])},
        ),
        "BMP of 81 megapixels": bmp_of(9_000, 9_000),
        "BMP cut short": TINY_BMP[:-1],
    },
    "it has no width or no height": {
        "PNG of no width": PNG_SIGNATURE + png_header(0, 4) + PNG_END,
        "JPEG of no height": jpeg_skeleton(8, 0),
        "BMP of no height": bmp_of(2, 0),
    },
    "its first chunk is not a PNG header": {
        "PNG without a header": PNG_SIGNATURE + chunk(b"IDAT", b"") + PNG_END,
        "PNG of its end alone": PNG_SIGNATURE + PNG_END,
    },
    "its PNG header makes no sense": {
        "PNG of depth 3": PNG_SIGNATURE + png_header(4, 4, 3) + PNG_END,
        "PNG of colour type 5": PNG_SIGNATURE + png_header(4, 4, 8, 5) + PNG_END,
        "PNG of interlace 2": PNG_SIGNATURE + png_header(4, 4, interlace=2) + PNG_END,
    },
    "it has two PNG headers": {
        "PNG with two headers": png(drawn(3, 4, 4), before=[png_header(4, 3)]),
    },
    "its transparent colour makes no sense": {
        "RGB PNG whose transparent colour is gray": png(
            drawn(3, 4, 3), 2, before=[chunk(b"tRNS", b"\0\1")]
        ),
    },
    "its palette is missing or makes no sense": {
        "PNG without its palette": png(INDEXES, 3),
        "PNG whose palette is empty": png(INDEXES, 3, before=[chunk(b"PLTE", b"")]),
        "PNG whose palette is cut": png(INDEXES, 3, before=[chunk(b"PLTE", bytes(13))]),
        "PNG of a palette of 257": png(INDEXES, 3, before=[chunk(b"PLTE", bytes(3 * 257))]),
    },
    "it has more transparent colours than colours": {
        "PNG of three colours and four alphas": png(
            INDEXES, 3, before=[chunk(b"PLTE", bytes(9)), chunk(b"tRNS", bytes(4))]
        ),
        "PNG of 2 bits and five alphas": png(
            INDEXES, 3, 2, before=[chunk(b"PLTE", bytes(15)), chunk(b"tRNS", bytes(5))]
        ),
    },
    "its palette, transparency and pixels are not in this order": {
        "PNG whose palette follows its transparency": png(
            INDEXES, 3, before=[chunk(b"tRNS", bytes(4)), FOUR_COLOURS]
        ),
        "PNG whose palette follows its pixels": png(INDEXES, 3, after=[FOUR_COLOURS]),
        "PNG whose transparency follows its pixels": png(
            INDEXES, 3, before=[FOUR_COLOURS], after=[chunk(b"tRNS", bytes(4))]
        ),
        "RGB PNG whose transparency follows its pixels": png(
            drawn(3, 4, 3), 2, after=[chunk(b"tRNS", bytes(6))]
        ),
    },
    "a chunk differs from its check sum": {
        "PNG whose header is damaged": TINY_PNG[:-1] + b"!" + PNG_END,
        "PNG whose palette is damaged": png(INDEXES, 3, before=[FOUR_COLOURS[:-1] + b"!"]),
        "RGB PNG whose transparency is damaged": png(
            drawn(3, 4, 3), 2, before=[chunk(b"tRNS", bytes(6))[:-1] + b"!"]
        ),
    },
    "it has a chunk that no standard knows": {
        "PNG of Apple's own kind": png(drawn(3, 4, 4), before=[chunk(b"CgBI", bytes(4))]),
    },
    "it has too many chunks": {
        "PNG of a million chunks": TINY_PNG + chunk(b"tEXt", b"") * MILLION,
        "WebP of a million chunks": riff(*[(b"JUNK", b"")] * MILLION),
    },
    "its colour profile is too large": {
        "PNG whose profile inflates to 64 MB": png(
            drawn(3, 4, 4), before=[chunk(b"iCCP", b"x\0\0" + deflated(64 << 20))]
        ),
    },
    "it has more than 100 scans": {
        "JPEG of 1,000 scans": jpeg_skeleton(8, 8, *[SCAN + b"\0"] * 1_000),
    },
    "it has no frame or no pixels, or more than one frame": {
        "JPEG of two frames": jpeg_skeleton(8, 8, jpeg_frame(8, 8)),
        "JPEG without a frame": jpeg_skeleton(8, 8).replace(jpeg_frame(8, 8), b""),
        "JPEG without a scan": b"\xff\xd8" + jpeg_frame(8, 8) + b"\xff\xd9",
    },
    "its end is missing": {
        "JPEG without an end": jpeg_skeleton(8, 8)[:-2],
        "JPEG of 2 MB of fill bytes": b"\xff\xd8" + b"\xff" * 2 * MILLION,
        "JPEG of 2 MB of pixels": jpeg_skeleton(8, 8, scan=b"\xff\0" * MILLION)[:-2],
    },
    "a segment is longer than the file": {
        "JPEG whose segment outruns it": jpeg_skeleton(8, 8, b"\xff\xe1\xff\xff"),
    },
    "it has too many segments": {
        "JPEG of a million segments": jpeg_skeleton(8, 8, jpeg_segment(0xFE, b"") * MILLION),
    },
    "it is shorter than it says": {"WebP cut short": webp_lossless(4, 4)[:-1]},
    "its two sizes differ": {
        "WebP of two sizes": riff((b"VP8X", bytes(10)), (b"VP8L", struct.pack("<BI", 0x2F, 3))),
    },
    "it holds no pixels": {"WebP without pixels": riff((b"VP8X", bytes(10)))},
    "its picture data makes no sense": {
        "WebP that starts with half a picture": riff((b"VP8 ", b"\1\0\0\x9d\x01\x2a\4\0\4\0")),
        "WebP of another version": riff((b"VP8L", b"\x2f" + b"\xff" * 4)),
    },
    "its directories don't end": {
        "TIFF whose directory follows itself": tiff(
            drawn(2, 2, 3), tags={254: (4, [1])}, following=20
        ),
        "TIFF of 17 thumbnails": tiff_file(
            b"".join(
                directory({254: (4, [1])}, following=8 + 18 * (number + 1)) for number in range(17)
            ),
            GRAY,
            following=8,
        ),
    },
    "its pixels lie beyond the end of the file": {
        "TIFF whose pixels lie beyond its end": tiff(drawn(2, 2, 3), tags={273: (4, [999_999])}),
    },
    "its strips don't make up the picture": {
        "TIFF of a million strips": tiff_file(
            bytes(8), GRAY | {273: (4, [8] * MILLION), 279: (4, [1] * MILLION)}
        ),
        "TIFF without strips": tiff_file(bytes(99), {tag: GRAY[tag] for tag in (256, 257, 258)}),
    },
    "it has too many strips or tiles": {
        "TIFF of a million tiles of one pixel": tiff_file(
            bytes(8),
            GRAY
            | {256: (4, [1000]), 257: (4, [1000]), 322: (4, [1]), 323: (4, [1])}
            | {324: (4, [8] * MILLION), 325: (4, [1] * MILLION)},
        ),
    },
    "a tag makes no sense": {
        "TIFF of a million bit depths": tiff_file(bytes(99), GRAY | {258: (3, [8] * MILLION)}),
        "TIFF of a million orientations": tiff_file(bytes(99), GRAY | {274: (3, [1] * MILLION)}),
        "TIFF whose width is a text": tiff(drawn(2, 2, 3), tags={256: (7, [1])}),
    },
    "its tiles make no sense": {
        "TIFF of vast tiles": tiff(
            drawn(2, 2, 3),
            tags={322: (4, [1 << 31]), 323: (4, [1 << 31]), 324: (4, [8]), 325: (4, [12])},
        ),
        "TIFF of no width": tiff(drawn(2, 2, 3), tags={256: (4, [0])}),
    },
    "a tag is longer than the file": {
        "TIFF whose tag outruns it": tiff(drawn(2, 2, 3), tags={258: (4, [8, 8, 8])})[:-4],
    },
    "it has too many tags": {
        "TIFF of 2,000 tags": tiff_file(
            bytes(99), GRAY | {40_000 + n: (3, [0]) for n in range(2_000)}
        ),
    },
    "it holds no picture": {
        "TIFF of a thumbnail only": tiff(drawn(2, 2, 3), tags={254: (4, [1])}),
        "TIFF without a directory": b"II*\0\0\0\0\0",
    },
    "its BMP header makes no sense": {"BMP of negative width": bmp_of(-2, 2)},
}
