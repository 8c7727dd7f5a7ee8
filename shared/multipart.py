"""Read a request's body: a JSON document, or a form with files, wholly in memory.

Werkzeug's own form parsing writes parts over 500 KB to temporary files; this drives its decoder
by hand and keeps every part in a buffer.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import flask
from pydantic import TypeAdapter, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import (
    Data,
    Epilogue,
    Event,
    Field,
    File,
    MultipartDecoder,
    NeedData,
)

from shared.errors import BodyTooLarge, DigestMismatch, RequestInvalid
from shared.records import Text
from shared.settings import MEGABYTE

CHUNK = 1 << 18
"""Bytes that the decoder is given at once: it copies them several times, which the caches
hold. Of 1 MB, each copy is memory that the system has to give anew."""
MAX_TEXT = 2 * MEGABYTE
"""Bytes of all form fields together: the request's JSON with a packed normal form is below it."""
MAX_QUOTE = 100
"""Characters of a client's own words that an answer repeats."""
REQUEST_PART = "request"

_SHA256 = re.compile(r"(?:^|,)[ \t]*sha-256=:?([^:, \t]*):?")
_NAME = TypeAdapter[str](Text)


@dataclass(slots=True)
class Upload:
    """One file of a request: the client's name for it, which is data only, and its bytes."""

    filename: str
    data: bytearray | bytes


@dataclass(slots=True)
class Body:
    """A request's JSON document, as text, and its file parts in their order."""

    document: bytes | bytearray = b"{}"
    files: list[Upload] = field(default_factory=list)


def read(request: flask.Request, max_body: int, max_files: int) -> Body:
    """Read the body of a JSON or multipart request.

    ``max_body`` in bytes, judged by Content-Length before anything is read and again while
    reading. The body must be the one that a Content-Digest tells of, where there is one.
    Raises BodyTooLarge, DigestMismatch and RequestInvalid.
    """
    if (request.content_length or 0) > max_body:
        raise BodyTooLarge(limit_mb=max_body / MEGABYTE)
    request.max_content_length = max_body
    try:
        if request.mimetype == "multipart/form-data":
            return _form(request, max_files)
        if request.mimetype == "application/json":
            return Body(document=b"".join(_chunks(request)))
    except RequestEntityTooLarge as error:
        raise BodyTooLarge(limit_mb=max_body / MEGABYTE) from error
    raise RequestInvalid(reason="send multipart/form-data or application/json")


def _chunks(request: flask.Request) -> Iterator[bytes]:
    """The body in its order. Its end is only told when it is the body that the client sent."""
    digest, told = hashlib.sha256(), _digest(request)
    try:
        while chunk := request.stream.read(CHUNK):
            if told is not None:
                digest.update(chunk)
            yield chunk
    except (RequestEntityTooLarge, MemoryError):
        raise
    except Exception as error:  # each server has its own for a client that leaves or frames badly
        raise RequestInvalid(reason="the body was cut short or is malformed") from error
    if told not in (None, digest.digest()):
        raise DigestMismatch


def _digest(request: flask.Request) -> bytes | None:
    """The SHA-256 of the body by the client's word: https://www.rfc-editor.org/rfc/rfc9530.

    None where it tells none; other algorithms may be left unread.
    """
    told = _SHA256.search(request.headers.get("Content-Digest", ""))
    if told is None:
        return None
    try:
        return base64.b64decode(told[1], validate=True)
    except ValueError as error:
        raise RequestInvalid(reason="the Content-Digest is no base64 between colons") from error


def check(uploads: list[Upload], max_files: int) -> None:
    """Raise RequestInvalid for more than ``max_files`` files, or a name that can't be stored."""
    if len(uploads) > max_files:
        raise _too_many(max_files)
    for position, upload in enumerate(uploads, start=1):
        try:
            _NAME.validate_python(upload.filename)
        except ValidationError as error:
            reason = f"the name of file {position} is empty, too long or not plain text"
            raise RequestInvalid(reason=reason) from error


def _too_many(max_files: int) -> RequestInvalid:
    return RequestInvalid(reason=f"at most {max_files} file(s) can be sent at once")


def _form(request: flask.Request, max_files: int) -> Body:
    boundary = request.mimetype_params.get("boundary", "")
    if not boundary:
        raise RequestInvalid(reason="the form has no boundary")
    decoder = MultipartDecoder(boundary.encode("latin-1", "replace"), MAX_TEXT)
    parts = _Parts(max_files)
    try:
        for event in _events(_chunks(request), decoder):
            parts.take(event)
    except ValueError as error:
        raise RequestInvalid(reason="the form is cut short or malformed") from error
    return parts.body()


class _Parts:
    """Gathers a form's parts as the decoder tells of them."""

    def __init__(self, max_files: int) -> None:
        self._max_files = max_files
        self._files: list[Upload] = []
        self._document: bytearray | None = None
        self._target = bytearray()

    def take(self, event: Event) -> None:
        if isinstance(event, Data):
            self._target += event.data
            if self._target is self._document and len(self._target) > MAX_TEXT:
                raise _too_long()
        elif isinstance(event, File) and event.name != REQUEST_PART:
            self._open_file(event.filename)
        elif isinstance(event, Field | File):
            self._open_document(event.name)

    def body(self) -> Body:
        if self._document is None:
            raise RequestInvalid(reason="the form needs a JSON part named 'request'")
        return Body(self._document, self._files)

    def _open_file(self, filename: str) -> None:
        if len(self._files) == self._max_files:
            raise _too_many(self._max_files)
        self._target = bytearray()
        self._files.append(Upload(filename, self._target))

    def _open_document(self, name: str | None) -> None:
        if name != REQUEST_PART:
            raise RequestInvalid(reason=f"unexpected form field {(name or '')[:MAX_QUOTE]!r}")
        if self._document is not None:
            raise RequestInvalid(reason="the form has two parts named 'request'")
        self._target = self._document = bytearray()


def _too_long() -> RequestInvalid:
    return RequestInvalid(reason=f"a part's text is longer than {MAX_TEXT} bytes")


def _events(chunks: Iterator[bytes], decoder: MultipartDecoder) -> Iterator[Event]:
    """The decoder's events until the form's end. Raises ValueError where it ends too early."""
    finished = False
    while not finished:
        event = decoder.next_event()
        while isinstance(event, NeedData):
            _feed(decoder, next(chunks, None))
            event = decoder.next_event()
        yield event
        finished = isinstance(event, Epilogue)


def _feed(decoder: MultipartDecoder, chunk: bytes | None) -> None:
    """Only what is no file waits in the decoder: heads of parts, and what lies around the form."""
    try:
        decoder.receive_data(chunk)
    except RequestEntityTooLarge as error:
        raise _too_long() from error
