"""What a run found, in words and figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.soak.gauge import Sample, slope
from benchmarks.soak.ledger import Request

TOLD = 20
"""Violations that are printed; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Report:
    seconds: float
    requests: Sequence[Request]
    injected: Counter[str]
    repaired: Counter[str]
    """What reconcile put right, by kind."""
    samples: Sequence[Sample]
    violations: Sequence[str]

    def lines(self) -> Iterator[str]:
        whole = [request.results[-1] for request in self.requests if request.results]
        outcomes = Counter(each.outcome.value for result in whole for each in result.outcomes)
        retries = Counter(why for request in self.requests for why in request.retries)
        rate = len(whole) / self.seconds * 60
        yield f"{'minutes':12}{self.seconds / 60:.1f}"
        yield f"{'uploads':12}{len(whole)}, {rate:.0f} a minute; files: {_counted(outcomes)}"
        yield f"{'retries':12}{_counted(retries)}"
        yield f"{'faults':12}{_counted(self.injected)}"
        yield f"{'reconcile':12}repaired: {_counted(self.repaired)}"
        if self.samples:
            yield from self._held()
        yield f"{'violations':12}{len(self.violations) or 'none'}"
        yield from (f"  {each}" for each in self.violations[:TOLD])

    def _held(self) -> Iterator[str]:
        """Growth over the second half: by then everything that is killed has been, and is warm."""
        later = self.samples[len(self.samples) // 2 :]
        yield ""
        yield f"{'':12}{'memory, MB':>20}{'MB/h':>8}{'descriptors':>16}{'threads':>12}"
        yield f"{'':12}{'at 50 %':>12}{'end':>8}{'':>8}{'50 %':>10}{'end':>6}{'50 %':>7}{'end':>5}"
        for name in dict.fromkeys(name for sample in later for name in sample.held):
            own = [(each.at_s, each.held[name]) for each in later if name in each.held]
            growth = slope([(at_s, held.memory_mb) for at_s, held in own])
            (_, early), (_, last) = own[0], own[-1]
            line = f"{name:12}{early.memory_mb:>12.0f}{last.memory_mb:>8.0f}{growth:>8.0f}"
            line += f"{early.descriptors:>10}{last.descriptors:>6}"
            yield f"{line}{early.threads:>7}{last.threads:>5}"
        growth = slope([(each.at_s, each.connections) for each in later])
        yield (
            f"connections to the database: {later[0].connections} at 50 %, "
            f"{later[-1].connections} at the end, {growth:+.1f} an hour"
        )
        yield ""


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.most_common()) or "none"
