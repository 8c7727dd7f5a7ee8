"""The pipeline: from artwork to a print-ready PNG."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from shared.imaging.decode import Artwork
from shared.imaging.encode import encode
from shared.imaging.flatten import flatten, without_alpha
from shared.imaging.geometry import Size, canvas, printed
from shared.imaging.pad import pad
from shared.imaging.pixels import Pixels
from shared.imaging.preflight import measure
from shared.imaging.resize import resize
from shared.imaging.rotate import rotate
from shared.imaging.templates import check
from shared.imaging.trim import trim
from shared.records import Preflight, Template
from shared.settings import Effort

Step = tuple[str, Callable[[Pixels], Pixels]]
"""What its time is counted under, and what is done."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A print-ready PNG. ``timings_ms`` has ``crop``, ``resize``, ``pad`` and ``encode``.

    ``resize`` is missing for digital artwork, ``pad`` where there is no canvas.
    """

    png: bytes
    width_px: int
    height_px: int
    dpi: int
    preflight: Preflight
    timings_ms: dict[str, float]


def prepare(
    artwork: Artwork,
    template: Template,
    *,
    digital: bool = False,
    max_side_px: int,
    effort: Effort = Effort.FAST,
) -> Prepared:
    """Prepare artwork for print as ``template`` says, or digital artwork, which is only trimmed.

    ``max_side_px``: longest side of a print file in pixels. ``effort``: what is spent on a small
    file. Raises TemplateInvalid and FullyTransparent.
    """
    check(template, max_side_px)
    timings: dict[str, float] = {}
    art = _run(_cut(template, digital, artwork.is_opaque), artwork.pixels, timings)
    size = _size(art) if digital else printed(template, _size(art))
    preflight = measure(art, size, template.dpi)
    fitted = art if digital else _run(_fit(template, size), art, timings)
    started = perf_counter()
    png = encode(fitted, dpi=template.dpi, icc=artwork.icc, effort=effort)
    timings["encode"] = (perf_counter() - started) * 1000
    return Prepared(png, *_size(fitted), template.dpi, preflight, timings)


def _cut(template: Template, digital: bool, is_opaque: bool) -> list[Step]:
    steps: list[Step] = [("crop", trim), ("crop", flatten)]
    if is_opaque:  # there is no border
        steps = [("crop", without_alpha)]
    if template.rotate and not digital:
        steps.append(("crop", rotate))
    return steps


def _fit(template: Template, size: Size) -> list[Step]:
    steps: list[Step] = [("resize", lambda art: resize(art, size))]
    if board := canvas(template):
        steps.append(("pad", lambda art: pad(art, board)))
    return steps


def _run(steps: list[Step], pixels: Pixels, timings: dict[str, float]) -> Pixels:
    for name, step in steps:
        started = perf_counter()
        pixels = step(pixels)
        timings[name] = timings.get(name, 0.0) + (perf_counter() - started) * 1000
    return pixels


def _size(pixels: Pixels) -> Size:
    height, width = pixels.shape[:2]
    return Size(width, height)
