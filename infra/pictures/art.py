"""Little designs as a shop has them, drawn in code: RGBA, cropped to what is printed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image

from infra.pictures.pen import Pen

INK = "#000000"


def slogan(word: str = "DAD", ink: str = INK) -> Image.Image:
    """Lettering with a heart, on nothing."""
    pen = Pen(760, 760)
    pen.words("BEST", (380, 105), 700, ink)
    pen.words(word, (255, 345), 470, ink)
    pen.heart((625, 345), 225, "#d7263d")
    pen.words("EVER", (380, 600), 700, ink)
    return _cropped(pen)


def graduate(year: str = "2025") -> Image.Image:
    """Lettering with a large year under a cap, on nothing."""
    pen, navy = Pen(760, 760), "#23395b"
    pen.shape([(250, 120), (510, 120), (510, 215), (380, 250), (250, 215)], navy)
    pen.shape([(380, 20), (690, 110), (380, 200), (70, 110)], navy)
    pen.line([(380, 110), (612, 140), (612, 225)], 9, "#e0a526")
    pen.leaf((612, 275), 0, 62, 34, "#e0a526")
    pen.words("CLASS OF", (380, 350), 560, navy)
    pen.words(year, (380, 565), 690, "#e0a526")
    return _cropped(pen)


@dataclass(frozen=True, slots=True)
class Colourway:
    """The colours of a cup wrap."""

    ground: str
    wave: str
    petals: str
    eye: str


MUSTARD = Colourway("#c8553d", "#f2c078", "#fff4e0", "#f0a202")
MINT = Colourway("#2f6f6d", "#9ad1c4", "#fde2e4", "#ef6f6c")


def wrap(colours: Colourway = MUSTARD, name: str | None = None) -> Image.Image:
    """An opaque cup wrap: daisies between waves, and a name if one is wanted."""
    width, height = 1140, 520
    pen = Pen(width, height, colours.ground)
    for row in range(-1, 6):
        top = 105 * row
        crest = [(x, top + 22 * math.sin(x * math.tau / 285)) for x in range(-20, width + 21, 10)]
        pen.line(crest, 13, colours.wave)
    for row in range(5):
        for column in range(-1, 9):
            x, y = 142.5 * column + 71 * (row % 2) + 36, 105 * row + 52
            _daisy(pen, x, y, 40 - 6 * ((row + column) % 2), colours)
    if name:
        pen.oval((width / 2, height / 2), 292, 122, colours.wave)
        pen.oval((width / 2, height / 2), 276, 106, colours.petals)
        pen.words(name, (width / 2, height / 2), 390, colours.ground)
    return pen.art()


def badge(year: str = "1998") -> Image.Image:
    """A round badge with mountains, on nothing."""
    pen, middle = Pen(720, 720), (360.0, 360.0)
    pen.disc(middle, 355, "#22333b")
    pen.disc(middle, 338, "#f4e9d8")
    pen.disc(middle, 326, "#22333b")
    pen.disc(middle, 228, "#f6bd60")
    pen.disc((360, 330), 82, "#f28482")
    _mountain(pen, 280, 250, 420, 112)
    _mountain(pen, 430, 215, 420, 132)
    for at, tree in enumerate((205, 262, 322, 388, 452, 512)):
        tall = 92 - 14 * (at % 2)
        for part in (0.0, 0.3):
            low = 470 - tall * part
            half = 30 * (1 - part)
            pen.shape([(tree - half, low), (tree + half, low), (tree, 470 - tall - 6)], "#31572c")
    pen.shape(_segment(middle, 228, 462), "#588157")
    pen.ring_words("PINE RIDGE CAMP", middle, 277, 62, "#f4e9d8", below=False)
    pen.ring_words(f"SINCE {year}", middle, 277, 62, "#f4e9d8", below=True)
    return _cropped(pen)


def mama(skin: str = "#f3c9a5", scarf: str = "#d1495b") -> Image.Image:
    """A head with a messy bun and sun-glasses, on nothing."""
    pen, hair = Pen(620, 800), "#3b2417"
    for x, y, size in ((310, 105, 92), (250, 85, 50), (372, 88, 54), (310, 50, 46)):
        pen.disc((x, y), size, hair)
    pen.oval((310, 345), 192, 205, hair)
    pen.shape([(258, 480), (362, 480), (378, 640), (242, 640)], skin)
    pen.oval((310, 382), 152, 186, skin)
    pen.shape([(128, 300), (165, 215), (310, 178), (455, 215), (492, 300), (310, 262)], scarf)
    for x in (190, 250, 310, 370, 430):
        pen.disc((x, 238 + abs(x - 310) // 7), 9, "#fff4e0")
    for x in (238, 382):
        pen.oval((x, 362), 66, 54, INK)
        pen.leaf((x - 34, 385), 55, 58, 16, "#6c757d")
    pen.line([(290, 350), (330, 350)], 11, INK)
    pen.leaf((268, 486), 90, 84, 30, "#b23a48")
    pen.words("MAMA", (310, 715), 560, scarf)
    return _cropped(pen)


def sunflower() -> Image.Image:
    """A black silhouette on nothing."""
    pen, head = Pen(560, 900), (280.0, 250.0)
    pen.line([(280, 420), (292, 620), (280, 880)], 20, INK)
    pen.leaf((287, 760), 60, 220, 96, INK)
    pen.leaf((287, 690), -62, 210, 92, INK)
    for turn in range(18):
        pen.leaf(head, 20 * turn, 240, 62, INK)
    pen.disc(head, 112, "#00000000")
    pen.disc(head, 98, INK)
    return _cropped(pen)


def fern() -> Image.Image:
    """Another black silhouette on nothing."""
    pen = Pen(560, 900)
    pen.line([(280, 880), (272, 560), (290, 60)], 14, INK)
    for step in range(13):
        y, length = 790 - 56 * step, 245 - 15 * step
        pen.leaf((277, y), 62, length, 50, INK)
        pen.leaf((277, y), -62, length, 50, INK)
    pen.leaf((290, 110), 0, 105, 40, INK)
    return _cropped(pen)


def _daisy(pen: Pen, x: float, y: float, size: float, colours: Colourway) -> None:
    for turn in range(8):
        at = turn * math.tau / 8
        centre = x + 0.62 * size * math.cos(at), y + 0.62 * size * math.sin(at)
        pen.disc(centre, 0.3 * size, colours.petals)
    pen.disc((x, y), size * 0.5, colours.petals)
    pen.disc((x, y), size * 0.3, colours.eye)


def _mountain(pen: Pen, x: float, top: float, foot: float, half: float) -> None:
    pen.shape([(x - half, foot + 50), (x, top), (x + half, foot + 50)], "#6d597a")
    drop, side = 62, 62 * half / (foot + 50 - top)
    snow = [(x, top), (x + side, top + drop), (x + side / 3, top + 44), (x, top + drop + 8)]
    pen.shape([*snow, (x - side / 3, top + 44), (x - side, top + drop)], "#fffaf0")


def _segment(centre: tuple[float, float], radius: float, top: float) -> list[tuple[float, float]]:
    """The part of a disc that lies below ``top``."""
    x, y = centre
    angle = math.asin((top - y) / radius)
    turn = [angle + (math.pi - 2 * angle) * step / 60 for step in range(61)]
    return [(x + radius * math.cos(t), y + radius * math.sin(t)) for t in turn]


def _cropped(pen: Pen) -> Image.Image:
    art = pen.art()
    return art.crop(art.getchannel("A").getbbox())
