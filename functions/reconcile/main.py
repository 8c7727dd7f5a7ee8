"""The reconcile function: served by functions-framework, or called with a Flask request."""

from __future__ import annotations

import flask
import functions_framework

from shared import endpoint, wiring
from shared.mount import mount


@functions_framework.http
def reconcile(request: flask.Request) -> flask.Response:
    """Answer one request; ``GET /openapi.json`` tells what it takes."""
    return endpoint.serve(request, wiring.RECONCILE)


mount(wiring.RECONCILE)
