"""Every kind of PNG that the standard allows, in every size from 1 to 40: what PngSuite covers.

PngSuite itself is in no package that a test run could install, so its kinds are drawn: each colour
type, depth and interlace, with and without a transparent colour and a gamma, every filter, pixels
in many chunks and at every level of compression, all chunks beside them, and its damaged files.
"""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from imaging_files import PNG_END, PNG_SAMPLES, PNG_SIGNATURE, Samples, chunk, drawn, png
from PIL import Image

from shared.errors import CorruptImage, FileRefused
from shared.imaging.decode import decode
from shared.imaging.limits import Limits

LIMITS = Limits(max_bytes=1_000_000, max_pixels=1_000_000, max_side=1000)
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
KINDS = [(colour, depth) for colour, depths in DEPTHS.items() for depth in depths]
GAMMA = chunk(b"gAMA", struct.pack(">I", 45_455))


def meant(samples: Samples, colour: int, depth: int, palette: Samples, key: Samples) -> Samples:
    """The RGBA that the standard gives these samples, at 8 bits."""
    if colour == 3:
        return palette[samples[:, :, 0]]
    scaled = samples >> 8 if depth == 16 else samples.astype(int) * 255 // ((1 << depth) - 1)
    seen = np.full(samples.shape[:2], 255)
    if key.size:
        seen[(samples == key).all(axis=2)] = 0
    red = scaled[:, :, 0]
    green, blue = (scaled[:, :, 1], scaled[:, :, 2]) if colour in (2, 6) else (red, red)
    alpha = scaled[:, :, -1] if colour in (4, 6) else seen
    return np.dstack([red, green, blue, alpha]).astype(np.uint8)


def drawing(
    colour: int, depth: int, side: int, *, interlace: bool, see_through: bool
) -> tuple[bytes, Samples]:
    """A PNG and what it shows."""
    width = 41 - side
    samples = drawn(side, width, PNG_SAMPLES[colour], 1 << depth, seed=side)
    palette = drawn(1 << depth, 1, 4, seed=depth)[:, 0]
    key = np.array([], int)
    before = [GAMMA] if side % 2 else []
    if colour == 3:
        palette[:, 3] = palette[:, 3] if see_through else 255
        before.append(chunk(b"PLTE", palette[:, :3].tobytes()))
    if see_through and colour == 3:
        before.append(chunk(b"tRNS", palette[:, 3].tobytes()))
    elif see_through and colour in (0, 2):
        key = samples[-1, -1]
        before.append(chunk(b"tRNS", struct.pack(f">{key.size}H", *key)))
    data = png(samples, colour, depth, interlace=interlace, before=before)
    return data, meant(samples, colour, depth, palette, key)


@pytest.mark.parametrize("see_through", [False, True], ids=["plain", "tRNS"])
@pytest.mark.parametrize("interlace", [False, True], ids=["rows", "Adam7"])
@pytest.mark.parametrize(("colour", "depth"), KINDS)
def test_every_kind_and_size_of_png_is_read_as_the_standard_means_it(
    colour: int, depth: int, interlace: bool, see_through: bool
) -> None:
    for side in range(1, 41):
        data, expected = drawing(colour, depth, side, interlace=interlace, see_through=see_through)
        assert np.array_equal(decode(data, LIMITS).pixels, expected), side


@pytest.mark.parametrize("interlace", [False, True], ids=["rows", "Adam7"])
@pytest.mark.parametrize(("colour", "depth"), [kind for kind in KINDS if kind[1] == 8])
def test_pillow_reads_the_drawn_kinds_the_same_way(
    colour: int, depth: int, interlace: bool
) -> None:
    for side in (1, 2, 9, 32, 40):
        data, expected = drawing(colour, depth, side, interlace=interlace, see_through=True)
        read = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))
        assert np.array_equal(read, expected), side


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, position = [], 8
    while position < len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        found.append((kind, data[position + 8 : position + 8 + size]))
        position += 12 + size
    return found


def joined(parts: list[tuple[bytes, bytes]]) -> bytes:
    return PNG_SIGNATURE + b"".join(chunk(kind, content) for kind, content in parts)


def deflated(data: bytes) -> bytes:
    return b"".join(content for kind, content in chunks(data) if kind == b"IDAT")


def with_pixels(data: bytes, pixels: bytes, size: int) -> bytes:
    """The PNG with its deflated pixels replaced, in chunks of ``size`` bytes."""
    parts = [part for part in chunks(data) if part[0] not in (b"IDAT", b"IEND")]
    parts += [(b"IDAT", pixels[start : start + size]) for start in range(0, len(pixels), size)]
    return joined([*parts, (b"IEND", b"")])


@pytest.mark.parametrize(("colour", "depth"), KINDS)
def test_pixels_in_chunks_of_any_size_and_at_any_level_are_the_same(
    colour: int, depth: int
) -> None:
    data, expected = drawing(colour, depth, 21, interlace=False, see_through=True)
    coded = deflated(data)
    for size in (1, 2, 7, 8192):
        assert np.array_equal(decode(with_pixels(data, coded, size), LIMITS).pixels, expected)
    for level in range(10):
        again = with_pixels(data, zlib.compress(zlib.decompress(coded), level), 8192)
        assert np.array_equal(decode(again, LIMITS).pixels, expected)


def beside(colour: int, depth: int) -> list[bytes]:
    """Each chunk that PngSuite puts beside the pixels of a colour type."""
    samples = {0: 1, 2: 3, 3: 1, 4: 1, 6: 3}[colour]
    significant = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}[colour]
    ground = bytes([0]) if colour == 3 else b"\0\1" * samples
    first = [
        chunk(b"gAMA", struct.pack(">I", 250_000)),
        chunk(b"cHRM", struct.pack(">8I", *range(31_270, 31_278))),
        chunk(b"sBIT", bytes([1 if depth < 4 else 3]) * significant),
        chunk(b"sPLT", b"six\0\x08" + bytes(range(6))),
    ]
    later = [
        chunk(b"bKGD", ground),
        chunk(b"pHYs", struct.pack(">IIB", 1, 4, 0)),
        chunk(b"tIME", struct.pack(">H5B", 2000, 1, 1, 12, 34, 56)),
        chunk(b"tEXt", b"Title\0PNG"),
        chunk(b"zTXt", b"Title\0\0" + zlib.compress(b"PNG")),
        chunk(b"iTXt", b"Title\0\0\0fi\0\0PNG"),
    ]
    histogram = [chunk(b"hIST", b"\0\1" * (1 << depth))] if colour == 3 else []
    return [*first, b"colours", *histogram, *later]


@pytest.mark.parametrize("interlace", [False, True], ids=["rows", "Adam7"])
@pytest.mark.parametrize(("colour", "depth"), KINDS)
def test_chunks_beside_the_pixels_change_none_of_them(
    colour: int, depth: int, interlace: bool
) -> None:
    data, expected = drawing(colour, depth, 32, interlace=interlace, see_through=True)
    own: dict[bytes, list[bytes]] = {b"PLTE": [], b"tRNS": []}
    for kind, content in chunks(data):
        if kind in own:
            own[kind].append(chunk(kind, content))
    parts: list[bytes] = []
    for part in beside(colour, depth):
        parts += [*own[b"PLTE"], *own[b"tRNS"]] if part == b"colours" else [part]
    head = chunk(*chunks(data)[0])
    file = PNG_SIGNATURE + head + b"".join(parts) + chunk(b"IDAT", deflated(data)) + PNG_END
    assert np.array_equal(decode(file, LIMITS).pixels, expected)


WHOLE = png(drawn(32, 32, 3), 2)
DAMAGED = {
    "xs1: first byte of the signature": b"\x09" + WHOLE[1:],
    "xs2: second byte of the signature": WHOLE[:1] + b"p" + WHOLE[2:],
    "xs4: fourth byte of the signature": WHOLE[:3] + b"g" + WHOLE[4:],
    "xs7: seventh byte of the signature": WHOLE[:6] + b"\x1b" + WHOLE[7:],
    "xcr: carriage returns added": WHOLE.replace(b"\n", b"\r\n"),
    "xlf: line feeds added": WHOLE.replace(b"\r\n", b"\n"),
    "xhd: check sum of the header": WHOLE[:29] + b"\0\0\0\0" + WHOLE[33:],
    "xc1: colour type 1": joined([(b"IHDR", struct.pack(">II5B", 32, 32, 8, 1, 0, 0, 0))]),
    "xc9: colour type 9": joined([(b"IHDR", struct.pack(">II5B", 32, 32, 8, 9, 0, 0, 0))]),
    "xd0: depth 0": joined([(b"IHDR", struct.pack(">II5B", 32, 32, 0, 2, 0, 0, 0))]),
    "xd3: depth 3": joined([(b"IHDR", struct.pack(">II5B", 32, 32, 3, 2, 0, 0, 0))]),
    "xd9: depth 99": joined([(b"IHDR", struct.pack(">II5B", 32, 32, 99, 2, 0, 0, 0))]),
    "xcs: check sum of the pixels": WHOLE[: WHOLE.rindex(b"IEND") - 8] + bytes(4) + PNG_END,
    "xdt: no pixels": joined([part for part in chunks(WHOLE) if part[0] != b"IDAT"]),
}
"""By PngSuite's names."""


@pytest.mark.parametrize("what", DAMAGED)
def test_a_damaged_png_is_refused(what: str) -> None:
    assert decode(WHOLE, LIMITS).pixels.shape == (32, 32, 4)
    with pytest.raises(FileRefused) as refused:
        decode(DAMAGED[what], LIMITS)
    assert what.startswith("xs") or what[:3] in ("xcr", "xlf") or refused.type is CorruptImage
