"""What is measured: false duplicates, verdicts of pairs that are none, and recall of copies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from benchmarks.quality import baselines, copies, library, ours, pairs, sets, work
from shared.records import Tier, Verdict


@dataclass
class Tally:
    """Verdicts counted, and what each baseline calls a duplicate. ``exact``: by the exact tier."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    exact: int = 0
    theirs: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        return self.verdicts.total()

    @property
    def duplicates(self) -> int:
        return self.verdicts[Verdict.DUPLICATE]

    @property
    def reported(self) -> int:
        return self.count - self.verdicts[Verdict.UNIQUE]

    def share(self, counted: int) -> float:
        """In percent of all."""
        return 100 * counted / self.count if self.count else 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.verdicts + other.verdicts, self.exact + other.exact, self.theirs + other.theirs
        )


@dataclass(frozen=True)
class Figures:
    """All that was measured."""

    libraries: dict[str, Tally]
    """By set: the strongest verdict of each design among the others of its library."""
    pairs: dict[tuple[str, str], Tally]
    """By kind and set: what the right side is to a shop that has the left side."""
    copies: dict[tuple[str, str, bool], Tally]
    """By transform, kind of art, and whether the design is large: what the copy is to its source;
    with mirrored and turned copies looked for."""

    def copied(self, *names: str, kind: str | None = None, large: bool | None = None) -> Tally:
        """The copies by some transforms, of one kind of art or all, of large designs or all."""
        return total(
            tally
            for (name, of, is_large), tally in self.copies.items()
            if name in names and kind in (None, of) and large in (None, is_large)
        )

    def paired(self, *kinds: str) -> dict[str, Tally]:
        """By set, the pairs of some kinds."""
        found: dict[str, Tally] = {}
        for (kind, name), tally in self.pairs.items():
            if kind in kinds:
                found[name] = found.get(name, Tally()) + tally
        return found


def total(tallies: Iterable[Tally]) -> Tally:
    return sum(tallies, Tally())


def measure(*, quick: bool) -> Figures:
    return Figures(_libraries(quick=quick), _pairs(quick=quick), _copies(quick=quick))


def _libraries(*, quick: bool) -> dict[str, Tally]:
    found = {}
    every: dict[str, list[str]] = {}
    for name in sets.SETS:
        jobs = [work.Job(drawing) for drawing in sets.drawings(name, quick=quick)]
        theirs = _theirs(library.label_of(name, quick=quick), jobs)
        found[name] = _library(library.load(name, quick=quick), theirs)
        every = {hash_: every.get(hash_, []) + values for hash_, values in theirs.items()}
    found[sets.TOGETHER] = _library(library.together(quick=quick), every)
    return found


def _theirs(label: str, jobs: Sequence[work.Job]) -> dict[str, list[str]]:
    """The baselines' hashes; where ours are missing too, they are made in the same pass."""
    _, lines = work.kept(label, jobs, ours.FINGERPRINT, baselines.BASELINES)
    return baselines.read(lines)


def _library(designs: library.Designs, theirs: dict[str, list[str]]) -> Tally:
    """Every distinct design in turn against all others."""
    shelf = ours.Library([designs.fingerprints[index] for index in designs.distinct])
    tally = Tally(Counter(shelf.strongest(at).verdict for at in range(len(shelf.prints))))
    for hash_, values in theirs.items():
        words = ours.words([values[index] for index in designs.distinct])
        nearest = [_nearest(words, at) for at in range(words.shape[1])]
        for rule in baselines.RULES:
            if rule.hash == hash_:
                tally.theirs[rule.name] = sum(bits <= rule.bits for bits in nearest)
    return tally


def _nearest(words: npt.NDArray[np.uint64], at: int) -> int:
    """The distance in bits of the hash at ``at`` from the nearest other one."""
    bits = ours.distances(words, at)
    bits[at] = bits.max()
    return int(bits.min())


def _pairs(*, quick: bool) -> dict[tuple[str, str], Tally]:
    found: dict[tuple[str, str], Tally] = {}
    theirs = _theirs(pairs.label_of(quick=quick), pairs.work_of(quick=quick))
    for pair in pairs.load(quick=quick):
        tally = found.setdefault((pair.kind, pair.set_name), Tally())
        tally.verdicts[ours.strongest(pair.right, [pair.left]).verdict] += 1
        left, right = 2 * pair.place, 2 * pair.place + 1
        tally.theirs.update(_called(theirs, left, theirs, right))
    return found


def _copies(*, quick: bool) -> dict[tuple[str, str, bool], Tally]:
    originals, copied = copies.work_of(quick=quick)
    end = "-quick" if quick else ""
    mine, theirs = _theirs(f"originals{end}", originals), _theirs(f"copies{end}", copied)
    found: dict[tuple[str, str, bool], Tally] = {}
    for at, copy in enumerate(copies.load(quick=quick)):
        tally = found.setdefault((copy.transform, copy.kind, copy.is_large), Tally())
        finding = ours.looked_for(copy.fingerprint, copy.turned, copy.original)
        tally.verdicts[finding.verdict] += 1
        tally.exact += finding.verdict is Verdict.DUPLICATE and finding.tier is Tier.EXACT
        tally.theirs.update(_called(mine, copy.source, theirs, at))
    return found


def _called(
    mine: dict[str, Sequence[str]], at: int, theirs: dict[str, Sequence[str]], other: int
) -> list[str]:
    """The rules by which two pictures are duplicates."""
    return [
        rule.name
        for rule in baselines.RULES
        if _apart(mine[rule.hash][at], theirs[rule.hash][other]) <= rule.bits
    ]


def _apart(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()
