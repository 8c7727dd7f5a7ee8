"""All functions under load and faults; at the end everything promised is looked at.

    python -m benchmarks.soak [--minutes 20] [--clients 4] [--faults 0.01] [--nas smb] [--seed 1]

Workers are killed in the first half only, so that the slope of memory in the second is that of
processes which lived through it. Exits 1 where a promise was not kept. Ctrl-C ends it early, with
the table; a second one at once, without.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep
from types import FrameType

from benchmarks.soak.art import Studio
from benchmarks.soak.audit import Stores, agreeing, kept, single, told
from benchmarks.soak.clients import TEMPLATE, Client, Send, by_driver, over_http
from benchmarks.soak.faults import Faults, kill_workers
from benchmarks.soak.gauge import Gauge, Sample
from benchmarks.soak.ledger import Request
from benchmarks.soak.site import LOG, Functions, Site, functions, site
from benchmarks.soak.table import Report
from shared.flows.rules import Judgement
from shared.identity import tenant
from shared.messages import UploadRequest
from shared.settings import Settings
from shared.wiring import Parts

SELLERS = 2
"""Fewer than clients, so that some race for the same seller."""
KILLS = 6
"""In the first half, at even distances; each function in turn."""
GRACE_S = 2.0
"""What reconcile leaves alone: nobody is at work any more by then."""


def main() -> int:
    options = _options()
    logging.disable()
    over = _ended_by_signals()
    home = Path(tempfile.mkdtemp(prefix="platen-soak-"))
    # Not closed to other users: a server of root's runs as one of them.
    home.chmod(0o755)
    is_clean = False
    try:
        report = _run(options, home, over)
        print("\n".join(report.lines()), flush=True)
        is_clean = not report.violations
    finally:
        os.chdir("/")
        if is_clean:
            shutil.rmtree(home)
        else:
            print(f"rows, files and {LOG} are kept in {home}")
    return 0 if is_clean else 1


def _run(options: argparse.Namespace, home: Path, over: Event) -> Report:
    faults = Faults(options.faults, options.seed)
    with site(home, options.nas, faults) as own:
        started = monotonic()
        requests, samples = _load(options, own, faults, over)
        seconds = monotonic() - started
        faults.over.set()
        with closing(Parts(Settings(database_url=own.database_url))) as parts:
            violations, repaired = _audit(own, parts, requests)
    return Report(seconds, requests, faults.injected, repaired, samples, violations)


def _load(
    options: argparse.Namespace, own: Site, faults: Faults, over: Event
) -> tuple[list[Request], list[Sample]]:
    """Have the clients work for the time; what they were told, and what was held meanwhile."""
    with ExitStack() as stack:
        running = stack.enter_context(functions(own))
        urls = {f"{name}_url": url for name, url in running.urls.items() if name != "upload"}
        settings = Settings(database_url=own.database_url, **urls)
        parts = stack.enter_context(closing(Parts(settings)))
        sellers = [f"Seller {number}" for number in range(SELLERS)]
        for seller in sellers:
            parts.designs.save_template(tenant(seller), TEMPLATE)
        studios = [Studio(options.seed * 1_000_000 + n * 100_000) for n in range(SELLERS)]
        gauge = stack.enter_context(Gauge({**running.pids, "driver": os.getpid()}, own.engine))
        clients = []
        for number in range(options.clients):
            at = number % SELLERS
            # Of each seller's clients every second one is a driver.
            is_driver = number // SELLERS % 2
            seed = options.seed * 1000 + number
            send: Send = by_driver(parts) if is_driver else over_http(running.urls["upload"], seed)
            clients.append(Client(sellers[at], studios[at], send, seed, over))
        with _working(clients):
            _wait(options.minutes * 60, running, faults, over)
            over.set()
    return [request for client in clients for request in client.ledger], gauge.samples


@contextmanager
def _working(clients: Sequence[Client]) -> Iterator[None]:
    # Daemons: a second Ctrl-C waits for none of them.
    threads = [Thread(target=client.run, daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()


def _wait(seconds: float, running: Functions, faults: Faults, over: Event) -> None:
    """Kill workers now and then, until the time or a signal has come."""
    started = monotonic()
    turns = list(running.pids.values())
    for turn in range(KILLS):
        if over.wait(started + seconds / 2 * (turn + 1) / KILLS - monotonic()):
            return
        faults.injected["worker killed"] += kill_workers(turns[turn % len(turns)])
    over.wait(started + seconds - monotonic())


def _audit(own: Site, parts: Parts, requests: list[Request]) -> tuple[list[str], Counter[str]]:
    """The violations, and what reconcile put right."""
    before = Stores.read(own.engine, own.folder, parts.places)
    violations = [*told(requests), *kept(requests, before)]
    sleep(GRACE_S + 1)
    repaired: Counter[str] = Counter()
    for each in parts.reconcile(repair=True, verify=True, grace_h=GRACE_S / 3600):
        if each.repaired:
            repaired[each.trouble.value] += 1
        else:
            violations.append(f"reconcile: {each.trouble.value}: {each.file_path}: {each.message}")
    after = Stores.read(own.engine, own.folder, parts.places)
    rule = Judgement.of(UploadRequest(template=TEMPLATE.name), parts.settings).rule
    found = [*kept(requests, after), *agreeing(after), *single(after, rule)]
    violations += [each for each in found if each not in violations]
    return violations, repaired


def _ended_by_signals() -> Event:
    """Set by the first signal that asks for the end; the next one ends this process in order."""
    over, asked = Event(), Event()

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a handler's signature
        if asked.is_set():
            sys.exit(128 + number)
        asked.set()
        over.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    return over


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="soak", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--faults", type=float, default=0.01, help="share of uploads, 0 to 1")
    parser.add_argument("--nas", choices=["smb"], help="a Samba server in place of a folder")
    parser.add_argument("--seed", type=int, default=1, help="of the art and the faults")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
