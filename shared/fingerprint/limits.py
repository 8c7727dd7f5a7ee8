"""The numbers that a verdict is made of: each with its unit, its meaning and where it comes from.

Levels are of 255; a cell is one of a signature, 1/16 of the picture's side (luma of opaque art
1/22, colour 1/8). Measured: ``make quality``, whose table is ``benchmarks/results/quality.md``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What two pictures may differ by at most, or must have in common at least."""

    duplicate_bits: int = 15
    """Hamming distance of a duplicate at most, where it is looked at as well. Two hashes that near
    agree on one of 24 keys, so the index misses none; 99 % of plain copies are nearer."""

    report_bits: int = 31
    """Hamming distance of anything that is reported: 97 % of copies cut by 1 % are nearer."""

    legacy_bits: int = 5
    """Hamming distance of a duplicate at most, where nothing can be looked at: the original
    workflow's threshold."""

    low_bits: int = 11
    """Distance in the 64 lowest frequencies of what may be a cropped copy. Measured: half to nine
    tenths of the copies cut by 3 %."""

    cut_out_levels: int = 10
    """Luma or alpha of any cell, of cut-out art. Measured: 98 % of plain copies differ by 9 at
    most; a brightness of 5 % more, which is reported as similar, makes 12."""

    boxed_levels: int = 6
    """Luma of any cell, of art that fills its box: names on busy wraps differ by 7 and more, plain
    copies by 4, but for those of 256 colours."""

    shift: int = 12
    """A cell may differ by this part of its slope to its neighbours besides: the edges of a copy
    that was cropped a pixel further in or out, at half the size."""

    colour_levels: int = 8
    """Cb or Cr of any cell. Measured: plain copies differ by 3 at most, those of 256 colours by 9;
    a tint of 3 % makes 6."""

    tint_levels: int = 8
    """Cb or Cr of the whole art: thin lettering at half the size differs by 5."""

    brightness_levels: int = 14
    """Luma of the whole art: thin lettering at half the size differs by 12."""

    stretch: float = 1.1
    """Ratio of two aspect ratios: a copy that was stretched further is another product's."""

    outline_levels: int = 28
    """Alpha of any cell, of two colourways. Wider than a duplicate's: soft edges follow colour."""

    inside: float = 0.5
    """Correlation of luma within the outlines of two colourways: light stays light, mostly."""

    solid_levels: int = 150
    """Alpha from which a cell counts as printed solidly."""

    flat_variance: float = 9.0
    """Variance, in levels squared, below which a plane tells no shape: rounding makes up to 3."""

    boxed_pattern: float = 0.9
    """Correlation of luma of two colourways that fill their boxes: they have no outline."""

    recoloured_cells: int = 16
    """Cells of 64 whose colour differs visibly, of two colourways that fill their boxes: a quarter
    of the picture. In fewer, an object was exchanged."""

    cast_levels: float = 3.5
    """Cb or Cr of the whole art, of two colourways that fill their boxes. Measured: 4 and more; a
    crop of 2 %, which moves colours into other cells, makes 3.3 at most."""

    visible_levels: int = 6
    """Cb or Cr of a cell that counts as another colour."""

    pattern: float = 0.8
    """Correlation of luma and alpha from which two pictures are worth a person's look."""


LIMITS = Limits()
