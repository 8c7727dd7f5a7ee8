"""What must hold: each floor or ceiling beside what was measured."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.quality import pairs, sets
from benchmarks.quality.measure import Figures, Tally, total


@dataclass(frozen=True)
class Floor:
    """``measured`` and ``bound`` in percent; ``most``: the bound is a ceiling."""

    measure: str
    bound: float
    measured: float
    most: bool = False
    note: str = ""

    @property
    def holds(self) -> bool:
        return self.measured <= self.bound if self.most else self.measured >= self.bound


EXACT = (
    "re-upload", "re-encode PNG", "hidden RGB white", "hidden RGB random", "margin", "speck",
)  # fmt: skip
SAME = ("0.5x area", "0.5x cubic", "0.5x Lanczos", "2x cubic", "WebP 80", "noise 3", "noise 8")


def floors(figures: Figures) -> list[Floor]:
    return [*_false_duplicates(figures), *_siblings(figures), *_copies(figures)]


def _false_duplicates(figures: Figures) -> list[Floor]:
    each = {name: one for name, one in figures.libraries.items() if name != sets.TOGETHER}
    return [
        _worst("false duplicates, any set", 1.2, each),
        _most("false duplicates, all sets together", 0.6, figures.libraries[sets.TOGETHER]),
    ]


def _siblings(figures: Figures) -> list[Floor]:
    colours = figures.paired(pairs.COLOURWAY, pairs.SKIN_TONE)
    words = figures.paired(pairs.CHANGED)
    coloured, worded = "colourways and skin tones called duplicate", "one word, name or character"
    return [
        _most(f"{coloured}, all pairs", 0.3, total(colours.values())),
        _worst(f"{coloured}, any set", 1.0, colours),
        _most(f"{worded} changed called duplicate, all pairs", 0.3, total(words.values())),
        _worst(f"{worded} changed called duplicate, any set", 1.0, words),
    ]


def _copies(figures: Figures) -> list[Floor]:
    found = [
        Floor(f"{name}: duplicate by the exact tier", 100, tally.share(tally.exact))
        for name in EXACT
        for tally in [figures.copied(name)]
    ]
    found += [_duplicate(name, 98, figures.copied(name)) for name in SAME]
    found += [
        _duplicate("JPEG 75, opaque", 98, figures.copied("JPEG 75", kind="opaque")),
        _duplicate("PNG-8 256 colours", 96, figures.copied("PNG-8 256 colours")),
    ]
    found += [
        _reported(f"{name} of 1,000 px or larger", 95, figures.copied(name, large=True))
        for name in ("0.25x area", "0.25x cubic")
    ]
    found += [
        _duplicate("crop 1 px", 80, figures.copied("crop 1 px")),
        _reported("crop 1 px", 97, figures.copied("crop 1 px")),
    ]
    return found + [
        _reported(f"{name}, looked for", 95, figures.copied(name))
        for name in ("mirrored", "rotated 90")
    ]


def _duplicate(what: str, bound: float, tally: Tally) -> Floor:
    return Floor(f"{what}: duplicate", bound, tally.share(tally.duplicates))


def _reported(what: str, bound: float, tally: Tally) -> Floor:
    return Floor(f"{what}: reported", bound, tally.share(tally.reported))


def _most(what: str, bound: float, tally: Tally) -> Floor:
    note = f"{tally.duplicates} of {tally.count}"
    return Floor(what, bound, tally.share(tally.duplicates), most=True, note=note)


def _worst(what: str, bound: float, by_set: dict[str, Tally]) -> Floor:
    """The set with the largest share of duplicates."""
    name, tally = max(by_set.items(), key=lambda item: item[1].share(item[1].duplicates))
    note = f"{name}: {tally.duplicates} of {tally.count}"
    return Floor(what, bound, tally.share(tally.duplicates), most=True, note=note)
