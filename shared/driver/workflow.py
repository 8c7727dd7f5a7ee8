"""The workflow: check, prepare and persist a batch's files, and what happens where that fails.

Files are checked and prepared ahead of each other on an executor; what was found is decided and
persisted strictly in the files' order, so numbers follow the upload and of two equal files the
first is filed. ``comprehensive`` is this on an executor that batches share, ``original`` on three
threads of the batch's own, and ``serially`` without any.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from time import perf_counter

from shared.driver.batch import Batch, Pace
from shared.driver.progress import Report
from shared.driver.room import Room
from shared.driver.serial import SerialExecutor
from shared.driver.transports import Transport
from shared.flows.rules import Judgement
from shared.flows.source import Source
from shared.identity import fresh_key, tenant
from shared.messages import Event, Progress, Result, UploadRequest
from shared.settings import Settings

log = logging.getLogger("platen.driver")

ORIGINAL_LIMIT = 2
"""A batch of at most this many files is the original workflow's: the workflow's own rule."""


def upload(
    sources: Sequence[Source],
    request: UploadRequest,
    transport: Transport,
    settings: Settings,
    executor: Executor,
    width: int,
    progress_callback: Progress | None = None,
    on_event: Callable[[Event], None] | None = None,
    room: Room | None = None,
) -> Result:
    """Take a batch in: one outcome for each file, in order, whatever happens to it.

    More than two files are worked on by the comprehensive workflow, on ``executor``, ``width`` at
    once; fewer by the original one. The files that have no outcome then, because it raised or
    ended without them, are worked on serially. ``progress_callback`` gets the workflow's steps and
    messages, ``on_event`` an event for each of them and for each outcome. ``room`` is the memory
    that the files are worked on in; None where that is another process's.
    """
    started = perf_counter()
    report = Report(len(sources), progress_callback, on_event)
    judgement = Judgement.of(request, settings)
    key = request.idempotency_key or fresh_key()
    batch = Batch(sources, request, key, judgement, transport, report, room)
    try:
        if len(sources) > ORIGINAL_LIMIT:
            report.started("comprehensive workflow")
            comprehensive(batch, executor, width)
        else:
            report.started(f"≤{ORIGINAL_LIMIT} images workflow")
            original(batch, checked_at_once=1 if room is None else ORIGINAL_LIMIT)
    except Exception as error:
        log.exception("the workflow broke off")
        report.fell_back(len(batch.ledger.left()), type(error).__name__)
    serially(batch)
    result = batch.ledger.result(key, perf_counter() - started)
    report.finished(tenant(request.user_id or settings.default_user), result.summary)
    return result


def comprehensive(batch: Batch, executor: Executor, width: int) -> None:
    """Run a batch ``width`` files wide. When that breaks, files are left without an outcome."""
    batch.run(Pace(executor, executor, checks_ahead=width, prepared_ahead=width, is_last=False))


def original(batch: Batch, checked_at_once: int) -> None:
    """Check both files at once, and prepare the second one while the first is persisted.

    Where each step has a process of its own, one is checked at a time: the second while the first
    is prepared, so that all processes are at work. When this breaks, files are left without an
    outcome.
    """
    with (
        ThreadPoolExecutor(checked_at_once, "check") as checking,
        ThreadPoolExecutor(1, "prepare") as preparing,
    ):
        batch.run(Pace(checking, preparing, checks_ahead=2, prepared_ahead=1, is_last=False))


def serially(batch: Batch) -> None:
    """Run what is left of a batch file after file: every file has an outcome then."""
    serial = SerialExecutor()
    batch.run(Pace(serial, serial, checks_ahead=1, prepared_ahead=0, is_last=True))
