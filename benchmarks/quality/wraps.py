"""Wraps: opaque pictures that go around a cup, of patterns, of scattered emoji, with a name."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from benchmarks.quality import artwork, fonts, icons, packages
from benchmarks.quality.drawing import Drawing, Pixels, chance
from benchmarks.quality.patterns import PATTERNS

NAMES = (
    "Emma", "Anna", "Lucy", "Jack", "Ruby", "Ella", "Owen", "Leah", "Joan", "Cora", "Nora", "Ivan",
    "Otto", "Finn", "Rosa", "Theo", "Jude", "Maya", "Hugo", "Iris", "Vera", "Dean", "Faye", "Neil",
)  # fmt: skip
_SHAPE = 1732 / 3800
"""Height by width of a cup wrap, 9.5 x 4.33 in."""
_EMOJI = 40
"""Different emoji that wraps are strewn with, a handful each."""


@dataclass(frozen=True)
class Wrap(Drawing):
    """A wrap. ``kind``: a pattern's name or ``emoji``; ``hue``: turned by so many degrees."""

    kind: str
    seed: int
    name: str = ""
    hue: int = 0
    width: int = 760

    def draw(self) -> Pixels:
        random = chance("wrap", self.kind, self.seed)
        size = (self.width, round(self.width * _SHAPE))
        draw = PATTERNS.get(self.kind, _strewn)
        rgb = draw(random, size)
        if self.name:
            rgb = _named(rgb, self.name, chance("name", self.kind, self.seed))
        return np.asarray(cv2.cvtColor(_turned(rgb, self.hue), cv2.COLOR_RGB2RGBA))


def patterned(count: int) -> list[Wrap]:
    kinds = list(PATTERNS)
    return [Wrap(kinds[seed % len(kinds)], seed) for seed in range(count)]


def emoji(count: int) -> list[Wrap]:
    return [Wrap("emoji", seed) for seed in range(count)]


def named(count: int) -> list[tuple[Wrap, Wrap]]:
    """Pairs of the same wrap with another name on it."""
    random = chance("named wraps")
    pairs = []
    for seed in range(count):
        kind = str(random.choice([*PATTERNS, "emoji"]))
        one, other = random.choice(NAMES, 2, replace=False)
        wrap = Wrap(kind, 10_000 + seed, name=str(one))
        pairs.append((wrap, replace(wrap, name=str(other))))
    return pairs


def recoloured(wrap: Wrap) -> Wrap:
    """The same wrap with its hues turned: a colourway."""
    return replace(wrap, hue=int(chance("hue", wrap).integers(60, 301)))


def _turned(rgb: npt.NDArray[np.uint8], hue: int) -> npt.NDArray[np.uint8]:
    if not hue:
        return rgb
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(np.int32) + hue // 2) % 180
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))


def _strewn(random: np.random.Generator, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """A plain or shaded ground with a few emoji strewn over it, some overlapping the edge."""
    top, bottom = random.integers(60, 256, 3), random.integers(60, 256, 3)
    shade = np.linspace(0, 1, size[1])[:, None, None] * (random.random() < 0.5)
    ground = np.broadcast_to(top + (bottom - top) * shade, (size[1], size[0], 3)).astype(np.uint8)
    picture = Image.fromarray(ground).convert("RGBA")
    everything = icons.names("twemoji")
    stock = [str(name) for name in chance("stock").choice(everything, _EMOJI, replace=False)]
    chosen = random.choice(stock, int(random.integers(1, 5)), replace=False)
    side = int(size[0] * random.uniform(0.07, 0.16))
    for y in range(-side // 2, size[1], int(side * 1.3)):
        for x in range(-side // 2, size[0], int(side * 1.3)):
            stamp = _stamp(str(random.choice(chosen)), side, int(random.integers(-40, 41)))
            at = random.integers(-side // 5, side // 5 + 1, 2)
            picture.paste(stamp, (x + int(at[0]), y + int(at[1])), stamp)
    return np.asarray(picture.convert("RGB"))


def _stamp(name: str, side: int, angle: int) -> Image.Image:
    art = Image.fromarray(artwork.load(icons.Icon("twemoji", name)))
    small = art.resize(
        (side, max(1, round(side * art.height / art.width))), Image.Resampling.LANCZOS
    )
    return small.rotate(angle, Image.Resampling.BICUBIC, expand=True)


def _named(
    rgb: npt.NDArray[np.uint8], name: str, random: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """With a name across it: as large as a fifth to two fifths of the width, outlined or not."""
    picture = Image.fromarray(rgb)
    face = str(random.choice(fonts.TUNED))
    file = packages.path(f"@fontsource/{face}") / "files" / f"{face}-latin-400-normal.woff"
    font = ImageFont.truetype(str(file), int(picture.width * random.uniform(0.1, 0.2)))
    ink = tuple(
        int(value)
        for value in random.choice([random.integers(0, 90, 3), random.integers(190, 256, 3)])
    )
    outline = tuple(255 - value for value in ink)
    place = (picture.width * random.uniform(0.3, 0.7), picture.height * random.uniform(0.35, 0.65))
    stroke = int(random.choice([0, 3]))
    ImageDraw.Draw(picture).text(
        place, name, ink, font, anchor="mm", stroke_width=stroke, stroke_fill=outline
    )
    return np.asarray(picture)
