"""A sheet of cards: each a pair, side by side, with what differs and what the code said of it."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from infra.pictures.pairs import Pair
from shared.records import Verdict

CARD = 430, 284
GAP = 12
BOX = 197, 160
"""Room for one picture, in pixels."""

_COLOURS = {
    Verdict.DUPLICATE: "#b3261e",
    Verdict.VARIANT: "#6a3fb5",
    Verdict.SIMILAR: "#9a5b00",
    Verdict.UNIQUE: "#1b7a3d",
}
_TEXT, _FAINT, _LINE = "#1f2328", "#59636e", "#d1d9e0"
_SIDE = 8
"""Pixels of a field of the checkerboard, which stands for transparency."""


@dataclass(frozen=True, slots=True)
class Card:
    """A pair, its verdict as it comes, and the one it has with the pair's setting on."""

    pair: Pair
    verdict: Verdict
    with_setting: Verdict | None


def sheet(cards: list[Card]) -> bytes:
    """A PNG of a palette: cards, two in a row."""
    columns, rows = min(2, len(cards)), -(-len(cards) // 2)
    wide, high = CARD
    size = columns * (wide + GAP) - GAP, rows * (high + GAP) - GAP
    image = Image.new("RGB", size, "white")
    for at, card in enumerate(cards):
        image.paste(_draw(card), ((wide + GAP) * (at % 2), (high + GAP) * (at // 2)))
    buffer = io.BytesIO()
    image.quantize(128, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
        buffer, "PNG", optimize=True
    )
    return buffer.getvalue()


def _draw(card: Card) -> Image.Image:
    image = Image.new("RGB", CARD, "white")
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, CARD[0] - 1, CARD[1] - 1), 8, outline=_LINE)
    draw.text((12, 20), card.pair.title, _TEXT, ImageFont.load_default(17), "lm", stroke_width=0.4)
    both = [
        Image.open(io.BytesIO(file)).convert("RGBA") for file in (card.pair.shop, card.pair.upload)
    ]
    scale = min(min(BOX[0] / one.width, BOX[1] / one.height) for one in both)
    for one, left, label in zip(both, (12, 221), ("in the shop", "upload"), strict=True):
        middle = left + BOX[0] // 2
        _place(image, one, scale, (middle, 38 + BOX[1] // 2))
        draw.text((middle, 210), label, _FAINT, ImageFont.load_default(13), "mm")
    _tell(image, card)
    return image


def _place(image: Image.Image, art: Image.Image, scale: float, middle: tuple[int, int]) -> None:
    """Both pictures of a pair have one scale, so that sizes can be compared."""
    size = max(1, round(art.width * scale)), max(1, round(art.height * scale))
    art = art.resize(size, Image.Resampling.LANCZOS)
    corner = middle[0] - size[0] // 2, middle[1] - size[1] // 2
    board = _checkerboard(*size)
    board.paste(art, (0, 0), art)
    image.paste(board, corner)
    edge = corner[0] - 1, corner[1] - 1, corner[0] + size[0], corner[1] + size[1]
    ImageDraw.Draw(image).rectangle(edge, outline=_LINE)


def _checkerboard(width: int, height: int) -> Image.Image:
    y, x = np.mgrid[0:height, 0:width] // _SIDE
    return Image.fromarray(np.where((x + y) % 2, 212, 234).astype(np.uint8)).convert("RGB")


def _tell(image: Image.Image, card: Card) -> None:
    draw = ImageDraw.Draw(image)
    end = _pill(image, 12, card.verdict)
    font = ImageFont.load_default(15)
    if card.with_setting is not None:
        words = f"with {card.pair.setting}:"
        draw.text((end + 14, 253), words, _FAINT, ImageFont.load_default(13), "lm")
        length = round(ImageFont.load_default(13).getlength(words))
        _pill(image, end + 22 + length, card.with_setting)
    elif card.pair.is_wrong:
        draw.text((end + 14, 253), "It is not: a known limit.", _TEXT, font, "lm")


def _pill(image: Image.Image, left: int, verdict: Verdict) -> int:
    """The verdict in its colour; the answer is where it ends."""
    font = ImageFont.load_default(16)
    wide, high = round(font.getlength(verdict.value)) + 24, 30
    mask = Image.new("L", (wide * 4, high * 4))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, wide * 4 - 1, high * 4 - 1), high * 2, 255)
    image.paste(_COLOURS[verdict], (left, 238), mask.reduce(4))
    middle = left + wide / 2, 252
    ImageDraw.Draw(image).text(middle, verdict.value, "white", font, "mm", stroke_width=0.3)
    return left + wide
