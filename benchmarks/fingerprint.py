"""A whole fingerprint, ours against the plain way: Pillow's LANCZOS in one call, then imagehash.

    python -m benchmarks --only fingerprint

The plain way gives four hashes; ours gives them too, and the index hash, the signature and the
content hash. On opaque art the four are checked to be the same bits; *bordered* is opaque art in a
transparent border. Whether a picture is opaque is known to ours, as it is to whoever decoded it;
the plain way drops the alpha without a look. *Kept* is the plain way to what ours makes of art
with alpha: four channels, premultiplied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import imagehash
from PIL import Image

from benchmarks import artwork
from benchmarks.pairs import Row, paired
from shared.fingerprint.hashes import fingerprint
from shared.fingerprint.kernel import kernel
from shared.fingerprint.lanczos import shrink
from shared.fingerprint.normal import normal_form
from shared.imaging.pixels import Pixels

CLAIM = "Normal form and hashes"
WIDTH, HEIGHT = 3800, 1732
Shrink = Callable[[Pixels, str], Pixels]


def plain(pixels: Pixels) -> tuple[str, ...]:
    image = Image.fromarray(cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB))
    return hashes(image.resize((256, 256), Image.Resampling.LANCZOS))


def plain_kept(pixels: Pixels) -> tuple[str, ...]:
    return hashes(resized(pixels, "RGBa").getchannel(3))


def hashes(small: Image.Image) -> tuple[str, ...]:
    ways = (imagehash.phash, imagehash.average_hash, imagehash.dhash, imagehash.whash)
    return tuple(str(way(small, hash_size=16)) for way in ways)


def rows(quick: bool) -> Iterator[Row]:
    opaque, wrap = artwork.photo(0, WIDTH, HEIGHT), artwork.wrap(0, WIDTH, HEIGHT)
    found = fingerprint(normal_form(opaque))
    assert (found.phash, found.ahash, found.dhash, found.whash) == plain(opaque)
    kinds = [("opaque", opaque, "RGB"), ("bordered", wrap, "RGB")]
    kinds.append(("alpha", artwork.soft(0, WIDTH, HEIGHT), "RGBa"))
    for name, art, mode in kinds:
        yield _whole(name, art, None, quick)
        if not quick:
            if mode == "RGBa":
                yield _whole(f"{name}, kept", art, None, quick, plain_kept)
            yield _whole(f"{name}, one thread", art, 1, quick)
            yield _shrunk(f"{name}, LANCZOS alone", art, mode, shrink, quick)
            yield _shrunk(f"{name}, LANCZOS alone, a new size", art, mode, cold, quick)


def _whole(
    name: str,
    art: Pixels,
    threads: int | None,
    quick: bool,
    other: Callable[[Pixels], object] = plain,
) -> Row:
    is_opaque = bool(art[..., 3].min() == 255)
    return paired(
        CLAIM,
        name,
        "Pillow and imagehash",
        lambda: other(art),
        lambda: fingerprint(normal_form(art, is_opaque=is_opaque, threads=threads)),
        quick=quick,
        floor=0.7 if quick else None,
    )


def _shrunk(name: str, art: Pixels, mode: str, ours: Shrink, quick: bool) -> Row:
    return paired(
        CLAIM, name, "Pillow", lambda: resized(art, mode), lambda: ours(art, mode), quick=quick
    )


def resized(pixels: Pixels, mode: str) -> Image.Image:
    image = Image.fromarray(pixels).convert(mode)
    return image.resize((256, 256), Image.Resampling.LANCZOS)


def cold(pixels: Pixels, mode: str) -> Pixels:
    """With the weights computed anew, as for the first picture of a size."""
    kernel.cache_clear()
    return shrink(pixels, mode)
