"""A pen for small designs: everything is drawn three times as large, then made smooth."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from PIL import Image, ImageDraw, ImageFont

Colour = str
Point = tuple[float, float]

FINER = 3


class Pen:
    """Draws on a sheet that is transparent, or of one colour. Lengths are pixels of the result."""

    def __init__(self, width: int, height: int, ground: Colour | None = None) -> None:
        size = width * FINER, height * FINER
        # Ink of no alpha has black under it, as most programs write it.
        self._image = Image.new("RGBA", size, ground or (0, 0, 0, 0))
        self._draw = ImageDraw.Draw(self._image)

    def art(self) -> Image.Image:
        """What was drawn: RGBA with soft edges."""
        return self._image.reduce(FINER)

    def shape(self, points: Iterable[Point], fill: Colour) -> None:
        self._draw.polygon([(x * FINER, y * FINER) for x, y in points], fill)

    def oval(self, centre: Point, across: float, down: float, fill: Colour) -> None:
        """``across`` and ``down``: half the width and half the height."""
        turn = [step * math.tau / 120 for step in range(120)]
        x, y = centre
        self.shape([(x + across * math.cos(t), y + down * math.sin(t)) for t in turn], fill)

    def disc(self, centre: Point, radius: float, fill: Colour) -> None:
        self.oval(centre, radius, radius, fill)

    def leaf(self, base: Point, degrees: float, length: float, width: float, fill: Colour) -> None:
        """A pointed leaf, or a petal, that grows from its base: 0 degrees is up, 90 is right."""
        along = [step / 30 for step in range(31)]
        half = [width / 2 * math.sin(math.pi * at**0.8) for at in along]
        sides = [
            *((length * at, side) for at, side in zip(along, half, strict=True)),
            *((length * at, -side) for at, side in zip(along[::-1], half[::-1], strict=True)),
        ]
        sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
        x, y = base
        self.shape([(x + r * sine + s * cosine, y - r * cosine + s * sine) for r, s in sides], fill)

    def heart(self, centre: Point, size: float, fill: Colour) -> None:
        x, y = centre
        self.shape([(x + size / 34 * a, y - size / 34 * b) for a, b in _HEART], fill)

    def line(self, points: Sequence[Point], width: float, fill: Colour) -> None:
        """A line with round ends and corners."""
        scaled = [(x * FINER, y * FINER) for x, y in points]
        self._draw.line(scaled, fill, round(width * FINER), joint="curve")
        for end in (points[0], points[-1]):
            self.disc(end, width / 2, fill)

    def words(self, text: str, centre: Point, width: float, fill: Colour) -> None:
        """Bold words, as large as ``width`` allows."""
        trial = ImageFont.load_default(100)
        size = 100 * width * FINER / (trial.getlength(text) + 2 * _BOLD * 100)
        self._words(self._draw, text, (centre[0] * FINER, centre[1] * FINER), size, fill)

    def ring_words(
        self, text: str, centre: Point, radius: float, size: float, fill: Colour, *, below: bool
    ) -> None:
        """Words on a circle around ``centre``: over its top, or under it."""
        font = ImageFont.load_default(size)
        wide = [font.getlength(sign) * 1.16 for sign in text]
        at = -sum(wide) / 2
        for sign, step in zip(text, wide, strict=True):
            degrees = math.degrees((at + step / 2) / radius)
            self._sign(sign, centre, radius, -degrees if below else degrees, size, fill, below)
            at += step

    def _sign(
        self,
        sign: str,
        centre: Point,
        radius: float,
        degrees: float,
        size: float,
        fill: Colour,
        below: bool,
    ) -> None:
        side = round(size * FINER * 2)
        stamp = Image.new("RGBA", (side, side))
        self._words(ImageDraw.Draw(stamp), sign, (side / 2, side / 2), size * FINER, fill)
        stamp = stamp.rotate(-degrees, Image.Resampling.BICUBIC)
        reach = -radius if below else radius
        x = centre[0] + reach * math.sin(math.radians(degrees))
        y = centre[1] - reach * math.cos(math.radians(degrees))
        corner = round(x * FINER - side / 2), round(y * FINER - side / 2)
        self._image.alpha_composite(stamp, corner)

    @staticmethod
    def _words(
        draw: ImageDraw.ImageDraw, text: str, centre: Point, size: float, fill: Colour
    ) -> None:
        font = ImageFont.load_default(size)
        draw.text(centre, text, fill, font, anchor="mm", stroke_width=round(_BOLD * size))


_BOLD = 0.03
"""The stroke that makes the only font that is always there bold, by its size."""

_HEART = [
    (
        16 * math.sin(t) ** 3,
        13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t),
    )
    for t in (step * math.tau / 100 for step in range(100))
]
