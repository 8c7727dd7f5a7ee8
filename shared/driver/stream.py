"""The upload function: the driver behind HTTP, its events answered as they happen."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from queue import SimpleQueue
from threading import Thread

from shared import wiring
from shared.driver.transports import InProcess
from shared.driver.workflow import upload
from shared.endpoint import Endpoint, Reply
from shared.errors import InternalError
from shared.messages import Event, Problem, UploadRequest
from shared.multipart import Upload

log = logging.getLogger("platen.driver")

_END = None


def _upload(request: UploadRequest, uploads: list[Upload]) -> Reply:
    parts = wiring.parts()
    # Asked for before the stream starts, so that a database that is away is a 503 and not an
    # error inside an answer that has begun with 200.
    parts.designs.check()
    parts.shop(request)
    events: SimpleQueue[Event | None] = SimpleQueue()
    Thread(target=_work, args=(parts, request, uploads, events), name="upload").start()
    return Reply(_drained(events))


def _work(
    parts: wiring.Parts,
    request: UploadRequest,
    uploads: list[Upload],
    events: SimpleQueue[Event | None],
) -> None:
    """Run the batch on a thread of its own: it goes on when the client leaves."""
    try:
        result = upload(
            [parts.source(file.filename, file.data) for file in uploads],
            request,
            InProcess(parts),
            parts.settings,
            parts.executor,
            parts.workers,
            on_event=events.put,
        )
        events.put(Event(event="result", result=result))
    except Exception:
        log.exception("an upload broke off")
        events.put(Event(event="error", error=Problem.of(InternalError())))
    finally:
        events.put(_END)


def _drained(events: SimpleQueue[Event | None]) -> Iterator[Event]:
    while (event := events.get()) is not _END:
        yield event


UPLOAD = Endpoint(
    name="upload",
    summary="Take a batch of files in: check, prepare, file and record each of them.",
    request=UploadRequest,
    responses={200: Event},
    files="many",
    handle=_upload,
    ready=wiring.both_ready,
    limits=wiring.body_limits,
)
