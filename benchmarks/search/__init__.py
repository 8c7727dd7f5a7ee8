"""Near matches among many designs, by our index and by other ways.

    python -m benchmarks --only search         # 100,000 designs, as `make bench` has it
    python -m benchmarks.search --help         # other sizes, many tenants, random hashes, rivals
    python -m benchmarks.search.calibrate      # how crowded hashes are, fitted anew

Copies are stored hashes with some of their bits turned over, any of them with the same chance: of
real copies, few bits are near enough to turning. Hashes are random, or as crowded as those of drawn
art (`crowd.py`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.pairs import PAIRS, QUICK_PAIRS, Row, timed
from benchmarks.search import library, ways
from benchmarks.search.crowd import Model
from benchmarks.search.measure import copies, pairs, searched
from benchmarks.shop import shop
from shared.database.designs import PostgresDesigns

CLAIM = "Near matches, crowded hashes of one tenant"
DESIGNS, QUICK_DESIGNS = 100_000, 10_000
COPIES, QUICK_COPIES = 200, 40
FOUND = 0.98
"""The share of copies within 15 bits that must be found."""


def rows(quick: bool) -> Iterator[Row]:
    count = QUICK_DESIGNS if quick else DESIGNS
    random = np.random.default_rng(0)
    hashes = Model.load().draw(random, count)
    asked = copies(random, hashes, QUICK_COPIES if quick else COPIES, 0, 15)
    with shop(timeout_s=library.TIMEOUT_S) as own:
        engine = own.engine
        library.fill(engine, hashes, tenants=1)
        user = library.tenant(0)
        ours = ways.ours(PostgresDesigns(engine), user)
        found = searched(ours, asked)
        name = f"{count:,} designs"
        yield Row(
            CLAIM,
            f"{name}: copies within 15 bits found",
            ours=100 * found.recall,
            ratios=(found.recall,),
            unit="%",
            note=f"{found.quantile(0.5):.1f} ms median, {found.quantile(0.99):.1f} ms at 99 %",
            floor=FOUND if quick else None,
        )
        for other, way, floor in (
            ("newest 1,000 in Python", ways.newest(engine, user), 4.0),
            ("every row in SQL", ways.brute_force(engine, user), 0.2),
        ):
            times = list(pairs(ours, way, asked, QUICK_PAIRS if quick else PAIRS))
            yield timed(CLAIM, name, other, times, floor=floor if quick else None)
