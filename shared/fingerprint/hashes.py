"""The hashes of a normal form, and the whole fingerprint made of them."""

from __future__ import annotations

import hashlib

import imagehash
import numpy as np
import numpy.typing as npt
from PIL import Image

from shared.fingerprint.bias import ALPHA_STRENGTH, INDEX_STRENGTH, biased
from shared.fingerprint.lanczos import shrink
from shared.fingerprint.signature import signature
from shared.imaging.trim import trim
from shared.records import Fingerprint, NormalForm

HASH_SIZE = 16
"""Bits of each side of a hash."""

TELLING_BITS = 17
"""Bits that a phash sets at least if it tells pictures apart; no phash sets more than half.

A picture that is flat, or changes along one axis only, has its DCT coefficients in one row or
column of 16. With the alpha dropped, all art in black ink is such a picture.
"""

_COVER = ((np.arange(256) * 128 + 127) // 255).astype(np.uint8)
"""Half of each alpha, 0 to 128."""


def fingerprint(form: NormalForm) -> Fingerprint:
    """The fingerprint of version 2.

    Opaque art: imagehash's four hashes of the picture itself, bit for bit what the workflow
    computes; the index hash is the phash of the picture biased by 2. Art with alpha: the four
    hashes of the alpha-luma picture biased by 6, and the index hash is its phash.
    """
    luma = _luma(form)
    picture = luma if form.is_opaque else biased(luma, ALPHA_STRENGTH)
    phash, ahash, dhash, whash = _four(picture)
    return Fingerprint(
        phash=phash,
        ahash=ahash,
        dhash=dhash,
        whash=whash,
        index_hash=_phash(biased(luma, INDEX_STRENGTH)) if form.is_opaque else phash,
        signature=signature(form),
        content_sha256=_content(form),
        is_opaque=form.is_opaque,
        width_px=form.width_px,
        height_px=form.height_px,
    )


def legacy_phash(pixels: npt.NDArray[np.uint8]) -> str | None:
    """The phash that the workflow's own lines give the cropped upload: its alpha is dropped.

    ``pixels``: (h, w, 4) uint8 RGBA, straight alpha; cropped at alpha above 0, as the workflow
    does. None where the hash tells nothing (`telling`). Raises FullyTransparent.
    """
    value = _phash(np.asarray(Image.fromarray(shrink(trim(pixels), "RGB")).convert("L")))
    return value if telling(value) else None


def telling(phash: str) -> bool:
    """Whether a phash can tell pictures apart: it is not nearly all zeros."""
    return int(phash, 16).bit_count() >= TELLING_BITS


def _luma(form: NormalForm) -> npt.NDArray[np.uint8]:
    colours = form.pixels[..., :3]
    if not form.is_opaque:
        # Alpha * (128 + colour / 2): black ink differs from nothing, and white ink from black.
        # The halves are 128 and 127 at most, so their sum fits in 8 bits.
        colours = _COVER[form.pixels[..., 3:]] + (colours >> 1)
    return np.asarray(Image.fromarray(colours).convert("L"))


def _four(picture: npt.NDArray[np.uint8]) -> tuple[str, str, str, str]:
    image = Image.fromarray(picture)
    return (
        str(imagehash.phash(image, hash_size=HASH_SIZE)),
        str(imagehash.average_hash(image, hash_size=HASH_SIZE)),
        str(imagehash.dhash(image, hash_size=HASH_SIZE)),
        str(imagehash.whash(image, hash_size=HASH_SIZE)),
    )


def _phash(picture: npt.NDArray[np.uint8]) -> str:
    return str(imagehash.phash(Image.fromarray(picture), hash_size=HASH_SIZE))


def _content(form: NormalForm) -> str:
    kind = "opaque" if form.is_opaque else "alpha"
    head = f"{form.width_px}x{form.height_px}:{kind}:".encode()
    return hashlib.sha256(head + form.pixels.tobytes()).hexdigest()
