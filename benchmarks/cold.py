"""From the start of a function's process to its first answer, with its database or NAS asked.

python -m benchmarks --only cold
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from time import perf_counter

from benchmarks.pairs import PAIRS, Row
from benchmarks.served import NAMES, function
from benchmarks.shop import Shop, shop

CLAIM = "Cold start: the process to its first answer"


def rows(quick: bool) -> Iterator[Row]:
    if quick:
        return
    with shop() as own:
        for name in NAMES:
            times = [_start(own, name) for _ in range(PAIRS + 1)][1:]
            spread = f"{min(times):.0f} to {max(times):.0f}, {len(times)} starts"
            yield Row(CLAIM, name, statistics.median(times), note=spread)


def _start(own: Shop, name: str) -> float:
    """Milliseconds."""
    started = perf_counter()
    with function(name, {"DATABASE_URL": own.url, "PLATEN_HOME": str(own.home)}):
        return (perf_counter() - started) * 1000
