"""Insert a design's pending row under the tenant's lock, unless the shop has it already."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from shared.errors import DuplicateDesign, SimilarDesign, StagedFileMissing
from shared.flows.publish import Publisher, numbered
from shared.flows.rules import Judgement
from shared.messages import PersistRequest
from shared.nas.names import Places, staged
from shared.ports import Designs, Library, Nas, Unit
from shared.records import (
    Design,
    Fingerprint,
    Match,
    PrintFile,
    Probe,
    State,
    Template,
    Verdict,
)


class Recorder:
    """Records designs of one tenant."""

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
        self, request: PersistRequest, shop: str, prints: Fingerprint
    ) -> tuple[Design, bool]:
        """The design as its row has it, and whether the row was inserted here."""
        template = self._designs.template(self._user, request.template)
        design = _design(request, self._user, shop, template, prints)
        probe = Probe(
            prints,
            request.upload_sha256,
            legacy_phash=prints.phash if prints.is_opaque else None,
            template=self._judgement.template(template.name),
            design_id=design.design_id,
        )
        if not self._is_staged(design.design_id, request.print_file):
            known = self._designs.get(self._user, design.design_id)
            if known is None:
                raise StagedFileMissing
            return known, False
        while True:
            mark = self._designs.watermark(self._user)
            rival = None
            if not request.allow_duplicate:
                rival = self._rival(self._designs, probe)
            if rival is None:
                with self._designs.unit(self._user) as unit:
                    known = unit.get(design.design_id)
                    if known is not None:
                        return known, False
                    own = unit.claim(shop)
                    if not request.allow_duplicate and unit.watermark(self._user) > mark:
                        rival = self._rival(unit, probe, after=mark)
                    if rival is None:
                        design = design.model_copy(update={"shop": own})
                        design = unit.insert(self._numbered(design, template, unit))
                        unit.allow(design.design_id, self._wanted_beside(request, unit, probe))
                        return design, True
            # Recorded meanwhile, it is no duplicate: what it was recorded in spite of may be rival.
            known = self._designs.get(self._user, design.design_id)
            if known is not None:
                return known, False
            self._yield_to(rival)

    def _numbered(self, design: Design, template: Template, unit: Unit) -> Design:
        folder = self._places.folder(design.shop, design.template, digital=design.is_digital)
        return numbered(design, unit.take_number(folder), template, folder, self._places)

    def _is_staged(self, design_id: UUID, file: PrintFile) -> bool:
        standing = self._nas.stat(staged(design_id, file.sha256))
        return standing is not None and standing.size == file.size

    def _rival(self, library: Library, probe: Probe, *, after: int = 0) -> Match | None:
        """The match that stands against the design."""
        match = self._judgement.any(library, self._user, probe, after=after)
        return match if match and self._judgement.stops(match) else None

    def _wanted_beside(self, request: PersistRequest, unit: Unit, probe: Probe) -> set[UUID]:
        """What the seller wants the design beside, now or since its picture was filed before."""
        if not request.allow_duplicate:
            return unit.allowed(self._user, str(probe.fingerprint.content_sha256))
        others = set(self._judgement.all(unit, self._user, probe))
        # A look-alike is found by dedupe alone. Whose design it is, is not for the request to say.
        if request.beside is not None and unit.get(request.beside) is not None:
            others.add(request.beside)
        return others

    def _yield_to(self, match: Match) -> None:
        """Give way to a design that is filed; settle one that is pending, then look again."""
        if match.state is State.ACTIVE:
            is_similar = match.verdict is Verdict.SIMILAR
            raise (SimilarDesign if is_similar else DuplicateDesign)(match, match.filename)
        pending = self._designs.get(self._user, match.design_id)
        if pending is not None:
            self._publisher.settle(pending)


def _design(
    request: PersistRequest, user: UUID, shop: str, template: Template, prints: Fingerprint
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
        fingerprint=prints,
        created_at=datetime.now(UTC),
    )
