"""Every claim of speed, each against its baselines, in one run.

    python -m benchmarks [--only NAME] [--quick] [--json]

Exits 1 where a ratio is below its floor.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from importlib import import_module
from itertools import groupby
from pathlib import Path

from benchmarks.machine import facts
from benchmarks.pairs import Row, table

MODULES = ("codec", "fingerprint", "verdict", "search", "intake", "cold")
"""In the order of their tables; each has ``rows(quick)``."""
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    options = _options()
    logging.disable()
    before = facts()
    print(", ".join(f"{name} {value}" for name, value in before.items()), flush=True)
    rows: list[Row] = []
    for name in options.only or MODULES:
        found: Callable[[bool], Iterator[Row]] = import_module(f"benchmarks.{name}").rows
        for claim, group in groupby(found(options.quick), key=lambda row: row.claim):
            print(f"\n{claim}", flush=True)
            own: list[Row] = []
            for row in group:
                own.append(row)
                lines = list(table([row]))
                print("\n".join(lines if len(own) == 1 else lines[1:]), flush=True)
            rows += own
    print(f"\nload {before['load']} at the start, {os.getloadavg()[0]:.1f} at the end")
    if options.json:
        _write(before, rows)
    return 0 if all(row.holds for row in rows) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", action="append", choices=MODULES, help="may be given again")
    parser.add_argument("--quick", action="store_true", help="less input, fewer pairs, floors")
    parser.add_argument("--json", action="store_true", help="write results/<date>.json too")
    return parser.parse_args()


def _write(machine: dict[str, object], rows: list[Row]) -> None:
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{machine['date']}.json"
    document = {
        "machine": {**machine, "load_after": round(os.getloadavg()[0], 1)},
        "rows": [{**asdict(row), "ratio": row.ratio} for row in rows],
    }
    file.write_text(json.dumps(document, indent=1) + "\n")
    print(f"written to {file}")


if __name__ == "__main__":
    sys.exit(main())
