"""persist: record a prepared upload and file it under its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from shared.clock import Clock
from shared.errors import DuplicateDesign, KeyReused, StagedFileMissing
from shared.flows.publish import Publisher, numbered
from shared.flows.rules import Judgement
from shared.messages import Filed, PersistRequest, PersistResponse
from shared.nas.names import Places, staged
from shared.ports import Designs, Library, Nas
from shared.records import Design, Fingerprint, Match, Probe, State, Template


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

    Raises DuplicateDesign with the match when a duplicate got in first (the staged file is then
    removed), KeyReused, ShopTaken, StagedFileMissing, TemplateUnknown, NasError or DatabaseError.
    The same request again finishes what an earlier one left. ``fingerprint`` is called once, and
    only where the design has no row yet.
    """
    clock = Clock()
    publisher = Publisher(user, designs, nas, places)
    with clock.step("database"):
        known = designs.get(user, request.design_id)
    if known is not None and known.upload_sha256 != request.upload_sha256:
        raise KeyReused
    if known is None:
        with clock.step("hash"):
            prints = fingerprint()
        template = designs.template(user, request.template)
        folder = places.folder(shop, template.name, digital=request.digital)
        probe = Probe(
            prints,
            request.upload_sha256,
            legacy_phash=prints.phash if prints.is_opaque else None,
            template=judgement.template(template.name),
        )
        blank = _design(request, user, shop, template, probe)
        recorder = _Recorder(user, designs, nas, publisher, judgement, places)
        with clock.step("database"):
            design, created = recorder.record(
                blank, probe, template, folder, request.allow_duplicate
            )
    else:
        design, created = known, False
    with clock.step("nas"):
        filed = publisher.finish(design)
    response = PersistResponse(design=Filed.of(filed), timings_ms=clock.total())
    return Persisted(response, created)


class _Recorder:
    """Inserts the pending row, unless the shop has the design already."""

    def __init__(
        self,
        user: UUID,
        designs: Designs,
        nas: Nas,
        publisher: Publisher,
        judgement: Judgement,
        places: Places,
    ) -> None:
        self._user = user
        self._designs = designs
        self._nas = nas
        self._publisher = publisher
        self._judgement = judgement
        self._places = places

    def record(
        self, design: Design, probe: Probe, template: Template, folder: str, allowed: bool
    ) -> tuple[Design, bool]:
        """The design as its row has it, and whether the row was inserted here."""
        if not self._is_staged(design):
            known = self._designs.get(self._user, design.design_id)
            if known is None:
                raise StagedFileMissing
            return known, False
        while True:
            mark = self._designs.watermark(self._user)
            rival = None if allowed else self._rival(self._designs, design, probe)
            if rival is None:
                with self._designs.unit(self._user) as unit:
                    known = unit.get(design.design_id)
                    if known is not None:
                        return known, False
                    unit.claim(design.shop)
                    if not allowed:
                        rival = self._rival(unit, design, probe, after=mark)
                    if rival is None:
                        number = unit.take_number(folder)
                        new = numbered(design, number, template, folder, self._places)
                        return unit.insert(new), True
            self._yield_to(rival, design)

    def _is_staged(self, design: Design) -> bool:
        file = self._nas.stat(staged(design.design_id))
        return file is not None and file.size == getattr(design.print_file, "size", None)

    def _rival(
        self, library: Library, design: Design, probe: Probe, *, after: int = 0
    ) -> Match | None:
        """The match that stands against the design, its own row apart."""
        match = self._judgement.any(library, self._user, probe, after=after)
        return None if match and match.design_id == design.design_id else match

    def _yield_to(self, match: Match, design: Design) -> None:
        """Give way to a design that is filed; settle one that is pending, then look again."""
        if match.state is State.PENDING:
            pending = self._designs.get(self._user, match.design_id)
            if pending is not None:
                self._publisher.settle(pending)
            return
        self._nas.delete(staged(design.design_id))
        raise DuplicateDesign(match, match.filename)


def _design(
    request: PersistRequest, user: UUID, shop: str, template: Template, probe: Probe
) -> Design:
    """The design before it has a number."""
    return Design(
        design_id=request.design_id,
        user_id=user,
        shop=shop,
        template=template.name,
        is_digital=request.digital,
        number=None,
        filename="",
        file_path="",
        source_filename=request.filename,
        upload_sha256=request.upload_sha256,
        state=State.PENDING,
        print_file=request.print_file,
        preflight=request.preflight,
        fingerprint=probe.fingerprint,
        created_at=datetime.now(UTC),
    )
