"""dedupe: find out whether the shop already has an upload. It only reads."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from uuid import UUID

from shared.clock import Clock
from shared.errors import FileRefused, KeyReused
from shared.fingerprint.hashes import legacy_phash
from shared.fingerprint.verdict import Earlier, batch
from shared.flows.again import is_same
from shared.flows.rules import Judgement
from shared.flows.source import Source
from shared.identity import design_id, fresh_key
from shared.messages import DedupeRequest, DedupeResponse, Filed, Finding, Problem
from shared.ports import Designs
from shared.records import Design, Match, Probe, Template, Verdict


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
    check = _Check(user, shop, template, designs, judgement, has_legacy)
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
    ) -> None:
        self._user = user
        self._shop = shop
        self._template = template
        self._designs = designs
        self._judgement = judgement
        self._has_legacy = has_legacy
        self._earlier: list[Earlier] = []

    def finding(self, source: Source, position: int, design: UUID) -> Finding:
        clock = Clock()
        found = Finding(file=source.filename, position=position, design_id=design)
        try:
            probe = self._probe(source, clock)
            match = self._match(probe, clock)
            # Asked last, so that a design recorded meanwhile is not called a duplicate of itself.
            known = self._recorded(probe, design, clock)
            if known is not None:
                match = self._match(probe, clock, before=known.sequence)
        except (FileRefused, KeyReused) as error:
            return found.model_copy(
                update={"error": Problem.of(error), "timings_ms": clock.total()}
            )
        if known is not None or match is None:
            self._earlier.append(Earlier(design, source.filename, probe))
        return found.model_copy(
            update={
                "verdict": Verdict.DUPLICATE if match else Verdict.UNIQUE,
                "tier": match.tier if match else None,
                "match": match,
                "recorded": Filed.of(known) if known else None,
                "upload_sha256": probe.upload_sha256,
                "fingerprint": probe.fingerprint,
                "timings_ms": clock.total(),
            }
        )

    def _probe(self, source: Source, clock: Clock) -> Probe:
        with clock.step("decode"):
            artwork = source.artwork
        with clock.step("hash"):
            fingerprint = source.fingerprint
            legacy = None
            if self._has_legacy:
                is_opaque = fingerprint.is_opaque
                legacy = fingerprint.phash if is_opaque else legacy_phash(artwork.pixels)
        scope = self._judgement.template(self._template.name)
        return Probe(fingerprint, source.sha256, legacy, scope)

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

    def _match(self, probe: Probe, clock: Clock, *, before: float = inf) -> Match | None:
        """The match in the batch, else in the library, among designs with a sequence below."""
        with clock.step("batch"):
            match = batch(probe, self._earlier, self._judgement.rule)
        if match is None:
            with clock.step("exact"):
                match = self._judgement.exact(self._designs, self._user, probe, before=before)
        if match is None:
            with clock.step("hamming"):
                match = self._judgement.near(self._designs, self._user, probe, before=before)
        return match
