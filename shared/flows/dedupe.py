"""dedupe: find out whether the shop already has an upload. It only reads."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from shared.clock import Clock
from shared.errors import FileRefused, KeyReused
from shared.fingerprint.hashes import legacy_phash
from shared.fingerprint.match import evidence, matches, stronger
from shared.fingerprint.normal import pack
from shared.flows.again import is_same
from shared.flows.rules import Judgement
from shared.flows.source import Source
from shared.identity import design_id, fresh_key
from shared.messages import DedupeRequest, DedupeResponse, Filed, Finding, Problem
from shared.ports import Designs
from shared.records import EVER, Candidate, Design, Match, Probe, State, Template, Tier, Verdict


def dedupe(
    sources: Iterable[Source],
    request: DedupeRequest,
    user: UUID,
    shop: str,
    designs: Designs,
    judgement: Judgement,
) -> DedupeResponse:
    """Judge each upload against the batch, then exactly and nearly against the tenant's library.

    A file that can't be taken in has its error in its own finding and the others go on. Raises
    TemplateUnknown and DatabaseError: no file is called unique while the database is away.
    """
    clock = Clock()
    key = request.idempotency_key or fresh_key()
    with clock.step("database"):
        template = designs.template(user, request.template)
        has_legacy = designs.has_legacy(user)
    check = _Check(user, shop, template, designs, judgement, has_legacy, request.normal_form)
    findings = [
        check.finding(source, position, design_id(user, key, position))
        for position, source in enumerate(sources, start=request.first_position)
    ]
    return DedupeResponse(
        idempotency_key=key, template=template, files=findings, timings_ms=clock.total()
    )


class _Check:
    """One request's files, checked in their order."""

    def __init__(
        self,
        user: UUID,
        shop: str,
        template: Template,
        designs: Designs,
        judgement: Judgement,
        has_legacy: bool,
        wants_normal_form: bool,
    ) -> None:
        self._user = user
        self._shop = shop
        self._template = template
        self._designs = designs
        self._judgement = judgement
        self._has_legacy = has_legacy
        self._wants_normal_form = wants_normal_form
        self._earlier: list[Candidate] = []

    def finding(self, source: Source, position: int, design: UUID) -> Finding:
        clock = Clock()
        found = Finding(file=source.filename, position=position, design_id=design)
        try:
            probe = self._probe(source, design, clock)
            match = self._match(source, probe, clock)
            # Asked last, so that a design recorded meanwhile is not called a duplicate of itself.
            known = self._recorded(probe, design, clock)
            if known is not None:
                match = self._match(source, probe, clock, before=known.sequence)
        except (FileRefused, KeyReused) as error:
            return found.model_copy(
                update={"error": Problem.of(error), "timings_ms": clock.total()}
            )
        packed = None
        if self._wants_normal_form:
            with clock.step("normal_form"):
                packed = pack(source.normal_form)
        if known is not None or match is None or not self._judgement.stops(match):
            self._earlier.append(earlier(probe, design, source.filename, position))
        return found.model_copy(
            update={
                "verdict": match.verdict if match else Verdict.UNIQUE,
                "tier": match.tier if match else None,
                "match": match,
                "recorded": Filed.of(known) if known else None,
                "upload_sha256": probe.upload_sha256,
                "fingerprint": probe.fingerprint,
                "normal_form": packed,
                "timings_ms": clock.total(),
            }
        )

    def _probe(self, source: Source, design: UUID, clock: Clock) -> Probe:
        with clock.step("decode"):
            artwork = source.artwork
        with clock.step("hash"):
            fingerprint = source.fingerprint
            legacy = None
            if self._has_legacy:
                is_opaque = fingerprint.is_opaque
                legacy = fingerprint.phash if is_opaque else legacy_phash(artwork.pixels)
        scope = self._judgement.template(self._template.name)
        return Probe(fingerprint, source.sha256, legacy, scope, design)

    def _recorded(self, probe: Probe, design: UUID, clock: Clock) -> Design | None:
        with clock.step("exact"):
            known = self._designs.get(self._user, design)
        if known is None:
            return None
        if not is_same(
            known,
            upload_sha256=probe.upload_sha256,
            shop=self._shop,
            template=self._template.name,
        ):
            raise KeyReused
        return known

    def _match(
        self, source: Source, probe: Probe, clock: Clock, *, before: int = EVER
    ) -> Match | None:
        """The match in the batch or the library, among designs with a sequence below ``before``.

        A duplicate ends the search, and of equal verdicts the earlier tier's counts.
        """
        with clock.step("batch"):
            found = matches(probe, self._earlier, self._judgement.rule)
            match = evidence(probe, found, Tier.BATCH)
        if not _is_duplicate(match):
            with clock.step("exact"):
                exact = self._judgement.exact(self._designs, self._user, probe, before=before)
            match = stronger(match, exact)
        if not _is_duplicate(match):
            with clock.step("hamming"):
                near = self._judgement.near(self._designs, self._user, probe, before=before)
            match = stronger(match, near)
        if match is None and self._judgement.look_alikes.wanted:
            with clock.step("look_alikes"):
                match = self._judgement.look_alike(
                    self._designs, self._user, probe, source, before=before
                )
        return match


def earlier(probe: Probe, design: UUID, filename: str, position: int) -> Candidate:
    """A checked file as the later ones of its batch are compared with it."""
    return Candidate(
        design_id=design,
        filename=filename,
        file_path=None,
        state=State.PENDING,
        sequence=position,
        upload_sha256=probe.upload_sha256,
        fingerprint=probe.fingerprint,
    )


def _is_duplicate(match: Match | None) -> bool:
    return match is not None and match.verdict is Verdict.DUPLICATE
