"""The libraries: each set's designs with their fingerprints, and which of them look identical."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from benchmarks.quality import ours, sets, truth, work
from benchmarks.quality.drawing import Drawing
from shared.records import Fingerprint


@dataclass(frozen=True)
class Designs:
    """Designs in order. ``groups``: of each, the index of the first that it looks identical to."""

    name: str
    drawings: list[Drawing]
    fingerprints: list[Fingerprint]
    groups: list[int]

    @property
    def distinct(self) -> list[int]:
        """The indices of the first design of each group: what counts as designs."""
        return [index for index, group in enumerate(self.groups) if index == group]


def load(name: str, *, quick: bool = False) -> Designs:
    """A set's designs, by the set's name in `sets.SETS`."""
    drawings = sets.drawings(name, quick=quick)
    return Designs(name, drawings, _prints(name, drawings, quick=quick), _looks(quick)[name])


def together(*, quick: bool = False) -> Designs:
    """The designs of all sets as one library."""
    parts = [load(name, quick=quick) for name in sets.SETS]
    drawings = [drawing for part in parts for drawing in part.drawings]
    fingerprints = [print_ for part in parts for print_ in part.fingerprints]
    return Designs(sets.TOGETHER, drawings, fingerprints, _looks(quick)[sets.TOGETHER])


def _prints(name: str, drawings: list[Drawing], *, quick: bool) -> list[Fingerprint]:
    jobs = [work.Job(drawing) for drawing in drawings]
    [lines] = work.kept(label_of(name, quick=quick), jobs, ours.FINGERPRINT)
    return [ours.read(line) for line in lines]


@lru_cache(maxsize=2)
def _looks(quick: bool) -> dict[str, list[int]]:
    """The groups of each set, and of all together: pictures are compared across sets, once."""
    parts = {name: sets.drawings(name, quick=quick) for name in sets.SETS}
    everything = [drawing for part in parts.values() for drawing in part]
    first = truth.groups(label_of(sets.TOGETHER, quick=quick), everything)
    found = {sets.TOGETHER: first}
    start = 0
    for name, part in parts.items():
        mine = first[start : start + len(part)]
        found[name] = [mine.index(root) for root in mine]
        start += len(part)
    return found


def label_of(name: str, *, quick: bool) -> str:
    """A set's name in the cache."""
    return name.replace(" ", "-") + ("-quick" if quick else "")
