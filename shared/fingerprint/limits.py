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
    report_bits: int = 31
    legacy_bits: int = 5
    low_bits: int = 11
    cut_out_levels: int = 16
    boxed_levels: int = 12
    colour_levels: int = 8
    tint_levels: int = 8
    brightness_levels: int = 14
    stretch: float = 1.1
    shift: int = 12
    outline_levels: int = 28
    inside: float = 0.5
    solid_levels: int = 150
    flat_variance: float = 9.0
    boxed_pattern: float = 0.9
    recoloured_cells: int = 16
    visible_levels: int = 6
    pattern: float = 0.8


LIMITS = Limits()
