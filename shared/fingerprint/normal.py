"""The normal form: the one picture that all of a fingerprint derives from."""

from __future__ import annotations

import base64
import binascii
import struct
import zlib

import numpy as np
import numpy.typing as npt

from shared.errors import FullyTransparent, RequestInvalid
from shared.fingerprint.lanczos import SIDE, shrink
from shared.imaging.trim import box
from shared.records import NormalForm

VISIBLE = 16
"""Alpha above which a pixel counts for the crop: a faint stray speck must not move it."""

OPAQUE = 255

_HEAD = struct.Struct(">BII?")
_FORMAT = 1
_MAX_PX = 2**31 - 1
_TEXT_LIMIT = 400_000
"""Characters of a packed form: 256 KB that do not compress at all, in base64, and some room."""


def normal_form(pixels: npt.NDArray[np.uint8]) -> NormalForm:
    """Crop the artwork to what is visible and shrink it to 256 x 256, premultiplied.

    ``pixels``: (h, w, 4) uint8 RGBA, straight alpha; only read. The crop keeps alpha above 16,
    or above 0 where nothing is that visible. Opaque means that the crop is.

    Raises FullyTransparent when nothing is visible at all.
    """
    art = crop(pixels, VISIBLE)
    if art is None:
        art = crop(pixels, 0)
    if art is None:
        raise FullyTransparent
    is_opaque = bool(art[..., 3].min() == OPAQUE)
    small = np.asarray(shrink(art, "RGB" if is_opaque else "RGBa"))
    if is_opaque:
        small = _with_alpha(small)
    return NormalForm(
        pixels=small, width_px=art.shape[1], height_px=art.shape[0], is_opaque=is_opaque
    )


def crop(pixels: npt.NDArray[np.uint8], above: int) -> npt.NDArray[np.uint8] | None:
    """The bounding box of alpha greater than ``above`` as a view; None where there is none."""
    found = box(pixels, above)
    if found is None:
        return None
    x, y, width, height = found
    return pixels[y : y + height, x : x + width]


def pack(form: NormalForm) -> str:
    """The normal form as text, for JSON between functions: base64 of a compressed picture."""
    planes = form.pixels[..., : 3 if form.is_opaque else 4]
    # Differences between rows compress far better than the rows themselves.
    rows = np.diff(planes, axis=0, prepend=np.zeros_like(planes[:1]))
    head = _HEAD.pack(_FORMAT, form.width_px, form.height_px, form.is_opaque)
    return base64.b64encode(head + zlib.compress(rows.tobytes(), 1)).decode("ascii")


def unpack(text: str) -> NormalForm:
    """The normal form that `pack` wrote. Never inflates to more than a normal form holds.

    Raises RequestInvalid for anything that `pack` can't have written.
    """
    if len(text) > _TEXT_LIMIT:
        raise RequestInvalid(reason="the normal form is too long")
    try:
        data = base64.b64decode(text, validate=True)
        version, width, height, is_opaque = _HEAD.unpack_from(data)
        planes = _inflate(data[_HEAD.size :], 3 if is_opaque else 4)
    except (ValueError, binascii.Error, struct.error, zlib.error) as error:
        raise RequestInvalid(reason="the normal form is damaged") from error
    if version != _FORMAT or not (0 < width <= _MAX_PX and 0 < height <= _MAX_PX):
        raise RequestInvalid(reason="the normal form has an unknown format or size")
    pixels = np.cumsum(planes, axis=0, dtype=np.uint8)
    return NormalForm(
        pixels=_with_alpha(pixels) if is_opaque else pixels,
        width_px=width,
        height_px=height,
        is_opaque=is_opaque,
    )


def _inflate(data: bytes, channels: int) -> npt.NDArray[np.uint8]:
    size = SIDE * SIDE * channels
    stream = zlib.decompressobj()
    raw = stream.decompress(data, size + 1)
    if len(raw) != size or not stream.eof or stream.unused_data:
        raise ValueError("not one picture of 256 x 256")
    return np.frombuffer(raw, np.uint8).reshape(SIDE, SIDE, channels)


def _with_alpha(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    alpha = np.full((*rgb.shape[:2], 1), OPAQUE, np.uint8)
    return np.concatenate((rgb, alpha), axis=2)
