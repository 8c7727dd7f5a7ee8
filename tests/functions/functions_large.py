"""A function whose answer is larger than what the way to a client can hold."""

from __future__ import annotations

import flask
import functions_framework

from shared.mount import mount
from tests.edge.edge_echo import endpoint

SIZE = 30_000_000


@functions_framework.http
def large(_request: flask.Request) -> flask.Response:
    """The same large answer to everybody."""
    return flask.Response(iter([b"x" * SIZE]))


mount(endpoint())
