"""Helper processes that decode: what a header can't bound, and what would hold other files up.

The time and memory that a PNG, a JPEG, a WebP or a BMP takes follow from its header, which was
judged. Those of a TIFF's many codings and of a profile that must be applied do not: a profile of
160 KB can ask for 10 s. Such files go to a helper process. It has a deadline, an address space of
its own, may write no file, and has none of this process's secrets; it is started when the first
such file comes, is used again, and ends with this process, or when that is killed: its input ends
then. Large PNGs may go there too, so that Python's lock stays free for what else goes on here.
"""

from __future__ import annotations

import atexit
import os
import pickle
import select
import subprocess
import sys
from collections import deque
from contextlib import suppress
from io import BufferedReader
from itertools import count
from pathlib import Path
from signal import SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGXCPU
from threading import BoundedSemaphore, Event, Timer
from typing import NamedTuple

import numpy as np

from shared.errors import Busy, CorruptImage, ImageTooCostly
from shared.imaging.arena import Arena
from shared.imaging.codecs import is_fast_png
from shared.imaging.headers import icc
from shared.imaging.headers.header import Colour, Format, Header
from shared.imaging.pixels import Pixels

READY = b"R"
"""A helper's first word, when it has started."""
PIXELS, DAMAGED, NO_MEMORY = b"P", b"D", b"M"
"""A helper's answer. With the first there are (height, width, 4) bytes of RGBA: in the arena, or
behind it where there is none."""

HELPERS = 2
"""At once; each holds about 80 MB while it waits for the next file, and its arena."""

PATIENCE = 6
"""Times the limit of processor time that may go by on the clock. A file that is ended by it had not
the processor's time that it may have: the machine is busy, and the file may be honest."""

PATIENCE_AT_ONCE_S = 5.0
"""The same, for a file that can be decoded here as well."""

STARTED_FOR = 4
"""Files that found no helper, though one was wanted, until one is started: that takes as much of
the processor's time as it saves for so many."""

HOLDS_UP_PX = 1_000_000
"""Pixels from which on a fast PNG decoder is felt by other threads: it takes 7 ms."""

END_S = 1.0
"""Seconds in which a helper that has closed its pipe must be gone."""

CRASHES = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV}
"""What a decoder ends by that a file has led astray."""

_ROOT = Path(__file__).resolve().parents[2]


class Request(NamedTuple):
    """A file to decode, and what that may take: bytes of memory, seconds of the processor's time.

    ``content`` None: it is the first ``length`` bytes of the arena, which has ``arena`` bytes.
    """

    header: Header
    room: int
    seconds: float
    content: bytes | None
    length: int = 0
    arena: int = 0


def is_needed(header: Header) -> bool:
    """Whether the header tells too little of what decoding takes."""
    if header.colour is Colour.CMYK:
        return True
    if header.format is Format.TIFF and header.raw is None:
        return True
    # Gray levels go through their profile, where an RGB profile is only handed on.
    is_gray = header.colour in (Colour.GRAY, Colour.GRAY_ALPHA)
    return is_gray and header.icc is not None and icc.space(header.icc) == b"GRAY"


def is_wanted(header: Header) -> bool:
    """Whether its decoder would hold Python's lock for so long that others feel it."""
    return is_fast_png(header) and header.width * header.height >= HOLDS_UP_PX


def decoded(content: bytes, header: Header, room: int, seconds: float) -> Pixels:
    """The stored picture as (height, width, 4) RGBA, not yet upright.

    ``room``: bytes of memory that decoding may take. ``seconds``: the processor's time. Raises
    CorruptImage, ImageTooCostly where either does not do, and Busy where the system has no process,
    thread, time or memory to spare.
    """
    pixels = _room_for(header)
    with _turns:
        helper = _idle_helper() or _Helper(Arena.make())
        failure = _ask(helper, Request(header, room, seconds, content), pixels, seconds * PATIENCE)
    if failure:
        raise failure
    return pixels


def decoded_at_once(content: bytes, header: Header, room: int, seconds: float) -> Pixels | None:
    """The same by a helper that is ready; None where none is, or it had another fault than damage.

    After some files that found none, one is started. Raises CorruptImage.
    """
    pixels = _room_for(header)
    if not _turns.acquire(blocking=False):
        return None
    try:
        helper = _idle_helper() or _started_for_many()
        if helper is None:
            return None
        if not helper.is_ready(max(len(content), pixels.nbytes)):
            _idle.appendleft(helper)
            return None
        request = Request(header, room, seconds, content)
        failure = _ask(helper, request, pixels, PATIENCE_AT_ONCE_S)
    except Busy:
        return None
    finally:
        _turns.release()
    if isinstance(failure, CorruptImage):
        raise failure
    return None if failure else pixels


def _room_for(header: Header) -> Pixels:
    return np.empty((header.height, header.width, 4), np.uint8)


def _started_for_many() -> _Helper | None:
    if next(_missed) % STARTED_FOR:
        return None
    arena = Arena.make()
    return _Helper(arena) if arena else None  # through pipes nothing would be gained


def _ask(
    helper: _Helper, request: Request, pixels: Pixels, patience_s: float
) -> CorruptImage | ImageTooCostly | Busy | None:
    """Why ``pixels`` could not be filled in, if so. The helper is idle afterwards, or has ended."""
    is_late = Event()
    answer = b""

    def end() -> None:
        is_late.set()
        helper.kill()

    try:
        deadline = Timer(patience_s, end)
        try:
            deadline.start()
        except RuntimeError:  # the system has no thread to spare
            return Busy()
        try:
            answer = helper.ask(request, pixels)
        finally:
            deadline.cancel()
            deadline.join()
    finally:
        signal = 0
        if helper.is_at_work or is_late.is_set():
            signal = helper.end()
        else:
            _idle.append(helper)
    if signal in CRASHES or answer == DAMAGED:
        return CorruptImage(reason="its pixels can't be decoded")
    if signal == SIGXCPU:
        return ImageTooCostly(what="time")
    if answer == NO_MEMORY:
        return ImageTooCostly(what="memory")
    # Ended by somebody, by the deadline, or by a system that has no more memory.
    return None if answer == PIXELS else Busy()


class _Helper:
    """A process that runs `shared.imaging.helper`. One thread at a time asks it."""

    def __init__(self, arena: Arena | None) -> None:
        self._arena = arena
        files = [arena.file] if arena else []
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own words
                [sys.executable, "-B", "-m", "shared.imaging.helper", *map(str, files)],
                cwd=_ROOT,
                # The same packages, and nothing else of what this process was told.
                env={"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=files,
            )
        except BaseException as error:
            self._close_arena()
            if isinstance(error, OSError):
                raise Busy from error
            raise
        self._has_started = False
        self.is_at_work = False
        """It was asked, and has not answered yet: nobody else may ask it."""
        _started.add(self)

    def is_ready(self, need: int) -> bool:
        """Whether it would begin at once, with so many bytes that it and this process see."""
        said = select.poll()
        said.register(self._answers, select.POLLIN)
        if not self._has_started and said.poll(0):
            self._has_started = self._heard() == READY
        return self._has_started and self._arena is not None and self._arena.grow(need)

    def ask(self, request: Request, pixels: Pixels) -> bytes:
        """The answer, and its pixels filled in; nothing where the helper ended."""
        content, arena = request.content, self._arena
        assert content is not None  # noqa: S101 for mypy
        self.is_at_work = True
        if arena and arena.grow(max(len(content), pixels.nbytes)):
            np.copyto(arena.first(len(content)), np.frombuffer(content, np.uint8))
            request = request._replace(content=None, length=len(content), arena=arena.size)
        else:
            arena = None
        requests = self._process.stdin
        assert requests is not None  # noqa: S101 for mypy
        try:
            requests.write(pickle.dumps(request))
            requests.flush()
        except BrokenPipeError:
            return b""
        self._has_started = self._has_started or self._heard() == READY
        answer = self._heard()
        if answer == PIXELS and arena:
            np.copyto(pixels, arena.first(pixels.nbytes).reshape(pixels.shape))
        elif answer == PIXELS and self._answers.readinto(pixels.data.cast("B")) < pixels.nbytes:
            return b""
        if answer:
            self.is_at_work = False
            if arena:
                arena.shrink()
        return answer

    def _heard(self) -> bytes:
        """The next byte of what it says; nothing where it ended."""
        return self._answers.read(1)

    @property
    def _answers(self) -> BufferedReader:
        answers = self._process.stdout
        assert isinstance(answers, BufferedReader)  # noqa: S101 for mypy
        return answers

    def _close_arena(self) -> None:
        if self._arena:
            self._arena.close()

    def is_fit(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()

    def disown(self) -> None:
        """In a fork: let go of the parent's pipes."""
        with open(os.devnull, "r+b", buffering=0) as nothing:  # noqa: PTH123 - as for a pipe
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None and not pipe.closed:
                    # Closing could write what the parent was about to, or wait for its thread.
                    os.dup2(nothing.fileno(), pipe.fileno(), inheritable=False)
        self._close_arena()

    def end(self) -> int:
        """The signal that it ended by, or 0."""
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        _started.discard(self)
        with suppress(BrokenPipeError):
            self._process.__exit__(None, None, None)  # waits, and closes the pipes
        self._close_arena()
        return max(0, -self._process.returncode)


_idle: deque[_Helper] = deque()
_started: set[_Helper] = set()
"""The idle ones, and those at work."""
_turns = BoundedSemaphore(HELPERS)
_missed = count(1)


def end_idle() -> None:
    """End the helpers that wait for a file. At the end of a process these are all."""
    while helper := _popped():
        helper.kill()
        helper.end()


def _forget() -> None:
    """In a fork: the helpers are its parent's."""
    global _turns  # noqa: PLW0603 - whoever held a turn is not here
    for helper in _started:
        # A pipe held open here would have a helper outlive its parent.
        helper.disown()
    _started.clear()
    while idle := _popped():
        idle.end()  # here it is no child, so there is nothing to wait for
    _turns = BoundedSemaphore(HELPERS)


atexit.register(end_idle)
os.register_at_fork(after_in_child=_forget)


def _idle_helper() -> _Helper | None:
    while helper := _popped():
        if helper.is_fit():
            return helper
        helper.end()
    return None


def _popped() -> _Helper | None:
    try:
        return _idle.pop()
    except IndexError:
        return None
