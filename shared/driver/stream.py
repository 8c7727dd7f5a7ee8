"""The upload function: the driver behind HTTP, its events answered as they happen."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from queue import SimpleQueue
from threading import Thread

from shared import wiring
from shared.admission import Share
from shared.driver.room import Room, preparing
from shared.driver.transports import InProcess
from shared.driver.workflow import upload
from shared.endpoint import Endpoint, Reply
from shared.errors import Busy, unforeseen
from shared.flows.source import Source
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
    sources = [parts.source(file.filename, file.data) for file in uploads]
    need = preparing(parts, request)

    def in_lane(source: Source) -> int:
        # A file that never fits is refused by the room, in its turn: the others go on.
        return own if (own := need(source)) <= parts.memory.budget else 0

    # So is the memory for any one of the files, which the batch has for itself until its end.
    share = wiring.admitted(sources, in_lane)
    events: SimpleQueue[Event | None] = SimpleQueue()
    room = Room(parts.memory, need, lane=share)
    batch = Thread(target=_work, args=(parts, request, sources, events, room, share), name="upload")
    try:
        batch.start()
    except RuntimeError as error:  # the system has no thread to spare
        share.release()
        raise Busy from error
    return Reply(_drained(events))


def _work(
    parts: wiring.Parts,
    request: UploadRequest,
    sources: list[Source],
    events: SimpleQueue[Event | None],
    room: Room,
    share: Share,
) -> None:
    """Run the batch on a thread of its own: it goes on when the client leaves."""
    try:
        result = upload(
            sources,
            request,
            InProcess(parts),
            parts.settings,
            parts.executor,
            parts.workers,
            on_event=events.put,
            room=room,
        )
        events.put(Event(event="result", result=result))
    except Exception as error:
        log.exception("an upload broke off")
        events.put(Event(event="error", error=Problem.of(unforeseen(error))))
    finally:
        share.release()
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
