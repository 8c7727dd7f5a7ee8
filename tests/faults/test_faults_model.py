"""Any order of uploads, faults, repairs and other hands, against what was promised about each.

Hypothesis draws the orders; what a step promised is kept beside and compared after every step.
``MODEL_EXAMPLES=1000 pytest tests/faults/test_faults_model.py`` draws as many anew; without it they
are the same each time, so that CI finds today what it found yesterday.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import os
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from faults_model import Art, Fault, How, Killed, Of, Place, Request, Visit, beset, drawn
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from shared.database.designs import PostgresDesigns
from shared.driver.serial import SerialExecutor
from shared.driver.transports import InProcess
from shared.driver.workflow import upload
from shared.errors import InternalError, KeyReused, PlatenError
from shared.flows.reconcile import reconcile
from shared.flows.sweep import sweep
from shared.identity import design_id, tenant
from shared.messages import Discrepancy, Done, Filed, Result, Trouble, UploadRequest
from shared.nas.folder import FolderNas
from shared.nas.memory import MemoryNas
from shared.nas.names import STAGING, staged
from shared.ports import Nas
from shared.records import State, Template
from shared.settings import Settings
from shared.wiring import Parts

TINY = Template(name="Tiny UV", width_in=1, height_in=0.5, dpi=72)
SELLER = "seller"
USER = tenant(SELLER)
FOLDERS = {False: "NookTransfers/Nook/Tiny UV", True: "NookTransfers/Nook/Digital/Tiny UV"}
PREFIX = {False: "UV", True: "Digital"}

EVERY_AGE = -60.0
"""Seconds of grace by which everything is old."""
AN_HOUR = 3600.0

ROWS = sa.text(
    "SELECT id, state, is_active, is_digital, number, file_path, file_size, file_sha256,"
    " upload_sha256, content_sha256 FROM design_images ORDER BY sequence"
)

STEPS = 20
"""Most steps of one order."""
EXAMPLES = os.environ.get("MODEL_EXAMPLES")

REQUESTS = st.builds(
    Request,
    key=st.sampled_from(["k1", "k2", "k3", "k4", "k5", "k6"]),
    arts=st.lists(st.integers(0, 9), min_size=1, max_size=3).map(tuple),
    digital=st.sampled_from([False, False, False, True]),
    allow=st.sampled_from([False] * 7 + [True]),
)
PLACES = st.one_of(
    st.builds(Place, st.integers(1, most), st.just(of))
    for of, most in ((Of.ALL, 100), (Of.CHANGES, 25), (Of.UNITS, 9), (Of.ENDS, 8))
)
"""One file's upload has about fifty points: a dozen at changes, three at its transaction."""
UNITS = st.builds(Place, st.integers(1, 3), st.just(Of.UNITS))
PICKS = st.integers(0, 99)


class World:
    """What all orders of one run share: a database, the arts, and the count of their steps."""

    def __init__(self, engine: sa.Engine, home: Path, new_nas: Callable[[], Nas]) -> None:
        self.engine = engine
        self.new_nas = new_nas
        self.parts = Parts(Settings(database_url=str(engine.url), platen_home=home))
        self.parts._designs = PostgresDesigns(engine)
        self.parts.designs.save_template(USER, TINY)
        self.arts = drawn(self.parts)
        self.pictures = {art.content: art.picture for art in self.arts}
        """Contents' pictures."""
        self.counts: Counter[str] = Counter()

    def rows(self) -> list[sa.Row[Any]]:
        with self.engine.connect() as connection:
            return list(connection.execute(ROWS))

    def change(self, *statements: str, **values: object) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement), values)


class Model(RuleBasedStateMachine):
    """The shop as it should be."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        world.change(
            *(f"DELETE FROM {table}" for table in ("design_images", "shops", "folder_numbers"))  # noqa: S608 - no input
        )
        self._count("orders")
        self.nas = world.new_nas()
        self.parts = world.parts
        self.parts._nas = self.nas
        self.sent: list[Request] = []
        self.told: dict[UUID, Filed] = {}
        """Designs that a request was told to have created."""
        self.askers: dict[UUID, Request] = {}
        """The last request that was told so of each."""
        self.wanted: set[frozenset[str]] = set()
        """Pairs of contents that may have been filed beside each other as asked."""
        self.removed: set[UUID] = set()
        self.lost: set[UUID] = set()
        """Active designs whose file was taken away or spoiled by hand."""
        self.by_hand: dict[str, bytes] = {}
        """Files that no upload made."""
        self.given: dict[str, UUID] = {}
        """Paths that a row was ever seen with."""
        self.wrong: Exception | None = None
        """What a visit has found: the step that was visited takes it for a failure of its own."""

    # What happens

    @rule(request=REQUESTS)
    def upload(self, request: Request) -> None:
        self._foreseen(request)

    @precondition(lambda self: self.sent)
    @rule(pick=PICKS)
    def send_again(self, pick: int) -> None:
        self._foreseen(self._earlier(pick))

    @rule(request=REQUESTS, place=PLACES, how=st.sampled_from(How))
    def upload_breaks(self, request: Request, place: Place, how: How) -> None:
        self._broken(request, Fault(place, how))

    @precondition(lambda self: self.sent)
    @rule(pick=PICKS, place=PLACES, how=st.sampled_from(How))
    def send_again_breaks(self, pick: int, place: Place, how: How) -> None:
        self._broken(self._earlier(pick), Fault(place, how))

    @rule(one=REQUESTS, other=REQUESTS, place=PLACES, same=st.booleans())
    def uploads_meet(self, one: Request, other: Request, place: Place, same: bool) -> None:
        if same:
            other = other._replace(arts=one.arts)
        self._met(one, self._visit(place, lambda: self._sent(self.parts, other)))

    @rule(pick=PICKS, place=UNITS)
    def uploads_of_something_new_meet(self, pick: int, place: Place) -> None:
        has = {self.world.pictures[row.content_sha256] for row in self.world.rows()}
        new = [at for at, art in enumerate(self.world.arts) if art.picture not in has]
        if new:
            keys = (f"{which}-{len(self.sent)}" for which in ("one", "other"))
            one, other = (Request(key, (new[pick % len(new)],), False, False) for key in keys)
            self._met(one, self._visit(place, lambda: self._sent(self.parts, other)))

    @precondition(lambda self: self.sent)
    @rule(pick=PICKS, place=PLACES)
    def upload_meets_itself(self, pick: int, place: Place) -> None:
        request = self._earlier(pick)
        self._met(request, self._visit(place, lambda: self._sent(self.parts, request)))

    @rule(request=REQUESTS, place=PLACES)
    def upload_meets_reconcile(self, request: Request, place: Place) -> None:
        self._broken(request, self._visit(place, lambda: self._reconciled(self.parts)))

    @rule(request=REQUESTS, place=PLACES)
    def upload_meets_sweep(self, request: Request, place: Place) -> None:
        self._broken(request, self._visit(place, lambda: self._swept(EVERY_AGE)))

    @rule(request=REQUESTS, place=PLACES)
    def reconcile_meets_upload(self, request: Request, place: Place) -> None:
        self._count("reconcile_meets_upload")
        self._reconciled(
            beset(self.parts, self._visit(place, lambda: self._sent(self.parts, request)))
        )

    @rule(place=PLACES, how=st.sampled_from(How))
    def reconcile_breaks(self, place: Place, how: How) -> None:
        with suppress(Killed, PlatenError):
            self._reconciled(beset(self.parts, Fault(place, how)))

    @rule()
    def reconcile(self) -> None:
        rows, files = self.world.rows(), self._files()
        pending = [row for row in rows if row.state == State.PENDING.value]
        needed = {staged(row.id, row.file_sha256) for row in pending}
        stored = self.parts.places.stored
        expected = Counter(
            [(Trouble.PENDING, row.file_path, True) for row in pending]
            + [
                (self._trouble(row, files), row.file_path, False)
                for row in rows
                if row.id in self.lost and row.is_active
            ]
            + [
                (Trouble.LEFTOVER, stored(path), True)
                for path in files
                if path.startswith(STAGING) and path not in needed
            ]
        )

        found = self._reconciled(self.parts)

        recorded = {row.file_path for row in self.world.rows()}
        strangers = [stored(path) for path in self.by_hand if stored(path) not in recorded]
        expected.update((Trouble.UNRECORDED, path, False) for path in strangers)
        assert Counter((each.trouble, each.file_path, each.repaired) for each in found) == expected
        assert all(row.state == State.ACTIVE.value for row in self.world.rows())
        assert not [path for path in self._files() if path.startswith(STAGING)]
        again = self._reconciled(self.parts)
        assert again == [each for each in found if not each.repaired]

    @rule()
    def reconcile_leaves_young_work_alone(self) -> None:
        rows, files = self.world.rows(), self._files()
        found = self._reconciled(self.parts, AN_HOUR)
        assert {each.trouble for each in found} <= {Trouble.MISSING, Trouble.SIZE, Trouble.CONTENT}
        assert {each.design_id for each in found} == self.lost - self.removed
        assert (self.world.rows(), self._files()) == (rows, files)

    @rule(grace=st.sampled_from([EVERY_AGE, EVERY_AGE, AN_HOUR]))
    def sweep(self, grace: float) -> None:
        self._swept(grace)

    @precondition(lambda self: self.told)
    @rule(pick=PICKS, copies_too=st.booleans())
    def shop_removes_a_design(self, pick: int, copies_too: bool) -> None:
        active = [row for row in self.world.rows() if row.is_active]
        if not active:
            return
        gone = active[pick % len(active)]
        picture = self.world.pictures[gone.content_sha256]
        for row in active:
            if row is gone or (copies_too and self._shows(row, picture)):
                query = "UPDATE design_images SET is_active = false WHERE id = :id"
                self.world.change(query, id=row.id)
                self.removed.add(row.id)

    @rule(pick=PICKS)
    def somebody_takes_a_file_away(self, pick: int) -> None:
        files = sorted(self._files())
        if files:
            self._taken_away(files[pick % len(files)])

    @rule(pick=PICKS)
    def somebody_spoils_a_file(self, pick: int) -> None:
        files = sorted(path for path in self._files() if not path.startswith(STAGING))
        if files:
            path = files[pick % len(files)]
            spoiled = bytes(len(self.nas.read(path) or b""))
            self._taken_away(path)
            self.nas.create(path, spoiled)
            self.by_hand[path] = spoiled

    @rule(ahead=st.integers(1, 3), digital=st.booleans())
    def somebody_puts_a_file_there(self, ahead: int, digital: bool) -> None:
        numbers = [row.number for row in self.world.rows() if row.is_digital == digital]
        number = max(numbers, default=0) + ahead
        path = f"{FOLDERS[digital]}/{PREFIX[digital]}_{number:03d}.png"
        if path not in self._files():
            self.nas.create(path, b"by hand")
            self.by_hand[path] = b"by hand"

    # What must hold after each step

    @invariant()
    def all_is_in_order(self) -> None:
        self._count("all")
        rows, files = self.world.rows(), self._files()
        self._all_is_as_it_was_told({row.id: row for row in rows}, files)
        self._no_two_designs_are_one([row for row in rows if row.is_active])
        self._no_file_is_overwritten_or_without_a_row(rows, files)
        assert len({row.file_path.lower() for row in rows}) == len(rows)
        assert len({(row.is_digital, row.number) for row in rows}) == len(rows)
        for row in rows:
            assert self.given.setdefault(row.file_path, row.id) == row.id

    def _all_is_as_it_was_told(
        self, rows: dict[UUID, sa.Row[Any]], files: dict[str, bytes]
    ) -> None:
        for filed in self.told.values():
            row = rows[filed.id]
            assert (row.state, row.file_path) == (State.ACTIVE.value, filed.file_path)
            assert row.is_active == (filed.id not in self.removed)
        for row in rows.values():
            if row.state == State.ACTIVE.value and row.id not in self.lost:
                assert _sha256(files[self._place(row)]) == row.file_sha256

    def _no_two_designs_are_one(self, active: list[sa.Row[Any]]) -> None:
        picture = self.world.pictures
        for one, other in itertools.combinations(active, 2):
            if picture[one.content_sha256] == picture[other.content_sha256]:
                assert self._both_wanted(one.content_sha256, other.content_sha256)

    def _no_file_is_overwritten_or_without_a_row(
        self, rows: list[sa.Row[Any]], files: dict[str, bytes]
    ) -> None:
        sha256 = {self._place(row): row.file_sha256 for row in rows}
        for path, data in files.items():
            if path in self.by_hand:
                assert data == self.by_hand[path]
            elif not path.startswith(STAGING):
                assert _sha256(data) == sha256[path]
        assert self.by_hand.keys() <= files.keys()

    # How

    def _count(self, what: str) -> None:
        self.world.counts[what] += 1

    def _earlier(self, pick: int) -> Request:
        return self.sent[pick % len(self.sent)]

    def _foreseen(self, request: Request) -> None:
        """Send a request that nothing disturbs; each outcome is known before, or nearly."""
        rows, files = {row.id: row for row in self.world.rows()}, self._files()
        expected = [self._outcomes(rows, files, request, at) for at in range(len(request.arts))]
        result = self._sent(self.parts, request)
        for outcome, possible in zip(result.outcomes, expected, strict=True):
            assert outcome.outcome in possible, outcome
            assert outcome.outcome is not Done.FAILED or outcome.code == KeyReused.code
            self._count(outcome.outcome)
        # Nothing waits that did not before, nor what was filed; other bytes are left to the sweep.
        waiting = {path for path in self._files() if path.startswith(STAGING)}
        assert waiting <= files.keys()
        filed = {row.id: row.file_sha256 for row in self.world.rows()}
        assert not waiting & {staged(each.id, filed[each.id]) for each in result.designs}

    def _outcomes(
        self,
        rows: dict[UUID, sa.Row[Any]],
        files: dict[str, bytes],
        request: Request,
        at: int,
    ) -> set[Done]:
        art = self.world.arts[request.arts[at]]
        known = rows.get(design_id(USER, request.key, at))
        if known is not None:
            same = (art.source.sha256, request.digital) == (known.upload_sha256, known.is_digital)
            if not same:
                return {Done.FAILED}
            # What has lost its file is recorded anew, unless the shop has it meanwhile.
            return {Done.CREATED} if self._goes_on(known, files) else {Done.CREATED, Done.DUPLICATE}
        if request.allow:
            return {Done.CREATED}
        others = [other for other in rows.values() if self._shows(other, art.picture)]
        against = [row for row in others if not self._both_wanted(art.content, row.content_sha256)]
        if any(row.is_active for row in against):
            return {Done.DUPLICATE}
        before = [self.world.arts[number].picture for number in request.arts[:at]]
        if others or art.picture in before:
            return {Done.CREATED, Done.DUPLICATE}
        return {Done.CREATED}

    def _goes_on(self, row: sa.Row[Any], files: dict[str, bytes]) -> bool:
        """Whether a design is filed, or has its file to be filed with."""
        if row.state == State.ACTIVE.value:
            return True
        standing = files.get(self._place(row), b"")
        return staged(row.id, row.file_sha256) in files or _sha256(standing) == row.file_sha256

    def _both_wanted(self, content: str, other: str) -> bool:
        return frozenset({content, other}) in self.wanted

    def _shows(self, row: sa.Row[Any], picture: str) -> bool:
        is_there = row.is_active or row.state == State.PENDING.value
        return is_there and self.world.pictures[row.content_sha256] == picture

    def _visit(self, place: Place, work: Callable[[], object]) -> Visit:
        def visit() -> None:
            try:
                work()
            except Exception as wrong:
                self.wrong = wrong
                raise

        return Visit(place, visit)

    def _broken(self, request: Request, event: Fault | Visit) -> None:
        self._count("disturbed")
        with suppress(Killed):
            self._sent(beset(self.parts, event), request)

    def _met(self, request: Request, visit: Visit) -> None:
        """Two uploads at once disturb nothing: only a key may be taken."""
        self._count("met")
        result = self._sent(beset(self.parts, visit), request)
        assert {each.code for each in result.outcomes if each.outcome is Done.FAILED} <= {
            KeyReused.code
        }

    def _sent(self, parts: Parts, request: Request) -> Result:
        arts = [self.world.arts[number] for number in request.arts]
        self.sent.append(request)
        beside = self.world.rows() if request.allow else []
        told_before = set(self.told)
        asked = UploadRequest(
            template=TINY.name,
            user_id=SELLER,
            shop="Nook",
            idempotency_key=request.key,
            digital=request.digital,
            allow_duplicate=request.allow,
        )
        sources = [art.source for art in arts]
        try:
            result = upload(sources, asked, InProcess(parts), parts.settings, SerialExecutor(), 3)
        finally:
            if request.allow:
                others = {row.content_sha256 for row in (*beside, *self.world.rows())}
                self.wanted |= {frozenset({art.content, other}) for art in arts for other in others}
        if self.wrong:
            raise self.wrong
        self._told(request, arts, result, told_before)
        return result

    def _told(
        self, request: Request, arts: list[Art], result: Result, told_before: set[UUID]
    ) -> None:
        assert [each.file for each in result.outcomes] == [art.source.filename for art in arts]
        designs = {design.id: design for design in result.designs}
        rows = {row.id: row for row in self.world.rows()}
        own = [design_id(USER, request.key, at) for at in range(len(arts))]
        for at, (art, outcome) in enumerate(zip(arts, result.outcomes, strict=True)):
            earlier = self.told.get(own[at])
            if outcome.outcome is Done.FAILED:
                assert outcome.retryable or outcome.code == KeyReused.code, outcome
                assert outcome.code != InternalError.code
            if outcome.outcome is Done.CREATED:
                filed = designs[own[at]]
                assert (outcome.design_id, outcome.file_path) == (filed.id, filed.file_path)
                assert (filed.upload_sha256, filed.is_digital) == (
                    art.source.sha256,
                    request.digital,
                )
                assert earlier is None or earlier == filed
                self.told[filed.id] = filed
                self.askers[filed.id] = request
            if outcome.outcome is Done.DUPLICATE:
                # The shop has what it is said to have, but for what it has removed of the same
                # request since; and that is never the upload itself, once it is filed or while it
                # is by the same request: one that allows duplicates is another.
                other = rows[outcome.match.design_id]  # type: ignore[union-attr]
                assert other.is_active or other.id in own[:at]
                assert self.world.pictures[other.content_sha256] == art.picture
                assert other.id != own[at]
                if own[at] in told_before or self.askers.get(own[at]) == request:
                    same = (art.source.sha256, request.digital)
                    assert (self.told[own[at]].upload_sha256, self.told[own[at]].is_digital) != same

    def _reconciled(self, parts: Parts, grace_s: float = EVERY_AGE) -> list[Discrepancy]:
        return list(
            reconcile(parts.designs, parts.nas, parts.places, grace_s, repair=True, verify=True)
        )

    def _taken_away(self, path: str) -> None:
        self.nas.delete(path)
        self.by_hand.pop(path, None)
        stored = self.parts.places.stored(path)
        self.lost |= {
            row.id
            for row in self.world.rows()
            if row.file_path == stored and row.state == State.ACTIVE.value
        }

    def _swept(self, grace: float) -> None:
        before = self._files()
        needed = {
            staged(row.id, row.file_sha256)
            for row in self.world.rows()
            if row.state == State.PENDING.value
        }
        gone = {path for path in before if path.startswith(STAGING) and path not in needed}
        list(sweep(self.parts.designs, self.nas, grace))
        assert set(before) - set(self._files()) == (gone if grace == EVERY_AGE else set())

    def _trouble(self, row: sa.Row[Any], files: dict[str, bytes]) -> Trouble:
        found = files.get(self._place(row))
        if found is None:
            return Trouble.MISSING
        return Trouble.CONTENT if len(found) == row.file_size else Trouble.SIZE

    def _place(self, row: sa.Row[Any]) -> str:
        return self.parts.places.relative(row.file_path)

    def _files(self) -> dict[str, bytes]:
        """Every file on the NAS."""
        entries = [
            entry for folder in (STAGING, *FOLDERS.values()) for entry in self.nas.list(folder)
        ]
        return {entry.path: self.nas.read(entry.path) or b"" for entry in entries}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(("store", "orders", "steps"), [("memory", 90, 1500), ("folder", 30, 500)])
def test_whatever_happens_in_whatever_order_what_was_told_holds(
    designs: PostgresDesigns,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    store: str,
    orders: int,
    steps: int,
) -> None:
    caplog.set_level(logging.CRITICAL)
    made = itertools.count()

    def new_nas() -> Nas:
        return MemoryNas() if store == "memory" else FolderNas(tmp_path / str(next(made)))

    world = World(designs._engine, tmp_path, new_nas)
    drawing = settings(
        max_examples=int(EXAMPLES or orders),
        stateful_step_count=STEPS,
        derandomize=EXAMPLES is None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )

    run_state_machine_as_test(lambda: Model(world), settings=drawing)  # type: ignore[arg-type]

    done = world.counts
    assert done["all"] - done["orders"] >= steps  # what holds is looked at once before the first
    # Each kind of end came about where it could be told before.
    assert min(done[end] for end in (Done.CREATED, Done.DUPLICATE, Done.FAILED)) > 0
