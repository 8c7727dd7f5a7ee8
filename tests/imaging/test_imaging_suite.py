"""Every kind of PNG that the standard allows, in every size from 1 to 40: what PngSuite covers.

PngSuite itself is in no package that a test run could install, so its kinds are drawn: each colour
type, depth and interlace, with and without a transparent colour and a gamma, every filter.
"""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from imaging_files import PNG_SAMPLES, Samples, chunk, drawn, png
from PIL import Image

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
