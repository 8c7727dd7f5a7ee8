"""persist: record a prepared upload and file it under its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from shared.clock import Clock
from shared.errors import KeyReused, PlatenError
from shared.flows.again import is_same
from shared.flows.publish import Publisher
from shared.flows.record import Recorder
from shared.flows.rules import Judgement
from shared.messages import Filed, PersistRequest, PersistResponse
from shared.nas.names import Places, staged
from shared.ports import Designs, Nas
from shared.records import Design, Fingerprint


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
    The same request again finishes what an earlier one left. ``fingerprint`` is called once, and
    only where the design has no row yet.
    """
    clock = Clock()
    publisher = Publisher(user, designs, nas, places)
    with clock.step("database"):
        known = designs.get(user, request.design_id)
    if known is not None and publisher.is_superseded(known, request.print_file):
        publisher.forget(known)
        known = None
    if known is None:
        with clock.step("hash"):
            prints = fingerprint()
        recorder = Recorder(user, designs, nas, publisher, judgement, places)
        with clock.step("database"), _unstaging(nas, request.design_id):
            design, created = recorder.record(request, shop, prints)
    else:
        design, created = known, False
    if not created and not _is_same(design, request, shop):
        raise KeyReused
    with clock.step("nas"):
        filed = publisher.finish(design)
    response = PersistResponse(design=Filed.of(filed), timings_ms=clock.total())
    return Persisted(response, created)


def _is_same(known: Design, request: PersistRequest, shop: str) -> bool:
    return known.is_digital == request.digital and is_same(
        known, upload_sha256=request.upload_sha256, shop=shop, template=request.template
    )


@contextmanager
def _unstaging(nas: Nas, design_id: UUID) -> Iterator[None]:
    """Remove the staged file of a design that can't be recorded, however often it is tried."""
    try:
        yield
    except PlatenError as error:
        if not error.retryable:
            nas.delete(staged(design_id))
        raise
