"""Size arithmetic of print preparation: inches to pixels, and how artwork is fitted.

Pure integers and floats, no pictures. Every size it answers has sides of at least one pixel.
"""

from __future__ import annotations

from typing import NamedTuple

from shared.records import Fit, Template


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width} x {self.height} px"


def pixels(inches: float, dpi: int) -> int:
    """Pixels that ``inches`` take up at ``dpi``, rounded, at least 1."""
    return max(1, round(inches * dpi))


def longest(art: Size, side: int) -> Size:
    """``art`` scaled so that its longest side is ``side`` pixels; the shape is kept."""
    if art.width >= art.height:
        return Size(side, _scaled(art.height, side, art.width))
    return Size(_scaled(art.width, side, art.height), side)


def inside(art: Size, box: Size) -> Size:
    """``art`` scaled as large as fits within ``box``; the shape is kept."""
    if art.width * box.height >= art.height * box.width:
        return Size(box.width, _scaled(art.height, box.width, art.width))
    return Size(_scaled(art.width, box.height, art.height), box.height)


def printed(template: Template, art: Size) -> Size:
    """The size at which ``template`` prints artwork of size ``art``, canvas apart."""
    box = _box(template)
    if template.fit is Fit.LONGEST:
        return longest(art, max(box))
    if template.fit is Fit.INSIDE:
        return inside(art, box)
    return box


def reach(template: Template) -> Size:
    """The smallest size that holds whatever artwork ``template`` prints."""
    box = _box(template)
    return Size(max(box), max(box)) if template.fit is Fit.LONGEST else box


def canvas(template: Template) -> Size | None:
    """The template's canvas, or None where it has none."""
    if template.canvas_width_in is None or template.canvas_height_in is None:
        return None
    return Size(
        pixels(template.canvas_width_in, template.dpi),
        pixels(template.canvas_height_in, template.dpi),
    )


def largest(template: Template) -> Size:
    """The size that no print file of ``template`` exceeds, canvas included."""
    board = canvas(template) or Size(1, 1)
    art = reach(template)
    return Size(max(board.width, art.width), max(board.height, art.height))


def _box(template: Template) -> Size:
    return Size(
        pixels(template.width_in, template.dpi),
        pixels(template.height_in, template.dpi),
    )


def _scaled(side: int, by: int, over: int) -> int:
    """``side * by / over`` in exact integers, rounded half up, at least 1."""
    return max(1, (2 * side * by + over) // (2 * over))
