"""The composition root: the settings' adapters, and the three functions over them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from shared.admission import WAIT_S, Memory, Share, budget
from shared.endpoint import Endpoint, Limits, Reply
from shared.errors import ImageTooCostly, PlatenError, RequestInvalid
from shared.fingerprint.normal import unpack
from shared.flows import dedupe as dedupe_flow
from shared.flows import persist as persist_flow
from shared.flows import process as process_flow
from shared.flows import reconcile as reconcile_flow
from shared.flows.rules import Judgement
from shared.flows.source import Source
from shared.identity import tenant
from shared.imaging import limits as imaging_limits
from shared.imaging.geometry import Size, largest
from shared.log import configure
from shared.messages import (
    Acting,
    DedupeRequest,
    DedupeResponse,
    Discrepancy,
    PersistRequest,
    PersistResponse,
    ProcessRequest,
    ProcessResponse,
    ReconcileRequest,
    ReconcileResponse,
    UploadRequest,
)
from shared.multipart import Upload
from shared.nas.names import Places, part
from shared.ports import Content, Designs, Nas
from shared.records import Fingerprint
from shared.settings import MEGABYTE, Settings, settings

if TYPE_CHECKING:
    from uuid import UUID

    from shared.flows.persist import Persisted


class Parts:
    """One process's adapters, each made on first use, so that a function pays for its own only."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.places = Places.of(settings)
        self.memory = Memory(settings.memory_mb * MEGABYTE if settings.memory_mb else budget())
        self.image_limits = imaging_limits.Limits(
            max_bytes=settings.max_file_mb * MEGABYTE,
            max_pixels=settings.max_megapixels * 1_000_000,
            max_side=settings.max_side_px,
            seconds=settings.decode_timeout_s,
            max_memory=self.memory.budget,
        )
        self._lock = RLock()
        self._designs: Designs | None = None
        self._nas: Nas | None = None
        self._executor: Executor | None = None

    @property
    def designs(self) -> Designs:
        """The database; where no ``DATABASE_URL`` is set, the embedded one, migrated."""
        with self._lock:
            if self._designs is None:
                self._designs = _open_designs(self.settings)
            return self._designs

    @property
    def nas(self) -> Nas:
        with self._lock:
            if self._nas is None:
                from shared.nas.open import open_nas

                self._nas = open_nas(self.settings)
            return self._nas

    @property
    def executor(self) -> Executor:
        """Where the comprehensive workflow's files are worked on at once."""
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(self.workers, thread_name_prefix="driver")
            return self._executor

    @property
    def workers(self) -> int:
        """Files that the comprehensive workflow works on at once."""
        return self.settings.driver_workers or max(2, os.cpu_count() or 1)

    def __reduce__(self) -> tuple[Callable[[Settings], Parts], tuple[Settings]]:
        """A copy sent to another process opens adapters of its own there, once for all tasks."""
        return _copied, (self.settings,)

    def close(self) -> None:
        """Let go of connections and threads."""
        with self._lock:
            if self._designs is not None:
                self._designs.close()
            if self._executor is not None:
                self._executor.shutdown()
                self._executor = None

    def migrate(self) -> None:
        """Bring the database up to date."""
        from shared.database import migrate

        migrate.upgrade(self.settings.database_url or _embedded(self.settings))

    def source(self, filename: str, content: Content | Path) -> Source:
        return Source(filename, content, self.image_limits, self.memory.take_beside)

    def target(self, request: UploadRequest) -> Size | None:
        """The largest print file of a batch; None where it has its artwork's own pixels."""
        if request.digital:
            return None
        try:
            return largest(self.designs.template(self.user(request), request.template))
        except PlatenError:  # told by the step that asks for the template
            return None

    def user(self, acting: Acting) -> UUID:
        return tenant(acting.user_id or self.settings.default_user)

    def shop(self, acting: Acting) -> str:
        """The shop's folder. A shop is one user's, so another user's is not the default one."""
        own = self.settings
        user = acting.user_id or own.default_user
        default = own.default_shop if user == own.default_user else user
        return part(acting.shop or default, "shop")

    def dedupe(self, sources: Iterable[Source], request: DedupeRequest) -> DedupeResponse:
        judgement = Judgement.of(request, self.settings)
        return dedupe_flow.dedupe(
            sources, request, self.user(request), self.shop(request), self.designs, judgement
        )

    def process(self, source: Source, request: ProcessRequest) -> ProcessResponse:
        return process_flow.process(
            source,
            request,
            self.shop(request),
            self.nas,
            self.places,
            self.settings.max_side_px,
            self.settings.png_effort,
        )

    def persist(self, source: Source | None, request: PersistRequest) -> Persisted:
        return persist_flow.persist(
            request,
            lambda: _fingerprint(source, request),
            self.user(request),
            self.shop(request),
            self.designs,
            self.nas,
            self.places,
            Judgement.of(request, self.settings),
        )

    def reconcile(
        self, *, repair: bool, verify: bool, grace_h: float | None = None
    ) -> Iterator[Discrepancy]:
        """``grace_h``: hours that an upload may take; None is the setting's."""
        grace_s = (self.settings.sweep_grace_h if grace_h is None else grace_h) * 3600
        return reconcile_flow.reconcile(
            self.designs, self.nas, self.places, grace_s, repair=repair, verify=verify
        )


@cache
def _copied(settings: Settings) -> Parts:
    return Parts(settings)


_making = RLock()


def parts() -> Parts:
    """The parts that the process's own settings ask for: the same ones for all its threads."""
    # Of the first requests, which come at once, each would make some, with memory to give out.
    with _making:
        return own_parts()


@cache
def own_parts() -> Parts:
    """The same, for one thread alone: `parts` has the others wait."""
    own = settings()
    configure(own.log_format)
    return Parts(own)


def body_limits() -> Limits:
    """What one request to a function may hold."""
    own = settings()
    return Limits(max_body=own.max_body_mb * MEGABYTE, max_files=own.max_files)


def _open_designs(settings: Settings) -> Designs:
    from shared.database.designs import PostgresDesigns
    from shared.database.engine import create

    url = settings.database_url or _embedded(settings)
    return PostgresDesigns(
        create(url, pool=settings.database_pool, timeout_s=settings.database_timeout_s)
    )


def _embedded(settings: Settings) -> str:
    """The URL of the embedded database, started and migrated."""
    from shared.database import embedded, migrate

    url = embedded.start(settings.home).url
    migrate.upgrade(url)
    return url


def _fingerprint(source: Source | None, request: PersistRequest) -> Fingerprint:
    """From the upload where it is at hand, else from the normal form that process answered."""
    from shared.fingerprint.hashes import fingerprint

    if source is not None:
        if source.sha256 != request.upload_sha256:
            raise RequestInvalid(reason="the file is another one than upload_sha256 tells")
        return source.fingerprint
    if request.normal_form is None:
        raise RequestInvalid(reason="send the normal form, or the upload as a file")
    return fingerprint(unpack(request.normal_form))


def admitted(sources: Sequence[Source], need: Callable[[Source], int]) -> Share:
    """Memory for a request: its files, which it holds, and the one of them that needs most.

    Raises Busy where it is not free in time, and ImageTooCostly where there never is so much.
    """
    memory = parts().memory
    most = max(map(need, sources), default=0)
    if most > memory.budget:
        raise ImageTooCostly(what="memory")
    return memory.take(most + sum(len(source.data) for source in sources), WAIT_S)


def _dedupe(request: DedupeRequest, uploads: list[Upload]) -> Reply:
    sources = _sources(uploads)
    with admitted(sources, Source.to_read):
        return Reply(parts().dedupe(_one_at_a_time(sources), request))


def _sources(uploads: list[Upload]) -> list[Source]:
    return [parts().source(upload.filename, upload.data) for upload in uploads]


def _one_at_a_time(sources: list[Source]) -> Iterator[Source]:
    """Sources whose pixels are let go before the next one's are decoded."""
    for source in sources:
        yield source
        source.release()


def _process(request: ProcessRequest, uploads: list[Upload]) -> Reply:
    sources = _sources(uploads)
    target = None
    if not request.digital:
        target = largest(process_flow.resolve(request.template, parts().settings.max_side_px))
    with admitted(sources, lambda source: source.to_prepare(target)):
        return Reply(parts().process(sources[0], request))


def _persist(request: PersistRequest, uploads: list[Upload]) -> Reply:
    sources = _sources(uploads)
    with admitted(sources, Source.to_read):
        persisted = parts().persist(sources[0] if sources else None, request)
    return Reply(persisted.response, 201 if persisted.created else 200)


def _reconcile(request: ReconcileRequest, _uploads: list[Upload]) -> Reply:
    found = parts().reconcile(repair=request.repair, verify=request.verify)
    return Reply(ReconcileResponse.of(found))


def _database_ready() -> None:
    parts().designs.check()


def _nas_ready() -> None:
    parts().nas.check()


def both_ready() -> None:
    _database_ready()
    _nas_ready()


DEDUPE = Endpoint(
    name="dedupe",
    summary="Find out whether the shop already has each uploaded file. Reads only.",
    request=DedupeRequest,
    responses={200: DedupeResponse},
    files="many",
    handle=_dedupe,
    ready=_database_ready,
    limits=body_limits,
)
PROCESS = Endpoint(
    name="process",
    summary="Prepare one upload for print and stage it on the NAS.",
    request=ProcessRequest,
    responses={200: ProcessResponse},
    files="one",
    handle=_process,
    ready=_nas_ready,
    limits=body_limits,
)
PERSIST = Endpoint(
    name="persist",
    summary="Record a prepared upload and file it under its name.",
    request=PersistRequest,
    responses={201: PersistResponse, 200: PersistResponse},
    files="optional",
    handle=_persist,
    ready=both_ready,
    limits=body_limits,
)
RECONCILE = Endpoint(
    name="reconcile",
    summary="Say where the rows and the files on the NAS differ, and put right what can be.",
    request=ReconcileRequest,
    responses={200: ReconcileResponse},
    files="none",
    handle=_reconcile,
    ready=both_ready,
    limits=body_limits,
)
