"""A function that answers what it was sent, to try the edge without any work behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask
from pydantic import BaseModel

from shared.endpoint import Endpoint, Limits, Reply, serve
from shared.messages import DedupeRequest, Finding
from shared.multipart import Upload

Handle = Callable[[Any, list[Upload]], Reply]


class Echo(BaseModel):
    request: DedupeRequest
    files: list[tuple[str, int]]


def echo(request: DedupeRequest, uploads: list[Upload]) -> Reply:
    return Reply(Echo(request=request, files=[(file.filename, len(file.data)) for file in uploads]))


def endpoint(
    handle: Handle = echo, *, max_body: int = 10_000_000, ready: Callable[[], None] = lambda: None
) -> Endpoint:
    return Endpoint(
        name="echo",
        summary="Answer what was sent.",
        request=DedupeRequest,
        responses={200: Finding},
        files="many",
        handle=handle,
        ready=ready,
        limits=lambda: Limits(max_body=max_body, max_files=5),
    )


def asked(what: Endpoint, path: str = "/", **request: Any) -> flask.Response:
    """The answer to one request: a POST unless told otherwise."""
    with flask.Flask("edge").test_request_context(path, **{"method": "POST"} | request):
        return serve(flask.request, what)
