"""Measure duplicate detection, print the tables and judge the floors: see the package."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks.quality import cache, packages
from benchmarks.quality.floors import floors
from benchmarks.quality.measure import measure
from benchmarks.quality.report import floor_table, report

RESULTS = Path(__file__).resolve().parents[1] / "results"


def _place(*, quick: bool) -> Path:
    """Where the tables go: beside the code; a quick run's and a read-only checkout's do not."""
    if quick or not os.access(RESULTS.parent, os.W_OK):
        return cache.folder("results") / ("quick.md" if quick else "quality.md")
    RESULTS.mkdir(exist_ok=True)
    return RESULTS / "quality.md"


def main(*, quick: bool) -> int:
    """The exit status: 0 where all floors hold, 1 where one is missed, 2 without npm's art."""
    try:
        packages.fetch()
    except packages.NoNpm as error:
        print(error, file=sys.stderr)
        return 2
    figures = measure(quick=quick)
    judged = floors(figures)
    path = _place(quick=quick)
    path.write_text(report(figures, judged, quick=quick), encoding="utf-8")
    print(floor_table(judged))
    missed = sum(not floor.holds for floor in judged)
    print(f"\n{len(judged) - missed} of {len(judged)} floors hold. All tables: {path}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(quick="--quick" in sys.argv[1:]))
