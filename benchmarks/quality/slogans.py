"""Slogans: lines of text in many fonts and styles, as most of a print shop's designs are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFilter, ImageFont

from benchmarks.quality import fonts, packages, words
from benchmarks.quality.drawing import Drawing, Pixels, chance
from benchmarks.quality.words import Saying

INKS = (
    "#000000", "#ffffff", "#c8102e", "#1d428a", "#007a33", "#ffb81c", "#6f2da8", "#ff6f91",
    "#00a3ad", "#7a4a2b", "#f26b21", "#8a8d8f", "#f5e6c8", "#3c1053",
)  # fmt: skip
STYLES = ("plain", "plain", "outlined", "shadow", "badge", "hollow", "arched")
CONTRAST = 70
"""Levels of luma, of 255, between the two inks of a slogan at least."""
_SIZE = 200
"""Font size that text is laid out at, in pixels, before it is brought to its width."""


@dataclass(frozen=True)
class Slogan(Drawing):
    """Lines of text, ``width`` pixels wide. ``inks``: of the letters, of what surrounds them."""

    lines: tuple[str, ...]
    font: str
    style: str
    inks: tuple[str, str]
    width: int = 500

    def draw(self) -> Pixels:
        letters = _letters(self.lines, _font(self.font), hollow=self.style == "hollow")
        art = _styled(letters, self.style, self.inks)
        box = art.getchannel("A").getbbox()
        art = art.crop(box)
        size = (self.width, max(1, round(art.height * self.width / art.width)))
        small = art.convert("RGBa").resize(size, Image.Resampling.LANCZOS)
        return np.asarray(small.convert("RGBA"))


@dataclass(frozen=True)
class Changed:
    """A slogan, and the same one with one word, name or character changed."""

    slogan: Slogan
    other: Slogan


def tuned(count: int, changed: int) -> tuple[list[Slogan], list[Changed]]:
    """Slogans in the fonts and words that rules were tuned on, and ``changed`` pairs of them."""
    return _slogans(words.TUNED, fonts.TUNED, count, changed)


def held_out(count: int, changed: int) -> tuple[list[Slogan], list[Changed]]:
    """Slogans in other fonts and words."""
    return _slogans(words.HELD_OUT, fonts.HELD_OUT, count, changed)


def recoloured(slogan: Slogan) -> Slogan:
    """The same slogan in other ink: a colourway."""
    random = chance("colourway", slogan)
    others = [ink for ink in INKS if ink not in slogan.inks]
    ink = str(random.choice(others))
    around = [other for other in _readable(ink) if other not in slogan.inks]
    return replace(slogan, inks=(ink, str(random.choice(around))))


def _slogans(
    sayings: Sequence[Saying], faces: Sequence[str], count: int, changed: int
) -> tuple[list[Slogan], list[Changed]]:
    random = chance("slogans", faces)
    made: dict[Slogan, Changed] = {}
    while len(made) < count:
        saying = sayings[random.integers(len(sayings))]
        word, other = random.choice(saying.words, 2, replace=False)
        # Half of what shops sell is black or white: it goes with every shirt.
        colour = str(random.choice(INKS))
        ink = str(random.choice([colour, "#000000", "#ffffff"], p=[0.5, 0.3, 0.2]))
        slogan = Slogan(
            lines=_filled(saying, word),
            font=str(random.choice(faces)),
            style=str(random.choice(STYLES)),
            inks=(ink, str(random.choice(_readable(ink)))),
        )
        made[slogan] = Changed(slogan, replace(slogan, lines=_filled(saying, other)))
    return list(made), list(made.values())[:changed]


def _readable(ink: str) -> list[str]:
    """The inks that stand off from an ink: letters must be read on them."""
    return [other for other in INKS if abs(_luma(other) - _luma(ink)) >= CONTRAST]


def _luma(ink: str) -> float:
    red, green, blue = ImageColor.getrgb(ink)[:3]
    return 0.299 * red + 0.587 * green + 0.114 * blue


def _filled(saying: Saying, word: str) -> tuple[str, ...]:
    return tuple(line.format(word) for line in saying.lines)


@lru_cache(maxsize=64)
def _font(name: str) -> ImageFont.FreeTypeFont:
    folder = packages.path(f"@fontsource/{name}") / "files"
    return ImageFont.truetype(str(folder / f"{name}-latin-400-normal.woff"), _SIZE)


def _letters(lines: tuple[str, ...], font: ImageFont.FreeTypeFont, *, hollow: bool) -> Image.Image:
    """The text as coverage, mode L, each line below the last and in the middle, with a margin."""
    stroke = 5 if hollow else 0
    boxes = [font.getbbox(line, stroke_width=stroke) for line in lines]
    width = int(max(box[2] - box[0] for box in boxes))
    step = int(_SIZE * 1.2)
    picture = Image.new("L", (width + 160, step * len(lines) + 240), 0)
    for row, (line, box) in enumerate(zip(lines, boxes, strict=True)):
        place = (80 + (width - (box[2] - box[0])) / 2 - box[0], 60 + row * step)
        if hollow:
            layer = Image.new("L", picture.size, 0)
            ImageDraw.Draw(layer).text(place, line, 255, font, stroke_width=stroke)
            ImageDraw.Draw(layer).text(place, line, 0, font)
            picture = ImageChops.lighter(picture, layer)
        else:
            ImageDraw.Draw(picture).text(place, line, 255, font)
    return picture


def _styled(letters: Image.Image, style: str, inks: tuple[str, str]) -> Image.Image:
    ink, around = inks
    art = Image.new("RGBA", letters.size, (0, 0, 0, 0))
    if style == "outlined":
        art = _inked(letters.filter(ImageFilter.MaxFilter(17)), around)
    elif style == "shadow":
        art = _inked(ImageChops.offset(letters, 12, 12), around)
    elif style == "badge":
        ImageDraw.Draw(art).rounded_rectangle((0, 0, art.width - 1, art.height - 1), 90, around)
    elif style == "arched":
        ImageDraw.Draw(art).arc((10, 10, art.width - 10, art.height * 2), 180, 360, ink, 14)
    art.alpha_composite(_inked(letters, ink))
    return art


def _inked(coverage: Image.Image, ink: str) -> Image.Image:
    solid = Image.new("RGBA", coverage.size, ink)
    solid.putalpha(coverage)
    return solid
