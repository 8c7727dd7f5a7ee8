"""The HTTP edge of every function: address and method, body in, answer out, errors to statuses."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import flask
from pydantic import BaseModel, TypeAdapter, ValidationError

from shared import errors, multipart, openapi
from shared.errors import (
    Busy,
    InternalError,
    MethodNotAllowed,
    PathUnknown,
    PlatenError,
    RequestInvalid,
)
from shared.identity import fresh_key
from shared.messages import Event, Failure, IdempotencyKey, InlineFile, Problem
from shared.multipart import Upload

log = logging.getLogger("platen.endpoint")

STATUS: dict[type[PlatenError], int] = {
    errors.RequestInvalid: 400,
    errors.PathUnknown: 404,
    errors.MethodNotAllowed: 405,
    errors.DigestMismatch: 400,
    errors.RequestTooSlow: 408,
    errors.BodyTooLarge: 413,
    errors.HeadTooLarge: 431,
    errors.Busy: 503,
    errors.Stopping: 503,
    errors.FileRefused: 422,
    errors.TemplateUnknown: 422,
    errors.TemplateInvalid: 422,
    errors.NameInvalid: 422,
    errors.KeyReused: 422,
    errors.ShopTaken: 403,
    errors.Conflict: 409,
    errors.NasFull: 507,
    errors.NasRefused: 502,
    errors.NasError: 503,
    errors.DatabaseRefused: 502,
    errors.DatabaseError: 503,
    errors.StepFailed: 502,
    errors.InternalError: 500,
}
"""Status of each error; a class that is not listed has its nearest parent's."""

KEY = "Idempotency-Key"
"""https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/"""

_KEYS = TypeAdapter[str](IdempotencyKey)

_JSON = "application/json"
_NDJSON = "application/x-ndjson"
_SSE = "text/event-stream"

_PLAIN_WORD = re.compile(r"[\w.-]{1,64}", re.ASCII)

RETRY_AFTER_S = 2
"""Advice with a 503: long enough for a reconnect, short enough for a person who waits."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A status and a body, or a stream of events."""

    body: BaseModel | Iterator[Event]
    status: int = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may hold: bytes of the whole body, and files."""

    max_body: int
    max_files: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One function: what it takes and answers, and what does the work."""

    name: str
    summary: str
    request: type[BaseModel]
    responses: dict[int, type[BaseModel]]
    files: str
    """Which files go along: ``one``, ``many``, ``optional`` (one at most) or ``none``."""
    handle: Callable[[Any, list[Upload]], Reply]
    ready: Callable[[], None]
    """Raises why the function can't work."""
    limits: Callable[[], Limits]


def serve(request: flask.Request, endpoint: Endpoint) -> flask.Response:
    """Answer one request. Whatever happens, the answer is JSON with a stable code."""
    request_id = _request_id(request)
    try:
        response = _route(request, endpoint)
    except PlatenError as error:
        response = _failure(error, request_id)
        if response.status_code >= 500:
            # Who is refused for want of room is many, and where it was says nothing.
            trace = None if isinstance(error, Busy) else error
            log.warning("%s %s: %s", endpoint.name, request_id, error.code, exc_info=trace)
    except MemoryError as error:  # of what was foretold less than it took
        log.warning("%s %s: no memory", endpoint.name, request_id, exc_info=error)
        response = _failure(Busy(), request_id)
    except Exception:
        log.exception("%s %s: unexpected", endpoint.name, request_id)
        response = _failure(InternalError(), request_id)
    return _marked(response, request_id)


def refusal(error: PlatenError) -> flask.Response:
    """The answer to a request that no function was called for."""
    request_id = uuid4().hex
    return _marked(_failure(error, request_id), request_id)


def status_of(error: PlatenError) -> int:
    """The HTTP status of an error: its own class's, else its nearest listed parent's."""
    return next(STATUS[parent] for parent in type(error).__mro__ if parent in STATUS)


def _route(request: flask.Request, endpoint: Endpoint) -> flask.Response:
    actions: dict[str, tuple[str, Callable[[], flask.Response]]] = {
        "/": ("POST", lambda: _work(request, endpoint)),
        "/healthz": ("GET", lambda: _json('{"status":"ok"}')),
        "/readyz": ("GET", lambda: _ready(endpoint)),
        "/openapi.json": ("GET", lambda: _json(openapi.text(openapi.document(endpoint)))),
    }
    if request.path not in actions:
        raise PathUnknown
    method, act = actions[request.path]
    if request.method != method and (request.method, method) != ("HEAD", "GET"):
        raise MethodNotAllowed(allowed=method)
    return act()


def _ready(endpoint: Endpoint) -> flask.Response:
    endpoint.ready()
    return _json('{"status":"ready"}')


def _json(text: str, status: int = 200) -> flask.Response:
    """A JSON answer, given as an iterator of one chunk.

    Before the framework sends a whole body, it reads what is left of the request's into memory,
    however large; it leaves the request alone where the answer is streamed.
    """
    content = text.encode()
    response = flask.Response(iter([content]), status, mimetype=_JSON)
    response.content_length = len(content)
    return response


def _text(value: BaseModel) -> str:
    """As JSON, without those of its own fields that hold nothing; its parts' fields all stay."""
    return value.model_dump_json(exclude={name for name, held in value if held is None})


def _work(request: flask.Request, endpoint: Endpoint) -> flask.Response:
    limits = endpoint.limits()
    max_files = {"many": limits.max_files, "none": 0}.get(endpoint.files, 1)
    body = multipart.read(request, limits.max_body, max_files)
    message, key = _keyed(_parse(endpoint.request, body.document), request)
    uploads = [*body.files, *_inline(message)]
    if not uploads and endpoint.files in ("one", "many"):
        raise RequestInvalid(reason="no file was sent")
    multipart.check(uploads, max_files)
    reply = endpoint.handle(message, uploads)
    if isinstance(reply.body, BaseModel):
        response = _json(reply.body.model_dump_json(), reply.status)
    else:
        response = _stream(reply.body, request)
    if key is not None:
        # Before the first event: who loses the rest of the answer asks again under it.
        response.headers[KEY] = key
    return response


def _parse(model: type[BaseModel], document: bytes | bytearray) -> BaseModel:
    try:
        return model.model_validate_json(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))[: multipart.MAX_QUOTE] or "the JSON"
        raise RequestInvalid(reason=f"{place}: {first['msg']}") from error


def _keyed(message: BaseModel, request: flask.Request) -> tuple[BaseModel, str | None]:
    """The request with its idempotency key: the header's, the field's, or a fresh one; and the key.

    None where the request's kind has no key. Raises RequestInvalid.
    """
    if "idempotency_key" not in type(message).model_fields:
        return message, None
    field: str | None = getattr(message, "idempotency_key", None)
    header = request.headers.get(KEY)
    if header is not None:
        header = _unquoted(header)
        try:
            _KEYS.validate_python(header)
        except ValidationError as error:
            reason = f"{KEY}: {error.errors()[0]['msg']}"
            raise RequestInvalid(reason=reason) from error
        if field not in (None, header):
            raise RequestInvalid(reason=f"{KEY} and idempotency_key are not the same")
    key = header or field or fresh_key()
    return message.model_copy(update={"idempotency_key": key}), key


def _unquoted(header: str) -> str:
    """The key in a header, which is a quoted string by its specification and plain in practice."""
    is_quoted = len(header) > 1 and header[0] == header[-1] == '"'
    return header[1:-1] if is_quoted else header


def _inline(message: BaseModel) -> list[Upload]:
    inline: list[InlineFile] = getattr(message, "files", None) or []
    single: InlineFile | None = getattr(message, "file", None)
    return [
        Upload(file.filename, file.content) for file in [*inline, *([single] if single else [])]
    ]


def _stream(events: Iterator[Event], request: flask.Request) -> flask.Response:
    """Events as they happen: a JSON object a line, or server-sent events where asked for."""
    lines = map(_text, events)
    kind = request.accept_mimetypes.best_match([_NDJSON, _SSE], default=_NDJSON)
    if kind == _SSE:
        return flask.Response((f"data: {line}\n\n" for line in lines), mimetype=_SSE)
    return flask.Response((f"{line}\n" for line in lines), mimetype=_NDJSON)


def _marked(response: flask.Response, request_id: str) -> flask.Response:
    response.headers["X-Request-Id"] = request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


def _failure(error: PlatenError, request_id: str) -> flask.Response:
    problem = Problem.of(error)
    body = Failure(
        **problem.model_dump(), request_id=request_id, match=getattr(error, "match", None)
    )
    response = _json(_text(body), status_of(error))
    response.headers["Connection"] = "close"
    if response.status_code == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = str(error.facts["allowed"])
    return response


def _request_id(request: flask.Request) -> str:
    """The client's own id of the request where it is a plain word, else a fresh one."""
    given = request.headers.get("X-Request-Id", "")
    return given if _PLAIN_WORD.fullmatch(given) else uuid4().hex
