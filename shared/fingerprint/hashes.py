"""The hashes of a normal form, and the whole fingerprint made of them."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
from PIL import Image

from shared.errors import FullyTransparent
from shared.fingerprint.bias import ALPHA_STRENGTH, INDEX_STRENGTH, biased
from shared.fingerprint.lanczos import shrink
from shared.fingerprint.normal import crop
from shared.fingerprint.signature import signature
from shared.records import HASH_BITS, Fingerprint, NormalForm

HASH_SIZE = 16
"""Bits of each side of a hash."""

TELLING_BITS = 16
"""A phash with no more bits than this set (or unset) tells next to nothing.

A picture that is flat, or changes along one axis only, has its DCT coefficients in one row or
column of 16. With the alpha dropped, all art in black ink is such a picture.
"""


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
    art = crop(pixels, 0)
    if art is None:
        raise FullyTransparent
    value = _phash(np.asarray(shrink(art, "RGB").convert("L")))
    return value if telling(value) else None


def telling(phash: str) -> bool:
    """Whether a phash can tell pictures apart: not nearly all of its bits are equal."""
    bits = int(phash, 16).bit_count()
    return TELLING_BITS < bits < HASH_BITS - TELLING_BITS


def _luma(form: NormalForm) -> npt.NDArray[np.uint8]:
    colours = form.pixels[..., :3]
    if not form.is_opaque:
        # Alpha * (128 + colour / 2): black ink differs from nothing, and white ink from black.
        cover = (form.pixels[..., 3:].astype(np.uint16) * 128 + 127) // 255
        colours = np.minimum(cover + colours // 2, 255).astype(np.uint8)
    return np.asarray(Image.fromarray(colours).convert("L"))


def _four(picture: npt.NDArray[np.uint8]) -> tuple[str, str, str, str]:
    import imagehash  # brings SciPy: not every function that loads this module hashes

    image = Image.fromarray(picture)
    return (
        str(imagehash.phash(image, hash_size=HASH_SIZE)),
        str(imagehash.average_hash(image, hash_size=HASH_SIZE)),
        str(imagehash.dhash(image, hash_size=HASH_SIZE)),
        str(imagehash.whash(image, hash_size=HASH_SIZE)),
    )


def _phash(picture: npt.NDArray[np.uint8]) -> str:
    import imagehash  # see above

    return str(imagehash.phash(Image.fromarray(picture), hash_size=HASH_SIZE))


def _content(form: NormalForm) -> str:
    kind = "opaque" if form.is_opaque else "alpha"
    head = f"{form.width_px}x{form.height_px}:{kind}:".encode()
    return hashlib.sha256(head + form.pixels.tobytes()).hexdigest()
