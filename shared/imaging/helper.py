"""The helper process of `shared.imaging.isolated`: ``python -m shared.imaging.helper``.

Reads requests from standard input and answers to standard output, one after the other, until its
input ends. A request says how much memory and time it may take; more of either is refused by the
system.
"""

from __future__ import annotations

import os
import pickle
import resource
import sys
import time
from typing import BinaryIO

from shared.imaging.decode import stored
from shared.imaging.isolated import DAMAGED, NO_MEMORY, PIXELS
from shared.imaging.limits import Header
from shared.imaging.opencv import cv2


def main() -> None:
    # Decoders may print; the pipe is for answers alone.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for kind in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(kind, (0, 0))
    cv2.setNumThreads(1)
    try:
        while True:
            header, content, room, seconds = pickle.load(sys.stdin.buffer)  # noqa: S301 - our own
            _confine(room, seconds)
            _answer(header, content, answers)
    except (EOFError, BrokenPipeError):
        os._exit(0)  # the parent is gone, and nobody reads what is left


def _answer(header: Header, content: bytes, answers: BinaryIO) -> None:
    try:
        pixels = stored(content, header)
        answers.write(PIXELS)
        answers.write(pixels.data)
    except MemoryError:
        answers.write(NO_MEMORY)
    except Exception:  # noqa: BLE001 - decoders raise whatever they meet on damaged files
        answers.write(DAMAGED)
    answers.flush()


def _confine(room: int, seconds: float) -> None:
    """Let this process have so many bytes more of address space, and seconds of processor time."""
    with open("/proc/self/statm") as pages:  # noqa: PTH123 - no need for pathlib here
        mapped = int(pages.read().split()[0]) * resource.getpagesize()
    _lower(resource.RLIMIT_AS, mapped + room)
    _lower(resource.RLIMIT_CPU, int(time.process_time() + seconds) + 1)


def _lower(kind: int, limit: int) -> None:
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (limit if hard < 0 else min(limit, hard), hard))


if __name__ == "__main__":
    main()
