"""The helper process of `shared.imaging.isolated`: ``python -m shared.imaging.helper [ARENA]``.

Reads requests from standard input and answers to standard output, one after the other, until its
input ends. A request says how much memory and time it may take; more of either is refused by the
system. ARENA is the descriptor of the arena, where there is one.
"""

from __future__ import annotations

import os
import pickle
import resource
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np

from shared.imaging.arena import Arena
from shared.imaging.decode import stored
from shared.imaging.isolated import DAMAGED, NO_MEMORY, PIXELS, READY, Request
from shared.imaging.opencv import cv2


def main() -> None:
    # Decoders may print; the pipe is for answers alone.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for kind in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(kind, (0, 0))
    # What ends the function, or all of its group, lets it answer first. Then this one's input ends.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    cv2.setNumThreads(1)
    arena = Arena(int(sys.argv[1])) if sys.argv[1:] else None
    try:
        answers.write(READY)
        answers.flush()
        while True:
            _answer(answers, pickle.load(sys.stdin.buffer), arena)  # noqa: S301 - our own
    except (EOFError, BrokenPipeError):
        os._exit(0)  # the parent is gone, and nobody reads what is left


def _answer(answers: BinaryIO, request: Request, arena: Arena | None) -> None:
    content = request.content
    try:
        if content is None:
            assert arena is not None  # noqa: S101 for mypy
            arena.map(request.arena)
            content = arena.first(request.length).tobytes()
        with _confined(request.room, request.seconds):
            pixels = stored(content, request.header)
        if request.content is None and arena:
            np.copyto(arena.first(pixels.nbytes), pixels.reshape(-1))
        answers.write(PIXELS)
        if request.content is not None:
            answers.write(pixels.data)
    except MemoryError:
        answers.write(NO_MEMORY)
    except Exception:  # noqa: BLE001 - decoders raise whatever they meet on damaged files
        answers.write(DAMAGED)
    answers.flush()


@contextmanager
def _confined(room: int, seconds: float) -> Iterator[None]:
    """Let this process have so many bytes more of address space, and seconds of processor time.

    Only meanwhile: the next file may be larger than all that this one may take.
    """
    with open("/proc/self/statm") as pages:  # noqa: PTH123 - no need for pathlib here
        mapped = int(pages.read().split()[0]) * resource.getpagesize()
    limits = {
        resource.RLIMIT_AS: mapped + room,
        resource.RLIMIT_CPU: int(time.process_time() + seconds) + 1,
    }
    before = {kind: resource.getrlimit(kind) for kind in limits}
    try:
        for kind, limit in limits.items():
            hard = before[kind][1]
            resource.setrlimit(kind, (limit if hard < 0 else min(limit, hard), hard))
        yield
    finally:
        for kind, both in before.items():
            resource.setrlimit(kind, both)


if __name__ == "__main__":
    main()
