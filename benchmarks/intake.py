"""Batches of wraps, taken in by Platen and by the plain workflow.

    python -m benchmarks --only intake

Both work on the same files, the same embedded PostgreSQL with 2,000 earlier designs of the tenant,
and a folder as NAS, in turn, each time for a tenant of its own.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from time import perf_counter, sleep
from uuid import UUID

from benchmarks import plain
from benchmarks.pairs import PAIRS, QUICK_PAIRS, Row, timed
from benchmarks.served import NAMES, ROOT, function
from benchmarks.shop import Shop, shop
from shared.driver.room import Room, preparing
from shared.driver.transports import Http, InProcess, Transport
from shared.driver.workflow import upload
from shared.messages import Result, UploadRequest
from shared.settings import Settings
from shared.wiring import Parts

PIPELINE = "Pipeline, in process; the note has ms a file of each step"
OVER_HTTP = "Pipeline, a process for each function; the baseline stays in one process"
MEMORY = "Peak memory of the command line, with its helpers"
PLAIN = "plain workflow"
TEMPLATE = "UVDTF 16oz"
SMALL = (2000, 950)
"""Pixels of what is taken in quickly, 1.9 MB."""
FEW, MANY = 2, 50
SETTLED = 8
"""Batches of few files that a process has taken in before it is measured: like one that has run for
a while it has its connections, and helpers that decode."""
EVERY_S = 0.02
"""Seconds between two looks at the memory in use."""
Take = Callable[[list[Path], UUID], Result]


def rows(quick: bool) -> Iterator[Row]:
    with shop() as own:
        few = own.files(FEW, *SMALL) if quick else own.files(FEW)
        size = f"{statistics.mean(file.stat().st_size for file in few) / 1e6:.1f} MB"
        settings = Settings(database_url=own.url, platen_home=own.home)
        with _in_process(settings) as take:
            yield _row(own, PIPELINE, f"{FEW} files of {size}", few, take, quick, floor=2.0)
        if quick:
            return
        with _over_http(own) as take:
            yield _row(own, OVER_HTTP, f"{FEW} files of {size}", few, take, quick)
        many = own.files(MANY)
        with _in_process(settings) as take:
            yield _row(own, PIPELINE, f"{MANY} files of {size}", many, take, quick)
        yield Row(MEMORY, f"{MANY} files of {size}", _peak_mb(own, many), unit="MB")


def _row(
    own: Shop,
    claim: str,
    name: str,
    files: list[Path],
    take: Take,
    quick: bool,
    floor: float | None = None,
) -> Row:
    # Many files are their own warm-up.
    for _ in range(SETTLED if len(files) == FEW else 0):
        take(files, own.tenant())
    pairs = [_pair(own, files, take) for _ in range(QUICK_PAIRS if quick else PAIRS)]
    times = [(other, ours) for other, ours, _ in pairs]
    note = _steps([result for *_, result in pairs])
    return timed(claim, name, PLAIN, times, note=note, floor=floor)


def _pair(own: Shop, files: list[Path], take: Take) -> tuple[float, float, Result]:
    """Milliseconds of the plain workflow and of Platen."""
    theirs, mine = own.tenant(), own.tenant()
    started = perf_counter()
    created = plain.upload(files, own.engine, theirs, own.home / "plain" / str(theirs))
    plain_ms = (perf_counter() - started) * 1000
    started = perf_counter()
    result = take(files, mine)
    ours_ms = (perf_counter() - started) * 1000
    assert created == result.summary.created == len(files)
    return plain_ms, ours_ms, result


@contextmanager
def _in_process(settings: Settings) -> Iterator[Take]:
    with closing(Parts(settings)) as parts:
        parts.designs.check()
        yield _taking(parts, InProcess(parts))


@contextmanager
def _over_http(own: Shop) -> Iterator[Take]:
    environment = {"DATABASE_URL": own.url, "PLATEN_HOME": str(own.home)}
    with ExitStack() as stack:
        urls = {f"{name}_url": stack.enter_context(function(name, environment)) for name in NAMES}
        settings = Settings(database_url=own.url, platen_home=own.home, **urls)
        parts = stack.enter_context(closing(Parts(settings)))
        yield _taking(parts, Http(settings))


def _taking(parts: Parts, transport: Transport) -> Take:
    def take(files: list[Path], tenant: UUID) -> Result:
        sources = [parts.source(file.name, file) for file in files]
        request = UploadRequest(template=TEMPLATE, user_id=str(tenant), shop=f"Shop {tenant}")
        here = isinstance(transport, InProcess)
        return upload(
            sources,
            request,
            transport,
            parts.settings,
            parts.executor,
            parts.workers,
            room=Room(parts.memory, preparing(parts, request)) if here else None,
        )

    return take


def _steps(results: list[Result]) -> str:
    outcomes = [outcome for result in results for outcome in result.outcomes]
    medians = {
        step: statistics.median(outcome.timings_ms.get(step, 0) for outcome in outcomes)
        for step in outcomes[0].timings_ms
    }
    return ", ".join(f"{step} {taken:.0f}" for step, taken in medians.items() if taken >= 1)


def _peak_mb(own: Shop, files: list[Path]) -> float:
    """Of the command line, which takes the files in as a new tenant."""
    environment = {"DATABASE_URL": own.url, "PLATEN_HOME": str(own.home)}
    words = ["-m", "shared.driver", "upload", "--template", TEMPLATE, "--user", str(own.tenant())]
    words += ["--json", *map(str, files)]
    peak = 0
    with subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, *words],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as taking:
        while taking.poll() is None:
            peak = max(peak, _held_by_session(taking.pid))
            sleep(EVERY_S)
    assert taking.returncode == 0
    return peak / 1e6


def _held_by_session(session: int) -> int:
    """Bytes that its processes hold. What several of them see is shared out among them."""
    held = 0
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # one that has ended meanwhile
            if os.getsid(int(place.name)) == session:
                lines = (place / "smaps_rollup").read_text().splitlines()
                held += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return held * 1024
