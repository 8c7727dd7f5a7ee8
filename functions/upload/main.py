"""The upload function: the whole workflow for a batch of files, answered as a stream of events."""

from __future__ import annotations

import flask
import functions_framework

from shared import endpoint
from shared.driver import stream
from shared.mount import mount


@functions_framework.http
def upload(request: flask.Request) -> flask.Response:
    """Answer one request; ``GET /openapi.json`` tells what it takes."""
    return endpoint.serve(request, stream.UPLOAD)


mount(stream.UPLOAD)
