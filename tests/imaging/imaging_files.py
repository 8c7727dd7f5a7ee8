"""Image files drawn in code, byte by byte, so that tests need no encoder to be right."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[Any]
Fields = dict[int, tuple[int, Sequence[int] | bytes]]
"""TIFF tags: field type (1 byte, 3 short, 4 long, 7 undefined) and values."""

PNG_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples of a pixel by PNG colour type."""

ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
"""First column, first row, column step and row step of each pass."""


def drawn(height: int, width: int, samples: int, top: int = 256, seed: int = 0) -> Samples:
    """Random samples below ``top``: any shift, swap or rounding shows."""
    values = np.random.default_rng(seed).integers(0, top, (height, width, samples))
    return values.astype(np.uint16 if top > 256 else np.uint8)


def chunk(kind: bytes, content: bytes, size: int | None = None) -> bytes:
    """A PNG chunk; ``size`` is what it claims instead of the truth."""
    claimed = len(content) if size is None else size
    return (
        struct.pack(">I", claimed) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    )


def png_header(
    width: int, height: int, depth: int = 8, colour: int = 6, interlace: int = 0
) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))


PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_END = chunk(b"IEND", b"")


def png(
    samples: Samples,
    colour: int = 6,
    depth: int = 8,
    *,
    interlace: bool = False,
    before: Iterable[bytes] = (),
    after: Iterable[bytes] = (),
    rows: bytes | None = None,
) -> bytes:
    """A PNG of (h, w, samples); every row has another filter. ``rows`` replaces the pixel data."""
    height, width = samples.shape[:2]
    passes = [samples[y::dy, x::dx] for x, y, dx, dy in ADAM7] if interlace else [samples]
    raw = b"".join(_filtered(part, depth) for part in passes if part.size) if rows is None else rows
    deflated = zlib.compress(raw)
    middle = len(deflated) // 2
    return b"".join(
        (
            PNG_SIGNATURE,
            png_header(width, height, depth, colour, int(interlace)),
            *before,
            chunk(b"IDAT", deflated[:middle]),
            chunk(b"IDAT", deflated[middle:]),
            *after,
            PNG_END,
        )
    )


def _filtered(samples: Samples, depth: int) -> bytes:
    """The rows of one pass, filtered by None, Sub, Up, Average and Paeth in turn."""
    rows = packed(samples, depth).astype(np.int16)
    step = max(1, samples.shape[2] * depth // 8)
    above = np.zeros_like(rows[0])
    out = []
    for number, row in enumerate(rows):
        left = np.concatenate([np.zeros(step, np.int16), row])[: row.size]
        corner = np.concatenate([np.zeros(step, np.int16), above])[: row.size]
        guess = (0 * row, left, above, (left + above) // 2, _paeth(left, above, corner))[number % 5]
        out.append(bytes([number % 5]) + ((row - guess) % 256).astype(np.uint8).tobytes())
        above = row
    return b"".join(out)


def _paeth(left: Samples, above: Samples, corner: Samples) -> Samples:
    guess = left + above - corner
    a, b, c = abs(guess - left), abs(guess - above), abs(guess - corner)
    return np.where((a <= b) & (a <= c), left, np.where(b <= c, above, corner))


def packed(samples: Samples, depth: int, endian: str = ">") -> Samples:
    """Rows of samples as rows of bytes, the first sample in the highest bits."""
    rows = samples.reshape(samples.shape[0], -1)
    if depth == 16:
        return rows.astype(f"{endian}u2").view(np.uint8).reshape(len(rows), -1)
    bits = np.unpackbits(rows.astype(np.uint8)[:, :, None], axis=2)[:, :, 8 - depth :]
    return np.packbits(bits.reshape(len(rows), -1), axis=1)


def tiff(
    samples: Samples,
    photometric: int = 2,
    depth: int = 8,
    *,
    extra: Sequence[int] = (),
    endian: str = "<",
    planar: bool = False,
    deflate: bool = False,
    rows_per_strip: int = 4,
    tags: Fields | None = None,
    beside: bytes = b"",
    following: int = 0,
) -> bytes:
    """A TIFF of (h, w, samples). ``tags`` replace the usual ones or join them.

    ``beside`` is a further directory; ``following`` is a lie about where it stands.
    """
    height, width, count = samples.shape
    planes = [samples[:, :, [n]] for n in range(count)] if planar else [samples]
    strips = [
        packed(plane[row : row + rows_per_strip], depth, endian).tobytes()
        for plane in planes
        for row in range(0, height, rows_per_strip)
    ]
    if deflate:
        strips = [zlib.compress(strip) for strip in strips]
    sizes = [len(strip) for strip in strips]
    offsets = [8 + sum(sizes[:n]) for n in range(len(sizes))]
    fields: Fields = {
        256: (4, [width]),
        257: (4, [height]),
        258: (3, [depth] * count),
        259: (3, [8 if deflate else 1]),
        262: (3, [photometric]),
        273: (4, offsets),
        277: (3, [count]),
        278: (4, [rows_per_strip]),
        279: (4, sizes),
        284: (3, [2 if planar else 1]),
    }
    if extra:
        fields[338] = (3, list(extra))
    fields.update(tags or {})
    body = b"".join(strips)
    body += bytes(len(body) % 2)
    if beside:
        following = 8 + len(body)
    return tiff_file(body + beside, fields, endian, following)


def tiff_file(body: bytes, fields: Fields, endian: str = "<", following: int = 0) -> bytes:
    """A TIFF of one directory behind ``body``, which starts at byte 8."""
    body += bytes(len(body) % 2)
    start = b"II*\0" if endian == "<" else b"MM\0*"
    place = 8 + len(body)
    return (
        start
        + struct.pack(f"{endian}I", place)
        + body
        + directory(fields, endian, place, following)
    )


def directory(fields: Fields, endian: str = "<", place: int = 0, following: int = 0) -> bytes:
    """A TIFF directory that stands at ``place``, and the values that don't fit into it."""
    values = place + 2 + 12 * len(fields) + 4
    entries, tail = [], b""
    for tag, (kind, content) in sorted(fields.items()):
        letter = {1: "B", 3: "H", 4: "I", 7: "B"}[kind]
        raw = struct.pack(f"{endian}{len(content)}{letter}", *content)
        if len(raw) > 4:
            value = struct.pack(f"{endian}I", values + len(tail))
            tail += raw + bytes(len(raw) % 2)
        else:
            value = raw.ljust(4, b"\0")
        entries.append(struct.pack(f"{endian}HHI", tag, kind, len(content)) + value)
    count = struct.pack(f"{endian}H", len(entries))
    return count + b"".join(entries) + struct.pack(f"{endian}I", following) + tail


def exif(orientation: int, endian: str = ">") -> bytes:
    """An EXIF block, without the prefix that JPEG puts before it."""
    return tiff_file(b"", {0x0112: (3, [orientation])}, endian)


def jpeg_segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def jpeg_frame(width: int, height: int, marker: int = 0xC0, depth: int = 8) -> bytes:
    """The frame header of a gray JPEG."""
    return jpeg_segment(marker, struct.pack(">BHHB3B", depth, height, width, 1, 1, 0x11, 0))


def jpeg_skeleton(
    width: int,
    height: int,
    *segments: bytes,
    frame: bytes | None = None,
    scan: bytes = bytes(600),
) -> bytes:
    """A gray JPEG without tables: enough for a header walk, not for a decoder."""
    start = jpeg_segment(0xDA, b"\1\1\0\0\x3f\0")
    frame = jpeg_frame(width, height) if frame is None else frame
    return b"\xff\xd8" + frame + b"".join(segments) + start + scan + b"\xff\xd9"


def with_segment(jpeg: bytes, marker: int, content: bytes) -> bytes:
    """The JPEG with one more segment right after its start."""
    return jpeg[:2] + jpeg_segment(marker, content) + jpeg[2:]


def riff(*chunks: tuple[bytes, bytes], size: int | None = None) -> bytes:
    """A WebP file of the given chunks; ``size`` is what it claims instead of the truth."""
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
        for kind, content in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


def webp_lossless(width: int, height: int) -> bytes:
    """A WebP of 34 bytes that claims a size: enough for a header walk, not for a decoder."""
    bits = (width - 1) | (height - 1) << 14
    return riff((b"VP8L", struct.pack("<BI", 0x2F, bits) + bytes(9)))


def webp_chunks(webp: bytes) -> list[tuple[bytes, bytes]]:
    position, chunks = 12, []
    while position < len(webp):
        kind, size = struct.unpack_from("<4sI", webp, position)
        chunks.append((kind, webp[position + 8 : position + 8 + size]))
        position += 8 + size + size % 2
    return chunks


def bmp(
    samples: Samples,
    *,
    top_down: bool = False,
    masks: Sequence[int] = (),
    header: int = 40,
    palette: bytes = b"",
    depth: int | None = None,
) -> bytes:
    """A BMP of (h, w, samples) that are stored as given: blue, green, red (, alpha) or index."""
    height, width, count = samples.shape
    bits = depth or 8 * count
    rows = packed(samples, 8 if bits > 8 else bits)
    rows = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))
    pixels = (rows if top_down else rows[::-1]).tobytes()
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        signed = -height if top_down else height
        colours = len(palette) // 4
        info = struct.pack(
            "<IiiHHIIiiII", header, width, signed, 1, bits, 3 if masks else 0, 0, 0, 0, colours, 0
        )
        info += struct.pack(f"<{len(masks)}I", *masks)
        info = info.ljust(header, b"\0")
    offset = 14 + len(info) + len(palette)
    return (
        b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, offset) + info + palette + pixels
    )


def profile(space: bytes, *tags: tuple[bytes, bytes]) -> bytes:
    """An ICC profile, version 2, of the colour space ``space`` with the given tags."""
    common = ((b"desc", b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78)),)
    table, body = b"", b""
    start = 128 + 4 + 12 * (len(common) + len(tags))
    for kind, content in (*common, *tags):
        table += struct.pack(">4sII", kind, start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    size = start + len(body)
    head = struct.pack(
        ">I4sI4s4s4s",
        size,
        b"",
        0x02400000,
        b"prtr",
        space,
        b"XYZ " if space == b"GRAY" else b"Lab ",
    )
    head = head.ljust(36, b"\0") + b"acsp"
    head = head.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(common) + len(tags)) + table + body
