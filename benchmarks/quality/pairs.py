"""Pairs of designs that are NOT duplicates, and hard to tell: colourways, and one word changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.quality import icons, ours, sets, slogans, truth, work, wraps
from benchmarks.quality.drawing import Drawing, chance
from benchmarks.quality.icons import Icon
from benchmarks.quality.recolour import Recoloured
from shared.records import Fingerprint

RECOLOURED, TONED = 200, 240
SLOGANS, WRAPS = 250, 156

COLOURWAY, SKIN_TONE, CHANGED = "colourway", "skin tone", "one word, name or character"
KINDS = (COLOURWAY, SKIN_TONE, CHANGED)


@dataclass(frozen=True)
class Pair:
    """Two designs that a shop sells side by side."""

    kind: str
    set_name: str
    left: Fingerprint
    right: Fingerprint
    place: int
    """Its place in `drawn`."""


@dataclass(frozen=True)
class Drawn:
    """A pair before its fingerprints."""

    kind: str
    set_name: str
    left: Drawing
    right: Drawing


def load(*, quick: bool = False) -> list[Pair]:
    """All pairs with their fingerprints; pairs that look identical are left out."""
    found = drawn(quick=quick)
    label = label_of(quick=quick)
    sides = work_of(quick=quick)
    [lines] = work.kept(label, sides, ours.FINGERPRINT)
    prints = [ours.read(line) for line in lines]
    first = truth.groups(label, [job.drawing for job in sides])
    return [
        Pair(pair.kind, pair.set_name, prints[2 * at], prints[2 * at + 1], at)
        for at, pair in enumerate(found)
        if first[2 * at] != first[2 * at + 1]
    ]


def work_of(*, quick: bool = False) -> list[work.Job]:
    """The left and the right side of each pair in turn, as work to be done."""
    return [work.Job(one) for pair in drawn(quick=quick) for one in (pair.left, pair.right)]


def label_of(*, quick: bool) -> str:
    """The pairs' name in the cache."""
    return "pairs-quick" if quick else "pairs"


def drawn(*, quick: bool = False) -> list[Drawn]:
    """All pairs; ``quick``: a tenth of them."""
    found = [
        *(pair for name in _PACKAGES for pair in _recoloured(name)),
        *(pair for name in _PACKAGES for pair in _toned(name)),
        *_slogans("slogans", slogans.tuned, sets.SLOGANS, sets.SLOGANS_CHANGED, SLOGANS),
        *_slogans(
            "other slogans", slogans.held_out, sets.HELD_OUT_SLOGANS, sets.HELD_OUT_CHANGED, 100
        ),
        *_wraps(),
    ]
    return found[::10] if quick else found


_PACKAGES = ("game-icons", "twemoji", "noto", "fluent-emoji", "openmoji", "fluent-emoji-flat")


def _recoloured(name: str) -> list[Drawn]:
    chosen = sets.sample(sets.drawings(name), RECOLOURED, "recoloured")
    return [Drawn(COLOURWAY, name, icon, Recoloured(icon)) for icon in chosen]


def _toned(name: str) -> list[Drawn]:
    """Half of them the plain one beside a tone, half two tones."""
    random = chance("tones", name)
    side = sets.FLUENT_SIDE if name == "fluent-emoji" else 400
    known = icons.tones(name)
    made = []
    for at in random.permutation(len(known))[: TONED // 3 if name == "fluent-emoji" else TONED]:
        plain, toned = known[at]
        one, other = (str(choice) for choice in random.choice(toned, 2, replace=False))
        left = plain if len(made) % 2 else one
        made.append(Drawn(SKIN_TONE, name, Icon(name, left, side), Icon(name, other, side)))
    return made


def _slogans(
    name: str,
    make: Callable[[int, int], tuple[list[slogans.Slogan], list[slogans.Changed]]],
    count: int,
    changed: int,
    recoloured: int,
) -> list[Drawn]:
    every, pairs = make(count, changed)
    return [
        *(Drawn(CHANGED, name, pair.slogan, pair.other) for pair in pairs),
        *(Drawn(COLOURWAY, name, one, slogans.recoloured(one)) for one in every[-recoloured:]),
    ]


def _wraps() -> list[Drawn]:
    name = "wraps and photos"
    plain = [*wraps.patterned(sets.PATTERNS), *wraps.emoji(sets.EMOJI_WRAPS)]
    chosen = sets.sample(plain, WRAPS, "recoloured wraps")
    return [
        *(Drawn(CHANGED, name, one, other) for one, other in wraps.named(sets.NAMED_WRAPS)),
        *(Drawn(COLOURWAY, name, wrap, wraps.recoloured(wrap)) for wrap in chosen),
    ]
