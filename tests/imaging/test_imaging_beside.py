"""Where other files are worked on, a large PNG is decoded by a helper, with the same pixels."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from imaging_files import drawn, png, tiff

from shared.admission import Memory, Share
from shared.errors import Busy, CorruptImage, ImageTooCostly
from shared.imaging import arena, demand, isolated
from shared.imaging.decode import decode
from shared.imaging.limits import Limits, judge

LIMITS = Limits(max_bytes=20_000_000, max_pixels=100_000_000, max_side=20_000, seconds=60)
ROOT = Path(__file__).parents[2]
PICTURE = drawn(1000, 1010, 4)
LARGE = png(PICTURE)
TINY = drawn(30, 40, 4)
SMALL = tiff(TINY, extra=(2,), deflate=True)
"""What a helper must decode."""

pytestmark = pytest.mark.skipif(
    not hasattr(os, "memfd_create"), reason="SKIPPED: this system shares no memory without a name"
)


@pytest.fixture(autouse=True)
def no_helpers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(isolated, "STARTED_FOR", 1)
    isolated.end_idle()
    yield
    isolated.end_idle()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[isolated.Request]:
    """What helpers are asked."""
    requests: list[isolated.Request] = []
    patch_ask(monkeypatch, lambda _, request: requests.append(request))
    return requests


def patch_ask(
    monkeypatch: pytest.MonkeyPatch, before: Callable[[isolated._Helper, isolated.Request], None]
) -> None:
    """Have something done before a helper is asked."""
    ask = isolated._Helper.ask

    def patched(helper: isolated._Helper, request: isolated.Request, pixels: np.ndarray) -> bytes:
        before(helper, request)
        return ask(helper, request, pixels)

    monkeypatch.setattr(isolated._Helper, "ask", patched)


def ready() -> isolated._Helper:
    """The one idle helper, once it has started."""
    (helper,) = isolated._idle
    deadline = time.monotonic() + 60
    while not helper.is_ready(1):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return helper


def read(data: bytes) -> np.ndarray:
    return decode(data, LIMITS, Memory(10**9).take).pixels


def test_a_helper_is_started_by_the_first_and_asked_for_the_next(
    asked: list[isolated.Request],
) -> None:
    assert np.array_equal(read(LARGE), PICTURE)
    assert not asked
    ready()
    for _ in range(3):
        assert np.array_equal(read(LARGE), PICTURE)
    assert len(asked) == 3


def test_few_files_are_not_worth_a_helper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolated, "STARTED_FOR", 3)
    monkeypatch.setattr(isolated, "_missed", count(1))
    for started in (0, 0, 1):
        read(LARGE)
        assert len(isolated._idle) == started


def test_rgb_too(asked: list[isolated.Request]) -> None:
    read(LARGE)
    ready()
    pixels = read(png(PICTURE[..., :3], 2))
    assert np.array_equal(pixels[..., :3], PICTURE[..., :3])
    assert (pixels[..., 3] == 255).all()
    assert len(asked) == 1


def test_alone_in_the_process_it_needs_none() -> None:
    decode(LARGE, LIMITS)
    assert not isolated._idle


@pytest.mark.parametrize("data", [png(drawn(9, 8, 4)), png(drawn(1000, 1010, 1), 0)])
def test_what_holds_nobody_up_needs_none(data: bytes) -> None:
    read(data)
    assert not isolated._idle


def test_damaged_pixels_are_refused_and_the_helper_goes_on(asked: list[isolated.Request]) -> None:
    read(LARGE)
    helper = ready()
    with pytest.raises(CorruptImage):
        read(png(PICTURE, rows=PICTURE[:500].tobytes()))
    assert len(asked) == 1
    assert list(isolated._idle) == [helper]
    assert np.array_equal(read(LARGE), PICTURE)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGXCPU])
def test_what_an_ended_helper_had_is_decoded_here(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a system that is short of memory, say."""
    read(LARGE)
    helper = ready()
    patch_ask(monkeypatch, lambda helper, _: os.kill(helper._process.pid, number))
    assert np.array_equal(read(LARGE), PICTURE)
    assert not isolated._idle
    assert not helper.is_fit()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_what_ends_the_function_lets_a_helper_answer(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal's Ctrl-C and a supervisor's stop go to all of a group."""
    read(SMALL)
    helper = ready()
    patch_ask(monkeypatch, lambda helper, _: os.kill(helper._process.pid, number))
    assert np.array_equal(read(SMALL), TINY)
    assert list(isolated._idle) == [helper]


def test_a_stalled_helper_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolated, "PATIENCE_AT_ONCE_S", 0.2)
    read(LARGE)
    ready()
    patch_ask(monkeypatch, lambda helper, _: os.kill(helper._process.pid, signal.SIGSTOP))
    assert np.array_equal(read(LARGE), PICTURE)
    assert not isolated._idle


def test_a_helper_is_kept_where_there_is_no_memory_for_the_pixels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read(SMALL)
    helper = ready()
    with monkeypatch.context() as patch:
        patch.setattr(isolated.np, "empty", raising(MemoryError))
        with pytest.raises(MemoryError):
            read(SMALL)
    assert list(isolated._idle) == [helper]
    assert set(isolated._started) == {helper}


def test_a_helper_that_fails_to_be_asked_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    read(SMALL)
    helper = ready()
    with monkeypatch.context() as patch:
        patch.setattr(isolated.pickle, "dumps", raising(MemoryError))
        with pytest.raises(MemoryError):
            read(SMALL)
    assert not helper.is_fit()
    assert not isolated._started
    assert np.array_equal(read(SMALL), TINY)


def test_a_helper_without_memory_for_the_arena_says_so() -> None:
    data = tiff(drawn(1000, 1000, 4), extra=(2,), deflate=True)
    read(SMALL)
    helper = ready()
    pages = int(Path(f"/proc/{helper._process.pid}/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + 1_000_000
    resource.prlimit(helper._process.pid, resource.RLIMIT_AS, (limit, limit))
    with pytest.raises(ImageTooCostly, match="memory"):
        read(data)
    assert list(isolated._idle) == [helper]


def test_a_helper_that_can_not_start_is_not_the_files_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(Busy):
        read(SMALL)
    assert not isolated._started


def test_without_memory_to_spare_it_needs_none() -> None:
    decode(LARGE, LIMITS, Memory(1000).take_beside)
    assert not isolated._idle


def raising(error: type[BaseException]) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise error

    return fail


def test_a_system_without_processes_to_spare_decodes_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert np.array_equal(read(LARGE), PICTURE)
    assert not isolated._idle


def test_busy_helpers_are_not_waited_for() -> None:
    for _ in range(isolated.HELPERS):
        assert isolated._turns.acquire(blocking=False)
    try:
        assert np.array_equal(read(LARGE), PICTURE)
    finally:
        isolated._turns.release(isolated.HELPERS)
    assert not isolated._idle


def test_what_a_large_file_took_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arena, "KEPT", 100_000)
    small, large = (tiff(drawn(side, 100, 4), extra=(2,), deflate=True) for side in (100, 400))
    for data, side, stays in ((small, 100, len(small)), (large, 400, 0), (small, 100, len(small))):
        assert np.array_equal(read(data), drawn(side, 100, 4))
        (helper,) = isolated._idle
        assert helper._arena is not None
        assert os.fstat(helper._arena.file).st_size == stays


def test_no_descriptor_stays_behind() -> None:
    before = set(Path("/proc/self/fd").iterdir())
    read(SMALL)
    isolated.end_idle()
    assert set(Path("/proc/self/fd").iterdir()) == before


WITHOUT_FILES = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
from shared.imaging.arena import Arena
from shared.imaging.decode import decode
from shared.imaging.limits import Limits
assert Arena.make() is None
pixels = decode(sys.stdin.buffer.read(), Limits(10**6, 10**6, 10**4, seconds=60)).pixels
sys.exit(int(pixels.sum()) % 251)
"""


def test_where_no_file_may_grow_pixels_come_through_a_pipe() -> None:
    done = subprocess.run(  # noqa: S603 - the code is here
        [sys.executable, "-c", WITHOUT_FILES],
        input=SMALL,
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == int(TINY.sum()) % 251, done.stderr.decode()


def test_the_memory_of_both_processes_is_foretold() -> None:
    data = png(drawn(2000, 2500, 3), 2)
    asked: list[int] = []

    def spare(need: int) -> Share:
        asked.append(need)
        return Memory(need).take(need)

    read(LARGE)
    helper = ready()
    status = Path(f"/proc/{helper._process.pid}/status")

    def peak() -> int:
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) * 1024

    before = peak()
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    decode(data, LIMITS, spare)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - own
    # What both see is counted once in each of them, so this is more than they take.
    assert peak() - before + grown < demand.to_read(judge(data, LIMITS), len(data)) + asked[0]
