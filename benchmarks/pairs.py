"""What a benchmark answers: rows, each of pairs of runs in turn, of which the ratio counts.

A module under `benchmarks` that belongs to `make bench` has ``rows(quick: bool) -> Iterator[Row]``:
with ``quick`` a smaller input and `QUICK_PAIRS` pairs, and a ``floor`` on what is held in CI.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter

PAIRS = 5
"""Counted pairs, after one to warm up."""
QUICK_PAIRS = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a claim's table. ``ours`` and ``other`` are medians in ``unit``."""

    claim: str
    """The table that it belongs to."""
    name: str
    """What is measured, on what input."""
    ours: float
    baseline: str = ""
    """What it is compared with; empty where ``ours`` is a figure of its own."""
    other: float | None = None
    ratios: tuple[float, ...] = ()
    """Of each pair, how many times as much the other takes: more is better."""
    unit: str = "ms"
    note: str = ""
    """Further figures, such as sizes."""
    floor: float | None = None
    """The least median ratio that `make bench-quick` lets pass."""

    @property
    def ratio(self) -> float | None:
        return statistics.median(self.ratios) if self.ratios else None

    @property
    def holds(self) -> bool:
        return self.floor is None or self.ratio is None or self.ratio >= self.floor


def paired(
    claim: str,
    name: str,
    baseline: str,
    other: Callable[[], object],
    ours: Callable[[], object],
    *,
    quick: bool,
    note: str = "",
    floor: float | None = None,
) -> Row:
    """The row of two ways to do the same, called in turn, in milliseconds."""
    count = QUICK_PAIRS if quick else PAIRS
    times = [(_ms(other), _ms(ours)) for _ in range(count + 1)][1:]
    return timed(claim, name, baseline, times, note=note, floor=floor)


def timed(
    claim: str,
    name: str,
    baseline: str,
    times: list[tuple[float, float]],
    *,
    note: str = "",
    floor: float | None = None,
) -> Row:
    """The row of pairs (other, ours) that were timed elsewhere, in milliseconds."""
    return Row(
        claim=claim,
        name=name,
        baseline=baseline,
        ours=statistics.median(ours for _, ours in times),
        other=statistics.median(other for other, _ in times),
        ratios=tuple(other / ours for other, ours in times),
        note=note,
        floor=floor,
    )


def table(rows: list[Row]) -> Iterator[str]:
    """The lines of one claim's table."""
    yield f"{'':40}{'against':>26}{'other':>11}{'ours':>10}{'ratio':>8}{'least':>7}{'most':>7}"
    for row in rows:
        line = f"{row.name:40}{row.baseline:>26}"
        line += f"{row.other:>11.1f}" if row.other is not None else f"{'':>11}"
        line += f"{row.ours:>10.1f}"
        if row.ratios:
            line += f"{row.ratio:>8.2f}{min(row.ratios):>7.2f}{max(row.ratios):>7.2f}"
        else:
            line += f"{'':>22}"
        missed = "" if row.holds else f"  BELOW THE FLOOR OF {row.floor}"
        yield f"{line} {row.unit}  {row.note}{missed}".rstrip()


def _ms(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return (perf_counter() - started) * 1000
