"""A batch on its way through check, preparation and persisting, its files ahead of each other."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ParamSpec
from uuid import UUID

from shared.driver import tasks
from shared.driver.ledger import Ledger
from shared.driver.progress import Report
from shared.driver.room import Room
from shared.driver.serial import SerialExecutor
from shared.driver.transports import Transport
from shared.driver.turns import Turns
from shared.errors import (
    DuplicateDesign,
    InternalError,
    KeyReused,
    PlatenError,
    StagedFileMissing,
    unforeseen,
)
from shared.fingerprint.lookalike import TESTS
from shared.fingerprint.match import evidence, matches, stronger
from shared.flows.dedupe import earlier
from shared.flows.rules import Judgement
from shared.flows.source import Source
from shared.messages import (
    DedupeResponse,
    Filed,
    Finding,
    Milliseconds,
    Outcome,
    Problem,
    ProcessResponse,
    UploadRequest,
)
from shared.records import Candidate, Fingerprint, Match, Probe, State, Template, Tier, Verdict

log = logging.getLogger("platen.driver")

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Pace:
    """How a batch is run: on which executors, how many files ahead, and whether for the last time.

    The last run gives every file an outcome, whatever goes wrong; an earlier one raises, and
    leaves what it did not settle to the next.
    """

    checking: Executor
    preparing: Executor
    checks_ahead: int
    prepared_ahead: int
    is_last: bool


@dataclass(frozen=True, slots=True)
class _Checked:
    """A file that was checked and may be filed."""

    at: int
    finding: Finding
    template: Template
    match: Match | None
    rival: int | None
    """Position of the earlier file of the batch that the match names."""
    waits: bool
    """Whether it is filed only if that one is not."""


_Check = tuple[int, Future[DedupeResponse | Problem]]
_Preparation = tuple[_Checked, Future[ProcessResponse | Problem] | None]
"""None where the fate of the batch's earlier file decides first."""


class Batch:
    """One request's files. Only the driver's thread is in here; tasks take and give values."""

    def __init__(
        self,
        sources: Sequence[Source],
        request: UploadRequest,
        key: str,
        judgement: Judgement,
        transport: Transport,
        report: Report,
        room: Room | None = None,
    ) -> None:
        self._sources = sources
        self._request = request
        self._key = key
        self._judgement = judgement
        self._transport = transport
        self._report = report
        self._room = room
        self._earlier: dict[int, Candidate] = {}
        self._own: set[UUID] = set()
        self._turns = Turns()
        self.ledger = Ledger([source.filename for source in sources], self._settled)

    def run(self, pace: Pace) -> None:
        """Take the files that have no outcome through the steps, in their order."""
        waiting = deque(self.ledger.left())
        checks: deque[_Check] = deque()
        prepared: deque[_Preparation] = deque()
        try:
            self._work(pace, waiting, checks, prepared)
        finally:
            # Whoever goes on with these files must not meet a task that is still at one of them.
            _end([future for _, future in [*checks, *prepared] if future])
            for at in self.ledger.left():
                self._let_go(at)

    def _work(
        self,
        pace: Pace,
        waiting: deque[int],
        checks: deque[_Check],
        prepared: deque[_Preparation],
    ) -> None:
        while waiting or checks or prepared:
            while waiting and len(checks) < pace.checks_ahead:
                at = waiting[0]
                with self._settling(at, pace):
                    if not self._enters(at):
                        break
                    checks.append((at, self._check(at, pace)))
                waiting.popleft()
            if checks:
                at, check = checks.popleft()
                with self._settling(at, pace):
                    checked = self._decide(at, check.result())
                    if checked is not None:
                        prepared.append((checked, self._prepare(checked, pace.preparing)))
            if prepared and (len(prepared) > pace.prepared_ahead or not checks):
                checked, preparation = prepared.popleft()
                with self._settling(checked.at, pace):
                    self._finish(checked, preparation)

    @contextmanager
    def _settling(self, at: int, pace: Pace) -> Iterator[None]:
        """Whatever goes wrong on the last run is the file's outcome."""
        try:
            yield
        except PlatenError as error:
            self.ledger.failed(at, Problem.of(error))
        except Exception as error:
            if not pace.is_last:
                raise
            log.exception("a file failed unexpectedly")
            self.ledger.failed(at, Problem.of(unforeseen(error)))

    def _check(self, at: int, pace: Pace) -> Future[DedupeResponse | Problem]:
        source = self._sources[at]
        return pace.checking.submit(
            tasks.check, self._transport, source, self._request, self._key, at
        )

    def _decide(self, at: int, answer: DedupeResponse | Problem) -> _Checked | None:
        """What is to be done with a checked file; None where that settles it."""
        self._tell(at, self._report.checking, at, self._sources[at].filename)
        if isinstance(answer, Problem):
            self.ledger.failed(at, answer)
            return None
        finding = answer.files[0]
        self._own.add(finding.design_id)
        if finding.error is not None:
            self.ledger.failed(at, finding.error, finding)
            return None
        if finding.recorded is not None:
            return self._resume(at, finding, finding.recorded, answer.template)
        rival, match = self._match(at, finding)
        self._tell(at, self._report.checked, finding, match)
        is_stopped = match is not None and self._stops(at, match)
        # A design that isn't filed yet may still come to nothing.
        if match and is_stopped and (self._request.check_only or match.state is State.ACTIVE):
            self._stop(at, match, finding.timings_ms)
            return None
        waits = is_stopped and rival is not None
        if not waits:
            self._earlier[at] = _candidate(at, finding)
        if self._request.check_only:
            self.ledger.checked(at, match, finding.timings_ms)
            return None
        return _Checked(at, finding, answer.template, match, rival, waits)

    def _stops(self, at: int, match: Match) -> bool:
        return self._judgement.stops(match) and not tasks.allows(self._request, at)

    def _stop(self, at: int, match: Match, timings: Milliseconds) -> None:
        """Settle a file that its match keeps from being filed."""
        if match.verdict is Verdict.SIMILAR:
            self.ledger.held(at, match, timings)
        else:
            self.ledger.duplicate(at, match, timings)

    def _resume(
        self, at: int, finding: Finding, recorded: Filed, template: Template
    ) -> _Checked | None:
        """Go on from what an earlier request under the same key has recorded.

        Raises KeyReused where that one asked for the other kind of product.
        """
        if recorded.is_digital != self._request.digital:
            raise KeyReused
        rival, match = self._match(at, finding)
        # What it was filed beside was no duplicate, whatever is held today.
        if match and match.verdict is Verdict.DUPLICATE and self._stops(at, match):
            rival, match = None, None
        checked = _Checked(at, finding, template, match, rival, waits=False)
        self._earlier[at] = _candidate(at, finding)
        if recorded.is_active:
            self.ledger.created(at, recorded, self._evidence(checked), finding.timings_ms)
            return None
        if self._request.check_only:
            self.ledger.checked(at, match, finding.timings_ms)
            return None
        return checked

    def _match(self, at: int, finding: Finding) -> tuple[int | None, Match | None]:
        """The match that decides, and the earlier file of the batch where it is one.

        Of equal verdicts, a file of the batch comes before a design of the library.
        """
        before = [candidate for position, candidate in self._earlier.items() if position < at]
        probe = Probe(*_prints(finding), design_id=finding.design_id)
        rival = evidence(probe, matches(probe, before, self._judgement.rule), Tier.BATCH)
        match = stronger(rival, self._in_library(finding))
        if match is None or match is not rival:
            return None, match
        found = (c.sequence for c in before if c.design_id == match.design_id)
        return next(found), match

    def _in_library(self, finding: Finding) -> Match | None:
        """What dedupe found, but for a look-alike in the same batch.

        Whether that one was filed by then is chance, and the same request must get the same answer.
        """
        match = finding.match
        is_chance = match and match.test in TESTS and match.design_id in self._own
        return None if is_chance else match

    def _prepare(
        self, checked: _Checked, executor: Executor
    ) -> Future[ProcessResponse | Problem] | None:
        """Start on the print file, unless the fate of the batch's earlier file decides first."""
        if checked.waits:
            return None
        at, source = checked.at, self._sources[checked.at]
        self._tell(at, self._report.processing, at, source.filename, self._request.digital)
        request = tasks.process_request(self._request, checked.template, checked.finding.design_id)
        return executor.submit(tasks.prepare, self._transport, source, request)

    def _finish(
        self, checked: _Checked, preparation: Future[ProcessResponse | Problem] | None
    ) -> None:
        if preparation is None:
            match = self._evidence(checked)
            if match and match.state is State.ACTIVE and self._stops(checked.at, match):
                self._stop(checked.at, match, checked.finding.timings_ms)
                return
            # The file it waited for was not filed after all: this one is, if it can be.
            checked = replace(checked, rival=None, match=match, waits=False)
            preparation = self._prepare(checked, SerialExecutor())
            self._earlier[checked.at] = _candidate(checked.at, checked.finding)
        processed = preparation.result() if preparation else Problem.of(InternalError())
        if isinstance(processed, Problem):
            self.ledger.failed(checked.at, processed, checked.finding)
        else:
            self._persist(checked, processed)

    def _evidence(self, checked: _Checked) -> Match | None:
        """The match, an earlier file of the batch as it was filed; else what the library has."""
        if checked.rival is None or checked.match is None:
            return checked.match
        filed = self.ledger.design(checked.rival)
        if filed is not None:
            return _filed(checked.match, filed)
        other = self._in_library(checked.finding)
        # The earlier file may have got as far as a pending row.
        return other if other and other.design_id != checked.match.design_id else None

    def _persist(self, checked: _Checked, processed: ProcessResponse) -> None:
        at, finding = checked.at, checked.finding
        self._tell(at, self._report.processed, finding.file, processed)
        request = tasks.persist_request(self._request, checked.template, finding, processed)
        timings = _added(finding.timings_ms, processed.timings_ms)
        try:
            persisted = self._transport.persist(self._sources[at], request)
        except DuplicateDesign as error:
            match = Match.model_validate(error.match)
            self._tell(at, self._report.overtaken, finding.file, match)
            self._stop(at, match, timings)
            return
        except PlatenError as error:
            if _stays(error):
                self._tell(at, self._report.waiting, finding.file, finding.design_id, self._key)
            self.ledger.failed(at, Problem.of(error), finding)
            return
        self._tell(at, self._report.persisted, finding.file, processed, persisted)
        timings = _added(timings, persisted.timings_ms)
        self.ledger.created(at, persisted.design, self._evidence(checked), timings)

    def _enters(self, at: int) -> bool:
        """Whether there is memory to work on a file: always where no other one is worked on."""
        return self._room is None or self._room.enter(at, self._sources[at])

    def _let_go(self, at: int) -> None:
        self._sources[at].release()
        if self._room is not None:
            self._room.leave(at)

    def _settled(self, at: int, outcome: Outcome) -> None:
        self._let_go(at)
        self._tell(at, self._report.settled, outcome)
        self._turns.end(at)

    def _tell(self, at: int, say: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Report something of the file at a position, in its turn."""
        self._turns.tell(at, partial(say, *args, **kwargs))


def _end(tasks_under_way: list[Future[Any]]) -> None:
    """Return when none of the tasks runs any more; those that did not start never will."""
    for task in tasks_under_way:
        task.cancel()
    wait(tasks_under_way)


def _candidate(at: int, finding: Finding) -> Candidate:
    """A checked file as the later ones of its batch are compared with it."""
    return earlier(Probe(*_prints(finding)), finding.design_id, finding.file, at)


def _prints(finding: Finding) -> tuple[Fingerprint, str]:
    """What a checked file is known again by."""
    if finding.fingerprint is None or finding.upload_sha256 is None:
        raise InternalError
    return finding.fingerprint, finding.upload_sha256


def _stays(error: PlatenError) -> bool:
    """Whether the print file of a design that could not be persisted stays on the NAS.

    It is removed where no retry can help, but where the NAS refuses to give it its name: its row
    is pending then, and the same request finishes it once the NAS takes it.
    """
    if error.code == StagedFileMissing.code:
        return False
    return error.retryable or error.code.startswith("nas_")


def _filed(match: Match, design: Filed) -> Match:
    """The match with an earlier file of the batch, now that it is filed."""
    return match.model_copy(
        update={
            "design_id": design.id,
            "filename": design.filename,
            "file_path": design.file_path,
            "state": State.ACTIVE,
        }
    )


def _added(one: Milliseconds, other: Milliseconds) -> Milliseconds:
    """Timings of two steps of a file, step by step."""
    names = [*one, *(name for name in other if name not in one)]
    return {name: round(one.get(name, 0) + other.get(name, 0), 3) for name in names}
