"""What a run found, in words and figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.soak.gauge import Sample, at, slope
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
        yield ""
        yield f"{'':12}{'memory, MB':>20}{'MB/h':>8}{'descriptors':>16}{'threads':>12}"
        yield f"{'':12}{'at 25 %':>12}{'end':>8}{'':>8}{'25 %':>10}{'end':>6}{'25 %':>7}{'end':>5}"
        for name in self.samples[-1].held:
            early, last = at(self.samples, name, 0.25), at(self.samples, name, 1)
            assert early is not None
            assert last is not None
            growth = slope(self.samples, lambda each, name=name: _memory(each, name))
            line = f"{name:12}{early.memory_mb:>12.0f}{last.memory_mb:>8.0f}{growth:>8.0f}"
            line += f"{early.descriptors:>10}{last.descriptors:>6}"
            yield f"{line}{early.threads:>7}{last.threads:>5}"
        early_at = self.samples[int(len(self.samples) * 0.25)]
        growth = slope(self.samples, lambda each: float(each.connections))
        yield (
            f"connections to the database: {early_at.connections} at 25 %, "
            f"{self.samples[-1].connections} at the end, {growth:+.1f} an hour"
        )
        yield ""


def _memory(sample: Sample, name: str) -> float | None:
    held = sample.held.get(name)
    return held.memory_mb if held else None


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.most_common()) or "none"
