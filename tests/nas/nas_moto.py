"""moto's S3 server in a process of its own, so that its memory isn't counted as the store's."""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

BUCKET = "platen-tests"
PAGE = 100
"""Entries in a page of a list; S3 itself has 1,000."""


@contextmanager
def moto_server() -> Iterator[str]:
    """The endpoint of a server with an empty bucket named `BUCKET`."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join(10)


def _serve(pipe: Connection) -> None:
    from moto.moto_server.werkzeug_app import MotoRequestHandler
    from moto.s3.models import s3_backends
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    os.environ["MOTO_S3_DEFAULT_MAX_KEYS"] = str(PAGE)
    s3_backends["123456789012"]["aws"].create_bucket(BUCKET, "us-east-1")
    application = _one_by_one(DomainDispatcherApplication(create_backend_app))
    server = make_server(
        "127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler
    )
    pipe.send(server.server_port)
    server.serve_forever()


def _one_by_one(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """S3 judges a condition and writes in one step; moto takes two, so a lock makes them one."""
    lock = threading.Lock()

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with lock:
            return application(environ, start_response)

    return serve
