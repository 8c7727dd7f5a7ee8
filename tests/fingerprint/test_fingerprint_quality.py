"""The verdict on a small fixed set, with floors; ``make quality`` is the large one."""

from __future__ import annotations

import colorsys
import io
from collections.abc import Callable
from functools import cache
from uuid import UUID

import numpy as np
import pytest
from fingerprint_art import Pixels, badge, cropped, lines, padded, text
from PIL import Image

from shared.fingerprint.finding import Finding
from shared.fingerprint.hashes import fingerprint
from shared.fingerprint.normal import normal_form
from shared.fingerprint.verdict import Rule, compare
from shared.records import Candidate, Fingerprint, Probe, State, Tier, Verdict
from shared.settings import Policy
from tests.draw import wrap

RULE = Rule(Policy.VERIFIED, 15)

SLOGANS = ("Best Dad Ever", "Best Mom Ever", "Class of 2025", "Class of 2026", "Wild & Free")
LETTERS = 260
"""Pixels of the lettering: a slogan is some 1,600 px wide then, as small as uploads are."""

NAMES = ("Emma", "Olivia", "Noah", "Liam")


def named(name: str, seed: int = 3) -> Pixels:
    """A cup wrap with a name across it."""
    picture = wrap(seed, 900, 410).convert("RGBA")
    lettering = Image.fromarray(text(name, "white", 130))
    picture.alpha_composite(lettering, (250, 130))
    return np.array(picture)


@cache
def designs() -> dict[str, Pixels]:
    """Distinct designs, some cut out and some opaque."""
    opaque = {f"wrap {seed}": wrap(seed, 900, 410).convert("RGBA") for seed in range(8)}
    return (
        {f"text {words}": text(words, size=LETTERS) for words in SLOGANS}
        | {f"lines {seed}": lines(seed, 900, 700) for seed in range(2, 7)}
        | {"badge": badge(840, 720)}
        | {name: np.array(picture) for name, picture in opaque.items()}
        | {f"named {name}": named(name) for name in NAMES}
    )


def colourways() -> list[tuple[str, Pixels, Pixels]]:
    """Designs in other colours."""
    inks = ("red", "navy", "#0a7d32", "#ff66aa")
    made = [
        (f"{words} {ink}", text(words, size=LETTERS), text(words, ink, LETTERS))
        for words in SLOGANS
        for ink in inks
    ]
    return made + [
        (f"{name} turned by {turn}", art, hue_turned(art, turn))
        for name, art in designs().items()
        if name.startswith(("wrap", "badge"))
        for turn in (0.25, 0.5)
    ]


def hue_turned(art: Pixels, turn: float) -> Pixels:
    """The art with all hues turned: the same saturation and value."""
    matrix = np.array(
        [colorsys.hsv_to_rgb((third / 3 + turn) % 1, 1, 1) for third in range(3)], np.float32
    )
    colours = np.clip(art[..., :3].astype(np.float32) @ matrix / matrix.sum(axis=0), 0, 255)
    return np.dstack((colours.astype(np.uint8), art[..., 3]))


def resized(art: Pixels, scale: float) -> Pixels:
    picture = Image.fromarray(art)
    size = round(picture.width * scale), round(picture.height * scale)
    # Pillow multiplies by the alpha before it resizes, and divides afterwards.
    return np.array(picture.resize(size, Image.Resampling.LANCZOS))


def recoded(art: Pixels, kind: str, **options: object) -> Pixels:
    buffer = io.BytesIO()
    picture = Image.fromarray(art)
    (picture.convert("RGB") if kind == "JPEG" else picture).save(buffer, kind, **options)
    return np.array(Image.open(buffer).convert("RGBA"))


def hidden(art: Pixels) -> Pixels:
    copy = art.copy()
    copy[copy[..., 3] == 0] = (200, 30, 90, 0)
    return copy


def specked(art: Pixels) -> Pixels:
    copy = padded(art, 30, 30, 30, 30)
    copy[2:4, 2:4] = (255, 255, 255, 12)
    return copy


def noisy(art: Pixels) -> Pixels:
    noise = np.random.default_rng(1).normal(0, 8, (*art.shape[:2], 3))
    copy = art.copy()
    copy[..., :3] = np.clip(art[..., :3] + noise, 0, 255)
    return copy


def palette(art: Pixels) -> Pixels:
    picture = Image.fromarray(art).quantize(256, Image.Quantize.FASTOCTREE)
    return np.array(picture.convert("RGBA"))


def cut(art: Pixels) -> Pixels:
    return cropped(art)[1:-1, 1:-1]


Change = Callable[[Pixels], Pixels]
EXACT: dict[str, Change] = {
    "re-encoded": lambda art: recoded(art, "PNG"),
    "hidden colours": hidden,
    "margin": lambda art: padded(art, 37, 5, 60, 44),
    "speck": specked,
}
NEAR: dict[str, tuple[Change, float]] = {
    "half": (lambda art: resized(art, 0.5), 0.9),
    "double": (lambda art: resized(art, 2), 1),
    "WebP 80": (lambda art: recoded(art, "WEBP", quality=80), 1),
    "noise": (noisy, 1),
    "256 colours": (palette, 0.9),
}
"""Changes, and the least share of copies that must be called duplicates."""


@cache
def prints(name: str) -> Fingerprint:
    return known(designs()[name])


def known(art: Pixels) -> Fingerprint:
    return fingerprint(normal_form(art))


def finding(mine: Fingerprint, other: Fingerprint) -> Finding:
    design = Candidate(UUID(int=1), "UV_001.png", "/UV_001.png", State.ACTIVE, 1, "f" * 64, other)
    (found,) = compare(Probe(mine, "0" * 64), [design], RULE)
    return found


def share(found: list[bool]) -> float:
    return sum(found) / len(found)


def of_copies(change: Change, kind: str = "") -> list[Finding]:
    names = [name for name in designs() if name.startswith(kind)]
    return [finding(known(change(designs()[name])), prints(name)) for name in names]


@pytest.mark.parametrize("name", EXACT)
def test_the_same_picture_is_a_duplicate_by_the_exact_tier(name: str) -> None:
    found = of_copies(EXACT[name])
    assert {(one.verdict, one.tier) for one in found} == {(Verdict.DUPLICATE, Tier.EXACT)}


@pytest.mark.parametrize("name", NEAR)
def test_nearly_every_plain_copy_is_a_duplicate(name: str) -> None:
    change, floor = NEAR[name]
    assert share([one.verdict is Verdict.DUPLICATE for one in of_copies(change)]) >= floor


def test_every_jpeg_of_opaque_art_is_a_duplicate() -> None:
    found = of_copies(lambda art: recoded(art, "JPEG", quality=75), "wrap")
    assert {one.verdict for one in found} == {Verdict.DUPLICATE}


def test_a_pixel_less_is_reported_always_and_mostly_a_duplicate() -> None:
    found = [one.verdict for one in of_copies(cut)]
    assert Verdict.UNIQUE not in found
    assert share([verdict is Verdict.DUPLICATE for verdict in found]) >= 0.8


def test_no_design_is_another_ones_duplicate() -> None:
    names = list(designs())
    taken = [
        (one, other)
        for one in names
        for other in names
        if one != other and finding(prints(one), prints(other)).verdict is Verdict.DUPLICATE
    ]
    assert taken == []


def test_no_colourway_is_a_duplicate_and_most_are_reported() -> None:
    found = {name: finding(known(one), known(other)) for name, one, other in colourways()}
    assert [name for name, one in found.items() if one.verdict is Verdict.DUPLICATE] == []
    lettering = [one for name, one in found.items() if name.startswith(SLOGANS)]
    assert share([one.verdict is not Verdict.UNIQUE for one in lettering]) >= 0.9
