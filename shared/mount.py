"""What functions-framework does around a function, made fit for one that takes uploads.

The framework runs a function's module inside the Flask app that it builds for it, and only then
starts gunicorn, so a function can still change both. `mount` is for that moment; where the module
is imported by anything else, it does nothing.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress
from pathlib import Path
from typing import Any

import flask

from shared.endpoint import Endpoint, serve

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - gunicorn unlinks its file as soon as it is open

_GUNICORN: dict[str, Any] = {
    # The worker's heartbeat is a file. Unset, Python tries out folders on disk for it.
    "worker_tmp_dir": str(_SHARED_MEMORY) if _SHARED_MEMORY.is_dir() else None,
    # A socket in the user's home, which the next function started there would take over.
    "control_socket_disable": True,
    # Every answer ends its connection. gunicorn drops the header by which a refusal asks for
    # that, and would go on to read a body that nobody wants.
    "keepalive": 0,
    # Clients at once, however slow; a process may have 1,024 descriptors open on many systems.
    "worker_connections": 500,
    # Seconds that requests have to end after SIGTERM: platforms kill after 10.
    "graceful_timeout": 8,
}
"""Defaults of gunicorn's settings. The framework passes on neither its file nor its variables."""

_M_ARENA_MAX = -8
"""https://man7.org/linux/man-pages/man3/mallopt.3.html"""
_ARENAS = 2
"""The C library would give eight to each processor. Each takes 64 MB of addresses, and keeps what
its threads let go: 228 MB where 151 do, after eight pictures of 50 megapixels at once."""


def mount(endpoint: Endpoint) -> None:
    """Keep the framework's server off the disk, and let the function answer every address."""
    if not flask.has_app_context():
        return
    with suppress(AttributeError):  # another C library than glibc
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)

    from gunicorn import config

    from shared.worker import Worker

    for setting in config.KNOWN_SETTINGS:
        if setting.name in _GUNICORN:
            setting.default = _GUNICORN[setting.name]
        elif setting.name == "worker_class":
            setting.default = Worker

    # The framework's own addresses (/robots.txt, /favicon.ico) and Flask's redirects would be
    # answered in HTML.
    @flask.current_app.before_request
    def answer_foreign_route() -> flask.Response | None:
        return None if flask.request.endpoint == "run" else serve(flask.request, endpoint)
