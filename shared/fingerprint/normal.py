"""The normal form: the one picture that all of a fingerprint derives from."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
import numpy.typing as npt

from shared.errors import RequestInvalid
from shared.fingerprint.kernel import SIDE
from shared.fingerprint.lanczos import shrink
from shared.imaging.pixels import OPAQUE, all_opaque
from shared.imaging.trim import box, trim
from shared.records import NormalForm

VISIBLE = 16
"""Alpha above which a pixel counts for the crop: a faint stray speck must not move it."""

_HEAD = struct.Struct(">BII?")
_FORMAT = 1
_MAX_PX = 2**31 - 1
"""Longest side that a database's integer column holds."""
_MAX_BYTES = _HEAD.size + SIDE * SIDE * 4
_MAX_TEXT = 400_000
"""Characters of a packed form: 256 KiB that don't compress at all, in base64, and some room."""


def normal_form(
    pixels: npt.NDArray[np.uint8], *, is_opaque: bool | None = None, threads: int | None = None
) -> NormalForm:
    """Crop the artwork to what is visible and shrink it to 256 x 256, premultiplied.

    ``pixels``: (h, w, 4) uint8 RGBA, straight alpha; only read. The crop keeps alpha above 16,
    or above 0 where nothing is that visible. Opaque means that the crop is. ``is_opaque``: whether
    all of ``pixels`` is, where that is known. ``threads``: at most so many; unset is the number of
    processors, up to 4.

    Raises FullyTransparent when nothing is visible at all.
    """
    is_whole = all_opaque(pixels) if is_opaque is None else is_opaque
    art = pixels if is_whole else _visible(pixels)
    is_opaque = is_whole or all_opaque(art)
    small = shrink(art, "RGB" if is_opaque else "RGBa", threads=threads)
    return NormalForm(
        pixels=_with_alpha(small) if is_opaque else small,
        width_px=art.shape[1],
        height_px=art.shape[0],
        is_opaque=is_opaque,
    )


def pack(form: NormalForm) -> str:
    """The normal form as text, for JSON between functions: base64 of a compressed picture."""
    planes = form.pixels[..., : _channels(form.is_opaque)]
    # Most pixels are like the one above: the differences of rows compress better than the rows.
    rows = np.diff(planes, axis=0, prepend=np.zeros_like(planes[:1]))
    head = _HEAD.pack(_FORMAT, form.width_px, form.height_px, form.is_opaque)
    return base64.b64encode(zlib.compress(head + rows.tobytes(), 1)).decode("ascii")


def unpack(text: str) -> NormalForm:
    """The normal form that `pack` wrote. Never inflates to more than a normal form holds.

    Raises RequestInvalid for anything that `pack` can't have written.
    """
    if len(text) > _MAX_TEXT:
        raise RequestInvalid(reason="the normal form is too long")
    try:
        data = _inflate(base64.b64decode(text, validate=True))
        version, width, height, is_opaque = _HEAD.unpack_from(data)
        rows = np.frombuffer(data, np.uint8, offset=_HEAD.size)
        rows = rows.reshape(SIDE, SIDE, _channels(is_opaque))
    except (ValueError, struct.error, zlib.error) as error:
        raise RequestInvalid(reason="the normal form is damaged") from error
    if version != _FORMAT or not 0 < width <= _MAX_PX or not 0 < height <= _MAX_PX:
        raise RequestInvalid(reason="the normal form has an unknown format or size")
    pixels = np.cumsum(rows, axis=0, dtype=np.uint8)
    return NormalForm(
        pixels=_with_alpha(pixels) if is_opaque else pixels,
        width_px=width,
        height_px=height,
        is_opaque=is_opaque,
    )


def _visible(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    found = box(pixels, VISIBLE)
    if found is None:
        return trim(pixels)
    x, y, width, height = found
    return pixels[y : y + height, x : x + width]


def _inflate(data: bytes) -> bytes:
    stream = zlib.decompressobj()
    # One byte more than is allowed, so that a stream of just the right length reaches its end.
    whole = stream.decompress(data, _MAX_BYTES + 1)
    if not stream.eof or stream.unused_data:
        raise ValueError("the stream is cut short, too long or followed by something")
    return whole


def _channels(is_opaque: bool) -> int:
    """The channels that are packed: an opaque picture's alpha says nothing."""
    return 3 if is_opaque else 4


def _with_alpha(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    alpha = np.full((SIDE, SIDE, 1), OPAQUE, np.uint8)
    return np.concatenate((rgb, alpha), axis=2)
