"""What a header can't bound is decoded in a process of its own, which may be killed.

The time and memory that a PNG, a JPEG, a WebP or a BMP takes follow from its header, which was
judged. Those of a TIFF's many codings and of a profile that must be applied do not: a profile of
160 KB can ask for 10 s. Such files go to a helper process. It has a deadline, an address space of
its own, no files, and none of this process's secrets; it is started when the first such file
comes, is used again, and ends with this process.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections import deque
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from signal import SIGKILL, SIGXCPU
from threading import BoundedSemaphore, Event, Timer

import numpy as np

from shared.errors import Busy, CorruptImage, ImageTooCostly
from shared.imaging.headers import icc
from shared.imaging.headers.header import Colour, Format, Header
from shared.imaging.pixels import Pixels

PIXELS, DAMAGED, NO_MEMORY = b"P", b"D", b"M"
"""First byte of a helper's answer. After the first come (height, width, 4) bytes of RGBA."""

HELPERS = 2
"""At once; each holds about 80 MB while it waits for the next file."""

PATIENCE = 3
"""Times the limit of processor time that may go by on the clock: on a busy machine an honest file
waits for the processor."""

END_S = 1.0
"""Seconds in which a helper that has closed its pipe must be gone."""

_ROOT = Path(__file__).resolve().parents[2]


def is_needed(header: Header) -> bool:
    """Whether the header tells too little of what decoding takes."""
    if header.format is Format.TIFF or header.colour is Colour.CMYK:
        return True
    # Gray levels go through their profile, where an RGB profile is only handed on.
    is_gray = header.colour in (Colour.GRAY, Colour.GRAY_ALPHA)
    return is_gray and header.icc is not None and icc.space(header.icc) == b"GRAY"


def decoded(content: bytes, header: Header, room: int, seconds: float) -> Pixels:
    """The stored picture as (height, width, 4) RGBA, not yet upright.

    ``room``: bytes of memory that decoding may take. ``seconds``: the processor's time. Raises
    CorruptImage, ImageTooCostly where either does not do, and Busy where the system has no process
    to spare.
    """
    with _turns:
        return _decoded(content, header, room, seconds)


def _decoded(content: bytes, header: Header, room: int, seconds: float) -> Pixels:
    pixels = np.empty((header.height, header.width, 4), np.uint8)
    helper = _idle_helper() or _Helper()
    is_late = Event()

    def end() -> None:
        is_late.set()
        helper.kill()

    deadline = Timer(seconds * PATIENCE, end)
    deadline.start()
    answer, signal = b"", 0
    try:
        answer = helper.ask(pickle.dumps((header, content, room, seconds)), pixels)
    finally:
        deadline.cancel()
        deadline.join()
        if answer and not is_late.is_set():
            _idle.append(helper)
        else:
            signal = helper.end()
    if is_late.is_set() or signal == SIGXCPU:
        raise ImageTooCostly(what="time")
    if answer == NO_MEMORY or signal == SIGKILL:  # the system's, which has no more memory
        raise ImageTooCostly(what="memory")
    if answer != PIXELS:
        raise CorruptImage(reason="its pixels can't be decoded")
    return pixels


class _Helper:
    """A process that runs `shared.imaging.helper`. One thread at a time asks it."""

    def __init__(self) -> None:
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-B", "-m", "shared.imaging.helper"],
                cwd=_ROOT,
                # The same packages, and nothing else of what this process was told.
                env={"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise Busy from error

    def ask(self, request: bytes, pixels: Pixels) -> bytes:
        """The answer's first byte, and its pixels filled in; none where the helper ended."""
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None  # noqa: S101 for mypy
        assert isinstance(answers, BufferedReader)  # noqa: S101 for mypy
        try:
            requests.write(request)
            requests.flush()
        except BrokenPipeError:
            return b""
        answer = answers.read(1)
        is_whole = answer != PIXELS or answers.readinto(pixels.data.cast("B")) == pixels.nbytes
        return answer if is_whole else b""

    def is_fit(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> int:
        """The signal that it ended by, or 0."""
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        with suppress(BrokenPipeError):
            self._process.__exit__(None, None, None)  # waits, and closes the pipes
        return max(0, -self._process.returncode)


_idle: deque[_Helper] = deque()
_turns = BoundedSemaphore(HELPERS)


def _forget() -> None:
    """In a fork: the helpers are its parent's."""
    global _turns  # noqa: PLW0603 - whoever held a turn is not here
    _idle.clear()
    _turns = BoundedSemaphore(HELPERS)


os.register_at_fork(after_in_child=_forget)


def _idle_helper() -> _Helper | None:
    while _idle:
        with suppress(IndexError):  # another thread was faster
            helper = _idle.pop()
            if helper.is_fit():
                return helper
            helper.end()
    return None
