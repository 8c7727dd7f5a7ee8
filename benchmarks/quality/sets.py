"""The sets of designs: each is the library of one shop. Those held out were never tuned on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.quality import icons, photos, slogans, wraps
from benchmarks.quality.drawing import Drawing, chance

SLOGANS, SLOGANS_CHANGED = 1100, 344
HELD_OUT_SLOGANS, HELD_OUT_CHANGED = 400, 299
PATTERNS, EMOJI_WRAPS, NAMED_WRAPS = 250, 250, 150
FLUENT_STEP, FLUENT_SIDE = 3, 300
"""Of Fluent's shaded emoji every third: their blurs are slow to draw."""


@dataclass(frozen=True)
class Set:
    """A set's name, what draws it, and whether rules were tuned on it."""

    name: str
    draw: Callable[[], list[Drawing]]
    held_out: bool = False


def _icons(package: str, step: int = 1, side: int = 400) -> Callable[[], list[Drawing]]:
    return lambda: [icons.Icon(package, name, side) for name in icons.names(package)[::step]]


def _slogans() -> list[Drawing]:
    made, changed = slogans.tuned(SLOGANS, SLOGANS_CHANGED)
    return [*made, *(pair.other for pair in changed)]


def _held_out_slogans() -> list[Drawing]:
    made, changed = slogans.held_out(HELD_OUT_SLOGANS, HELD_OUT_CHANGED)
    return [*made, *(pair.other for pair in changed)]


def _opaque() -> list[Drawing]:
    named = [wrap for pair in wraps.named(NAMED_WRAPS) for wrap in pair]
    return [*photos.photos(), *wraps.patterned(PATTERNS), *wraps.emoji(EMOJI_WRAPS), *named]


SETS = {
    one.name: one
    for one in (
        Set("game-icons", _icons("game-icons")),
        Set("twemoji", _icons("twemoji")),
        Set("noto", _icons("noto")),
        Set("fluent-emoji", _icons("fluent-emoji", FLUENT_STEP, FLUENT_SIDE)),
        Set("slogans", _slogans),
        Set("wraps and photos", _opaque),
        Set("openmoji", _icons("openmoji"), held_out=True),
        Set("fluent-emoji-flat", _icons("fluent-emoji-flat"), held_out=True),
        Set("other slogans", _held_out_slogans, held_out=True),
    )
}
TOGETHER = "all sets"


def drawings(name: str, *, quick: bool = False) -> list[Drawing]:
    """A set's drawings; ``quick``: a tenth of them."""
    found = list(dict.fromkeys(SETS[name].draw()))
    return sample(found, len(found) // 10, name) if quick else found


def sample(drawings: list[Drawing], count: int, *seeds: object) -> list[Drawing]:
    """Some of the drawings, the same in every run, in their order."""
    count = min(count, len(drawings))
    chosen = chance("sample", *seeds).choice(len(drawings), count, replace=False)
    return [drawings[index] for index in sorted(chosen)]
