"""Near matches at any size, against every rival that is installed: `--help`."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable

import numpy as np
import sqlalchemy as sa

from benchmarks.search import library, ways
from benchmarks.search.crowd import Hashes, Model, Random, uniform
from benchmarks.search.measure import KINDS, Copy, Searched, copies, searched, unseen
from benchmarks.shop import shop
from shared.database.designs import PostgresDesigns

INSERTS = 300


def main() -> None:
    options = _options()
    random = np.random.default_rng(0)
    draw = uniform if options.random else Model.load().draw
    hashes = draw(random, options.designs)
    kind = "random" if options.random else "crowded"
    print(
        f"{options.designs:,} designs of {options.tenants:,} tenants, {kind} hashes;"
        f" {platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"
    )
    with shop(timeout_s=library.TIMEOUT_S) as site:
        engine = site.engine
        print(f"loaded in {library.fill(engine, hashes, options.tenants):.0f} s", flush=True)
        own = hashes[:: options.tenants]
        asked = {
            name: copies(random, own, min(options.copies, len(own)), *turned)
            for name, turned in KINDS.items()
        }
        asked["a new design"] = unseen(draw(random, options.copies))
        print(f"{'ms a search':28}{'':16}{'median':>9}{'99 %':>9}{'found':>9}")
        _print("index of keys", ways.ours(PostgresDesigns(engine), library.tenant(0)), asked)
        _rivals(engine, own, asked, options)
        _print_sizes(engine, random)


def _rivals(
    engine: sa.Engine,
    own: Hashes,
    asked: dict[str, list[Copy]],
    options: argparse.Namespace,
) -> None:
    """Fewer copies, since some take long. FAISS holds one tenant's hashes, pgvector all."""
    user = library.tenant(0)
    few = {name: some[: options.slow] for name, some in asked.items() if name != "15 bits"}
    made: dict[str, Callable[[], ways.Way]] = {
        "newest 1,000 in Python": lambda: ways.newest(engine, user),
        "every row in SQL": lambda: ways.brute_force(engine, user),
        "FAISS, every hash": lambda: ways.faiss(own, "IndexBinaryFlat"),
        "FAISS, 16 hash tables": lambda: ways.faiss(own, "IndexBinaryMultiHash"),
        "pgvector, HNSW": lambda: ways.hnsw(engine),
    }
    for name, make in made.items():
        if name.startswith("pgvector") and not options.hnsw:
            continue
        try:
            way = make()
        except ImportError:
            print(f"{name}: not installed (benchmarks/requirements.txt)")
        else:
            _print(name, way, few)


def _print(name: str, way: ways.Way, asked: dict[str, list[Copy]]) -> None:
    for kind, some in asked.items():
        way(some[0].hash)
        found = searched(way, some)
        share = f"{found.recall:>9.1%}" if some[0].design else f"{'':>9}"
        print(f"{name:28}{kind:16}{_times(found)}{share}", flush=True)


def _times(found: Searched) -> str:
    return f"{found.quantile(0.5):>9.2f}{found.quantile(0.99):>9.2f}"


def _print_sizes(engine: sa.Engine, random: Random) -> None:
    index, narrow, wide = library.sizes(engine)
    megabytes = [f"{size / 1e6:.0f} MB" for size in (index, narrow, wide)]
    print("index of keys {}, hashes {}, designs {}".format(*megabytes))
    new = Model.load().draw(random, 2 * INSERTS)
    with_index = library.inserts(engine, new[:INSERTS])
    with library.session(engine) as connection:
        connection.execute(sa.text(f"DROP INDEX {library.INDEX}"))
    without = library.inserts(engine, new[INSERTS:])
    print(f"an insert takes {with_index:.2f} ms with the index and {without:.2f} ms without it")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.search", description=__doc__)
    parser.add_argument("--designs", type=int, default=100_000, metavar="N")
    parser.add_argument("--tenants", type=int, default=1, metavar="N", help="that own as many each")
    parser.add_argument("--random", action="store_true", help="random hashes, not crowded ones")
    parser.add_argument(
        "--copies", type=int, default=500, metavar="N", help="looked for, of a kind"
    )
    parser.add_argument("--slow", type=int, default=50, metavar="N", help="the same, for rivals")
    parser.add_argument("--hnsw", action="store_true", help="pgvector too, whose index takes long")
    return parser.parse_args()


if __name__ == "__main__":
    main()
