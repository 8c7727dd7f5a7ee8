"""How many bits of an opaque picture's hashes are noise.

    python -m benchmarks.noise

First what the order of a resize's two passes changes, then what plain copies do to the phash and
to the index hash. The pictures are drawn, SEEDS of each kind.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import imagehash
import numpy as np
from PIL import Image, ImageDraw

from shared.fingerprint.hashes import fingerprint
from shared.fingerprint.normal import normal_form
from shared.records import Distances

SEEDS = 40
THRESHOLD = 5
SIDE = 256


def discs(seed: int, width: int, height: int) -> Image.Image:
    """Busy art: discs on shades."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = [100 * np.sin(x / a) * np.cos(y / b) for a, b in rng.uniform(40, 200, (3, 2))]
    image = Image.fromarray(np.clip(128 + np.stack(waves, axis=2), 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(30):
        colour = tuple(int(level) for level in rng.integers(0, 256, 3))
        center = (int(rng.integers(width)), int(rng.integers(height)))
        draw.circle(center, int(rng.integers(10, 120)), colour)
    return image


def frame(seed: int, width: int, height: int) -> Image.Image:
    """Flat art: one rectangle on a ground."""
    image = Image.new("RGB", (width, height), "white")
    edge = 20 + 3 * seed
    ImageDraw.Draw(image).rectangle((edge, edge, width - edge, height - edge), "navy")
    return image


def checks(seed: int, width: int, height: int) -> Image.Image:
    """Flat art that repeats."""
    image = Image.new("RGB", (width, height), "white")
    draw, step = ImageDraw.Draw(image), 20 + seed
    for top in range(0, height, step):
        for left in range(top // step % 2 * step, width, 2 * step):
            draw.rectangle((left, top, left + step - 1, top + step - 1), "maroon")
    return image


Drawing = Callable[[int, int, int], Image.Image]
KINDS: tuple[Drawing, ...] = (discs, frame, checks)


def jpeg(image: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=75)
    return Image.open(buffer)


def half(image: Image.Image) -> Image.Image:
    return image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC)


def run() -> None:
    print("Bits of the phash that differ when the width is resized first and not as Pillow 13 does")
    print(f"{'':8}{'size':>12}{'pictures':>10}{'differ':>8}{f'over {THRESHOLD}':>8}{'most':>6}")
    for draw in KINDS:
        for width, height in ((900, 1400), (700, 2000), (300, 1200)):
            bits = [_by_order(draw(seed, width, height)) for seed in range(SEEDS)]
            over = sum(count > THRESHOLD for count in bits)
            print(
                f"{draw.__name__:8}{f'{width} x {height}':>12}{SEEDS:>10}"
                f"{sum(map(bool, bits)):>8}{over:>8}{max(bits):>6}"
            )
    print(f"Copies of {SEEDS} pictures of 1200 x 900 px that are within {THRESHOLD} bits")
    print(f"{'':8}{'copy':>6}{'phash':>8}{'index':>8}{'lesser':>8}")
    for draw in KINDS:
        for copy in (jpeg, half):
            found = [_distances(draw(seed, 1200, 900), copy) for seed in range(SEEDS)]
            near = [
                sum(of(distances) <= THRESHOLD for distances in found)
                for of in (_phash, _index, lambda d: min(_phash(d), _index(d)))
            ]
            print(f"{draw.__name__:8}{copy.__name__:>6}" + "".join(f"{n:>8}" for n in near))


def _by_order(image: Image.Image) -> int:
    lanczos = Image.Resampling.LANCZOS
    width_first = image.resize((SIDE, image.height), lanczos).resize((SIDE, SIDE), lanczos)
    as_it_comes = image.resize((SIDE, SIDE), lanczos)
    one, other = (imagehash.phash(small, 16) for small in (width_first, as_it_comes))
    return int(one - other)


def _distances(image: Image.Image, copy: Callable[[Image.Image], Image.Image]) -> Distances:
    one, other = (
        fingerprint(normal_form(np.asarray(picture.convert("RGBA"))))
        for picture in (image, copy(image))
    )
    return one.distances(other)


def _phash(distances: Distances) -> int:
    return distances.phash


def _index(distances: Distances) -> int:
    assert distances.index is not None
    return distances.index


if __name__ == "__main__":
    run()
