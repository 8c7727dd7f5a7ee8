"""A whole fingerprint, ours against the plain way: Pillow's LANCZOS in one call, then imagehash.

    python -m benchmarks.fingerprint

The plain way gives four hashes; ours gives them too, and the index hash, the signature and the
content hash. On opaque art the four are checked to be the same bits.
"""

from __future__ import annotations

import cv2
import imagehash
from PIL import Image

from benchmarks import artwork
from benchmarks.pairs import head, machine, row
from shared.fingerprint.hashes import fingerprint
from shared.fingerprint.kernel import kernel
from shared.fingerprint.lanczos import shrink
from shared.fingerprint.normal import normal_form
from shared.imaging.pixels import Pixels

WIDTH, HEIGHT = 3800, 1732


def plain(pixels: Pixels) -> tuple[str, ...]:
    image = Image.fromarray(cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB))
    small = image.resize((256, 256), Image.Resampling.LANCZOS)
    ways = (imagehash.phash, imagehash.average_hash, imagehash.dhash, imagehash.whash)
    return tuple(str(way(small, hash_size=16)) for way in ways)


def resized(pixels: Pixels, mode: str) -> Image.Image:
    image = Image.fromarray(pixels).convert(mode)
    return image.resize((256, 256), Image.Resampling.LANCZOS)


def cold(pixels: Pixels, mode: str) -> Pixels:
    """With the weights computed anew, as for the first picture of a size."""
    kernel.cache_clear()
    return shrink(pixels, mode)


def run() -> None:
    print(f"{machine()}; {WIDTH} x {HEIGHT} px")
    print(head(""))
    opaque, alpha = artwork.photo(0, WIDTH, HEIGHT), artwork.wrap(0, WIDTH, HEIGHT)
    found = fingerprint(normal_form(opaque))
    assert (found.phash, found.ahash, found.dhash, found.whash) == plain(opaque)
    for name, art, mode in (("opaque", opaque, "RGB"), ("alpha", alpha, "RGBa")):
        for threads in (1, 2):
            print(
                row(
                    f"{name}, fingerprint, threads: {threads}",
                    lambda art=art: plain(art),
                    lambda art=art, threads=threads: fingerprint(normal_form(art, threads=threads)),
                )
            )
            print(
                row(
                    f"{name}, LANCZOS alone, threads: {threads}",
                    lambda art=art, mode=mode: resized(art, mode),
                    lambda art=art, mode=mode, threads=threads: shrink(art, mode, threads=threads),
                )
            )
        print(
            row(
                f"{name}, LANCZOS alone, a new size",
                lambda art=art, mode=mode: resized(art, mode),
                lambda art=art, mode=mode: cold(art, mode),
            )
        )


if __name__ == "__main__":
    run()
