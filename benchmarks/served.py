"""The three functions, each a process of its own, as they are deployed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

NAMES = ("dedupe", "process", "persist")
ROOT = Path(__file__).parent.parent
LONGEST_S = 60
"""Wait for a function's first answer."""


@contextmanager
def function(name: str, environment: Mapping[str, str]) -> Iterator[str]:
    """The URL of a function; it has answered when the block begins."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    source = str(ROOT / "functions" / name / "main.py")
    words = ["-m", "functions_framework", "--source", source, "--target", name]
    process = subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, *words, "--host", "127.0.0.1", "--port", str(port)],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _await(f"{url}/readyz")
        yield url
    finally:
        process.terminate()
        process.wait()


def _await(url: str) -> None:
    until = monotonic() + LONGEST_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=LONGEST_S):  # noqa: S310 - our own address
                return
        except OSError:
            if monotonic() > until:
                raise
            sleep(0.005)
