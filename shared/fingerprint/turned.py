"""An upload mirrored and turned by right angles: what a hash can't tell is tried out."""

from __future__ import annotations

import numpy as np

from shared.records import NormalForm


def turned(form: NormalForm) -> list[NormalForm]:
    """The seven other ways that a normal form can lie: turned by 90, 180 and 270 degrees, mirrored,
    and mirrored and turned."""
    ways = [(quarters, mirrored) for mirrored in (False, True) for quarters in range(4)]
    return [_turn(form, quarters, mirrored=mirrored) for quarters, mirrored in ways[1:]]


def _turn(form: NormalForm, quarters: int, *, mirrored: bool) -> NormalForm:
    pixels = np.rot90(form.pixels[:, ::-1] if mirrored else form.pixels, quarters)
    width, height = form.width_px, form.height_px
    if quarters % 2:
        width, height = height, width
    return NormalForm(np.ascontiguousarray(pixels), width, height, form.is_opaque)
