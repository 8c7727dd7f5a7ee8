"""Labelled pairs: a design that the shop has, an upload, and what that must be found to be."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageOps

from infra.pictures import art
from shared.records import Verdict


@dataclass(frozen=True, slots=True)
class Pair:
    """``title``: what differs. ``shop``, ``upload``: files."""

    title: str
    shop: bytes
    upload: bytes
    verdict: Verdict
    setting: str | None = None
    """The setting that makes the verdict "similar"; None where none is needed."""
    is_wrong: bool = field(default=False, kw_only=True)
    """Whether a person would see it otherwise: a known limit."""


def pairs() -> dict[str, list[Pair]]:
    """The pairs of each picture, by its name without ``.png``."""
    return {
        "duplicate": _duplicates(),
        "variant": _variants(),
        "similar": _similar(),
        "unique": _unique(),
        "small": _small(),
        "missed": _missed(),
    }


def _duplicates() -> list[Pair]:
    slogan, wrap, badge, mama = art.slogan(), art.wrap(), art.badge(), art.mama()
    small = wrap.convert("RGB").resize((600, 274), Image.Resampling.LANCZOS)
    return [
        Pair("A wide margin", _png(slogan), _png(_framed(slogan, 190)), Verdict.DUPLICATE),
        Pair("Half the size, and a JPEG", _png(wrap), _jpeg(small), Verdict.DUPLICATE),
        Pair("Hidden colours, a faint speck", _png(badge), _png(_dirty(badge)), Verdict.DUPLICATE),
        Pair("A pixel cut off all round", _png(mama), _png(_cut(mama, 1)), Verdict.DUPLICATE),
    ]


def _variants() -> list[Pair]:
    navy, mint = art.slogan(ink="#1d3f8f"), art.wrap(art.MINT)
    dark, teal = art.mama("#8d5a3b"), art.mama(scarf="#2a9d8f")
    return [
        Pair("Another ink", _png(art.slogan()), _png(navy), Verdict.VARIANT),
        Pair("Another colourway", _png(art.wrap()), _png(mint), Verdict.VARIANT),
        Pair("Another skin tone", _png(art.mama()), _png(dark), Verdict.VARIANT),
        Pair("Another scarf and lettering", _png(art.mama()), _png(teal), Verdict.VARIANT),
    ]


def _similar() -> list[Pair]:
    emma, olivia = art.wrap(name="Emma"), art.wrap(name="Olivia")
    badge, slogan = art.badge(), art.slogan()
    wide = badge.resize((round(badge.width * 1.2), badge.height), Image.Resampling.LANCZOS)
    white = art.slogan(ink="#ffffff")
    return [
        Pair("Another name", _png(emma), _png(olivia), Verdict.SIMILAR),
        Pair("Another year", _png(art.graduate()), _png(art.graduate("2026")), Verdict.SIMILAR),
        Pair("Stretched by a fifth", _png(badge), _png(wide), Verdict.SIMILAR),
        Pair("Black ink and white ink", _png(slogan), _png(white), Verdict.SIMILAR),
    ]


def _unique() -> list[Pair]:
    dad, mom = art.slogan(), art.slogan("MOM")
    return [
        Pair("Two black drawings", _png(art.sunflower()), _png(art.fern()), Verdict.UNIQUE),
        Pair("A large word", _png(dad), _png(mom), Verdict.UNIQUE),
    ]


def _small() -> list[Pair]:
    badge, later = art.badge("1998"), art.badge("1999")
    return [
        Pair(
            "A figure in small lettering",
            _png(badge),
            _png(later),
            Verdict.DUPLICATE,
            is_wrong=True,
        )
    ]


def _missed() -> list[Pair]:
    mama, fern, badge, slogan = art.mama(), art.fern(), art.badge(), art.slogan()
    turned = fern.transpose(Image.Transpose.ROTATE_270)
    cut = _cut(badge, round(badge.width * 0.03))
    white = Image.new("RGBA", (slogan.width + 100, slogan.height + 100), "white")
    white.alpha_composite(slogan, (50, 50))
    flat = _jpeg(white.convert("RGB"))
    new = Verdict.UNIQUE
    return [
        Pair("Mirrored", _png(mama), _png(ImageOps.mirror(mama)), new, "FIND_TURNED"),
        Pair("Turned", _png(fern), _png(turned), new, "FIND_TURNED"),
        Pair("3 % cut off all round", _png(badge), _png(cut), new, "FIND_CROPPED"),
        Pair("Saved on white, as a JPEG", _png(slogan), flat, new, "FIND_FLATTENED"),
    ]


def _png(image: Image.Image) -> bytes:
    return _file(image, "PNG", compress_level=1)


def _jpeg(image: Image.Image) -> bytes:
    return _file(image, "JPEG", quality=85)


def _file(image: Image.Image, kind: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _framed(image: Image.Image, margin: int) -> Image.Image:
    return ImageOps.expand(image, margin)


def _cut(image: Image.Image, margin: int) -> Image.Image:
    return ImageOps.crop(image, margin)


def _dirty(image: Image.Image) -> Image.Image:
    """Pink where nothing is printed, and a speck, too faint to see, in the corner of a margin."""
    pixels = np.array(_framed(image, 40))
    pixels[pixels[..., 3] == 0] = (255, 0, 160, 0)
    pixels[5:8, 5:8, 3] = 12
    return Image.fromarray(pixels)
