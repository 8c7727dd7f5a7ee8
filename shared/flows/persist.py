"""persist: record a prepared upload and file it under its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from shared.clock import Clock
from shared.errors import KeyReused, PlatenError, StagedFileMissing
from shared.flows.again import is_same
from shared.flows.publish import Publisher
from shared.flows.record import Recorder
from shared.flows.rules import Judgement
from shared.messages import Filed, PersistRequest, PersistResponse
from shared.nas.names import Places, staged
from shared.ports import Designs, Nas
from shared.records import Design, Fingerprint, State


@dataclass(frozen=True, slots=True)
class Persisted:
    response: PersistResponse
    created: bool
    """False when an earlier request had recorded the design already."""


def persist(
    request: PersistRequest,
    fingerprint: Callable[[], Fingerprint],
    user: UUID,
    shop: str,
    designs: Designs,
    nas: Nas,
    places: Places,
    judgement: Judgement,
) -> Persisted:
    """Hash, check again under the tenant's lock, insert the row, publish the file, set it active.

    Raises DuplicateDesign with the match when a duplicate got in first (SimilarDesign where what
    is similar is held), KeyReused, ShopTaken,
    StagedFileMissing, TemplateUnknown, NasError or DatabaseError. The staged file is removed where
    trying again can't help, and waits where it can.
    The same request again finishes what an earlier one left. ``fingerprint`` is called only where
    the design has no row yet.
    """
    clock = Clock()
    publisher = Publisher(user, designs, nas, places)
    recorder = Recorder(user, designs, nas, publisher, judgement, places)
    own = staged(request.design_id, request.print_file.sha256)
    try:
        filing = _Filing(request, fingerprint, user, shop, designs, publisher, recorder, clock)
        design, created = filing.run()
    except PlatenError as error:
        if not error.retryable and not _waits(designs.get(user, request.design_id), own):
            nas.delete(own)
        raise
    if not created:
        with clock.step("nas"):
            nas.delete(own)
    response = PersistResponse(design=Filed.of(design), timings_ms=clock.total())
    return Persisted(response, created)


@dataclass(frozen=True, slots=True)
class _Filing:
    """One request's way from its row to its file."""

    request: PersistRequest
    fingerprint: Callable[[], Fingerprint]
    user: UUID
    shop: str
    designs: Designs
    publisher: Publisher
    recorder: Recorder
    clock: Clock

    def run(self) -> tuple[Design, bool]:
        """The design, active, and whether its row was inserted here."""
        design, created = self._row()
        try:
            return self._finished(design), created
        except StagedFileMissing:
            if design.print_file == self.request.print_file:
                raise
        # What the row names is lost. Other bytes, which this request staged, may take its place.
        self.publisher.forget(design)
        design, created = self._row()
        return self._finished(design), created

    def _row(self) -> tuple[Design, bool]:
        """The row of an earlier request, or a new one."""
        with self.clock.step("database"):
            known = self.designs.get(self.user, self.request.design_id)
        if known is None:
            with self.clock.step("hash"):
                prints = self.fingerprint()
            with self.clock.step("database"):
                design, created = self.recorder.record(self.request, self.shop, prints)
        else:
            design, created = known, False
        if not created and not _is_same(design, self.request, self.shop):
            raise KeyReused
        return design, created

    def _finished(self, design: Design) -> Design:
        with self.clock.step("nas"):
            return self.publisher.finish(design)


def _is_same(known: Design, request: PersistRequest, shop: str) -> bool:
    return known.is_digital == request.digital and is_same(
        known, upload_sha256=request.upload_sha256, shop=shop, template=request.template
    )


def _waits(known: Design | None, path: str) -> bool:
    """Whether a pending row waits for the staged file at ``path``."""
    if known is None or known.print_file is None or known.state is State.ACTIVE:
        return False
    return staged(known.design_id, known.print_file.sha256) == path
