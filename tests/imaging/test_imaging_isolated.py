"""What a header can't bound is decoded by a helper process, which may end without harm."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from imaging_bombs import slow, slow_profile
from imaging_files import bmp, chunk, drawn, png, profile, tiff
from PIL import Image

from shared.errors import Busy, CorruptImage, ImageTooCostly
from shared.imaging import isolated
from shared.imaging.decode import decode, stored
from shared.imaging.limits import Limits, judge

LIMITS = Limits(max_bytes=20_000_000, max_pixels=100_000_000, max_side=20_000, seconds=60)
ROOT = Path(__file__).parents[2]
ART = tiff(drawn(30, 40, 4), extra=(2,), deflate=True)
GRAY = profile(b"GRAY")


@pytest.fixture(autouse=True)
def no_helpers() -> Iterator[None]:
    """Each test starts without helpers, and leaves none."""
    end_all()
    yield
    end_all()


def end_all() -> None:
    while isolated._idle:
        helper = isolated._idle.pop()
        helper.kill()
        helper.end()


def saved(mode: str, kind: str) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((40, 30)).convert(mode).save(file, kind)
    return file.getvalue()


def tagged(icc: bytes, colour: int, samples: int) -> bytes:
    before = [chunk(b"iCCP", b"x\0\0" + zlib.compress(icc))]
    return png(drawn(9, 8, samples), colour, before=before)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (ART, True),
        (saved("CMYK", "JPEG"), True),
        (tagged(GRAY, 0, 1), True),
        (tagged(GRAY, 4, 2), True),
        (tagged(GRAY, 6, 4), False),  # no gray levels to move
        (tagged(profile(b"RGB "), 6, 4), False),  # handed on unread
        (png(drawn(9, 8, 4)), False),
        (saved("RGB", "JPEG"), False),
        (saved("RGB", "WEBP"), False),
        (bmp(drawn(9, 8, 3)), False),
        (tiff(drawn(9, 8, 3)), False),  # as it stands
        (tiff(drawn(9, 8, 3), extra=(2,), planar=True), True),
    ],
)
def test_only_what_its_header_does_not_bound_is_isolated(data: bytes, expected: bool) -> None:
    assert isolated.is_needed(judge(data, LIMITS)) is expected


@pytest.mark.parametrize("data", [ART, saved("CMYK", "JPEG"), tagged(GRAY, 4, 2)])
def test_the_pixels_are_those_that_are_decoded_in_this_process(data: bytes) -> None:
    assert np.array_equal(decode(data, LIMITS).pixels, stored(data, judge(data, LIMITS)))
    assert len(isolated._idle) == 1


def test_one_helper_serves_file_after_file() -> None:
    for _ in range(5):
        decode(ART, LIMITS)
    (helper,) = isolated._idle
    assert helper.is_fit()


def test_a_helper_takes_a_large_file_after_a_small_one() -> None:
    """What the small one may take would not do even to read the large one."""
    large = tiff(np.zeros((6000, 2500, 3), np.uint16), 2, 16, rows_per_strip=3000)  # 90 MB
    decode(ART, LIMITS)
    (helper,) = isolated._idle

    assert decode(large, replace(LIMITS, max_bytes=100_000_000)).pixels.shape == (6000, 2500, 4)

    assert list(isolated._idle) == [helper]


def test_many_threads_share_few_helpers() -> None:
    files = [tiff(drawn(30, 40, 4, seed=seed), extra=(2,), deflate=True) for seed in range(12)]
    with ThreadPoolExecutor(6) as pool:
        read = list(pool.map(lambda data: decode(data, LIMITS).pixels, files))
    for seed, pixels in enumerate(read):
        assert np.array_equal(pixels, drawn(30, 40, 4, seed=seed))
    assert 1 <= len(isolated._idle) <= isolated.HELPERS


@pytest.mark.parametrize("kind", ["CMYK", "gray"])
def test_a_decode_over_its_time_is_ended(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolated, "PATIENCE", 60)  # for a busy machine
    data = slow()
    if kind == "gray":
        icc = slow_profile(100_000)
        data = tagged(icc[:16] + b"GRAY" + icc[20:], 0, 1)
    limits = Limits(20_000_000, 100_000_000, 20_000, seconds=1)
    started = time.monotonic()

    with pytest.raises(ImageTooCostly) as refused:
        decode(data, limits)

    assert refused.value.facts == {"what": "time"}
    assert time.monotonic() - started < 60  # to the end it takes 100 s of the processor's time
    assert np.array_equal(decode(ART, LIMITS).pixels, drawn(30, 40, 4))


def test_a_helper_that_has_not_its_time_is_ended_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file may be honest, so it may come again."""
    ask = isolated._Helper.ask

    def stop(helper: isolated._Helper, request: isolated.Request, pixels: np.ndarray) -> bytes:
        os.kill(helper._process.pid, signal.SIGSTOP)
        return ask(helper, request, pixels)

    monkeypatch.setattr(isolated._Helper, "ask", stop)
    with pytest.raises(Busy):
        decode(ART, Limits(20_000_000, 100_000_000, 20_000, seconds=0.5))
    assert not isolated._idle


def test_a_decode_over_its_memory_is_refused_and_the_helper_goes_on() -> None:
    large = io.BytesIO()
    Image.new("CMYK", (6000, 6000)).save(large, "TIFF", compression="tiff_lzw")
    header = judge(large.getvalue(), LIMITS)

    with pytest.raises(ImageTooCostly) as refused:
        isolated.decoded(large.getvalue(), header, 64 << 20, 60)

    assert refused.value.facts == {"what": "memory"}
    assert len(isolated._idle) == 1
    assert np.array_equal(decode(ART, LIMITS).pixels, drawn(30, 40, 4))


@pytest.mark.parametrize("kind", ["RGB and 3 more", "RGBA of 16 bits", "CMYK of 16 bits"])
def test_the_memory_that_is_foretold_does_for_the_largest_kinds(kind: str) -> None:
    count, depth, photometric = {
        "RGB and 3 more": (6, 8, 2),
        "RGBA of 16 bits": (4, 16, 2),
        "CMYK of 16 bits": (4, 16, 5),
    }[kind]
    samples = np.zeros((3000, 3000, count), np.uint16 if depth == 16 else np.uint8)
    extra = {6: (0, 0, 0), 4: (2,) if photometric == 2 else ()}[count]
    data = tiff(samples, photometric, depth, extra=extra, rows_per_strip=3000, deflate=True)
    assert decode(data, LIMITS).pixels.shape == (3000, 3000, 4)


@pytest.mark.parametrize(
    ("number", "refusal"),
    [
        (signal.SIGSEGV, CorruptImage),
        (signal.SIGABRT, CorruptImage),
        (signal.SIGKILL, Busy),  # by a system that has no more memory
    ],
)
def test_a_helper_that_ends_takes_its_file_along_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, number: int, refusal: type[Exception]
) -> None:
    ask = isolated._Helper.ask

    def crash(helper: isolated._Helper, request: isolated.Request, pixels: np.ndarray) -> bytes:
        os.kill(helper._process.pid, number)
        return ask(helper, request, pixels)

    monkeypatch.setattr(isolated._Helper, "ask", crash)
    with pytest.raises(refusal):
        decode(ART, LIMITS)
    monkeypatch.undo()
    assert np.array_equal(decode(ART, LIMITS).pixels, drawn(30, 40, 4))


def test_a_helper_that_ended_meanwhile_is_replaced() -> None:
    decode(ART, LIMITS)
    (helper,) = isolated._idle
    helper.kill()
    helper._process.wait(20)
    assert np.array_equal(decode(ART, LIMITS).pixels, drawn(30, 40, 4))


def test_a_system_without_processes_to_spare_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(Busy):
        decode(ART, LIMITS)


def test_a_system_without_threads_to_spare_is_busy_and_keeps_its_helper(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    decode(ART, LIMITS)
    (helper,) = isolated._idle
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(Busy):
        decode(ART, LIMITS)
    monkeypatch.undo()
    assert list(isolated._idle) == [helper]
    assert np.array_equal(decode(ART, LIMITS).pixels, drawn(30, 40, 4))


def test_a_helper_knows_none_of_its_parents_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAS_PASSWORD", "secret")
    decode(ART, LIMITS)
    (helper,) = isolated._idle
    environment = Path(f"/proc/{helper._process.pid}/environ").read_bytes()
    assert b"PYTHONPATH" in environment
    assert b"NAS_PASSWORD" not in environment


DECODE = """
import os, signal, sys
from shared.imaging import isolated
from shared.imaging.decode import decode
from shared.imaging.limits import Limits
decode(sys.stdin.buffer.read(), Limits(10**6, 10**6, 10**4, seconds=60))
"""

# Writes no byte, and is killed while it uses its helper and a fork of its own goes on.
KILLED = (
    "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
    + DECODE
    + """
helper = isolated._idle.pop()
child = os.fork()
if not child:
    os.closerange(0, 3)
    signal.pause()
print(helper._process.pid, child, flush=True)
os.kill(os.getpid(), 9)
"""
)


def run(code: str, *options: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, *options, "-c", code]
    return subprocess.run(command, input=ART, capture_output=True, cwd=ROOT, check=False)  # noqa: S603 - the code is here


def assert_ends(process: int) -> None:
    place = Path(f"/proc/{process}")
    deadline = time.monotonic() + 30
    while place.exists() and "\nState:\tZ" not in (place / "status").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_helper_writes_no_file_and_ends_when_its_parent_is_killed() -> None:
    parent = run(KILLED)
    assert parent.returncode == -signal.SIGKILL, parent.stderr.decode()
    helper, child = map(int, parent.stdout.split())
    try:
        assert_ends(helper)
    finally:
        os.kill(child, signal.SIGKILL)


# At its end it tells how many helpers are left; what is registered first is called last.
FORK = (
    "import atexit\natexit.register(lambda: print(len(isolated._started), flush=True))"
    + DECODE
    + """
if not os.fork():
    sys.exit()
os.wait()
print(isolated._idle[0].is_fit(), isolated._idle[0]._process.pid)
"""
)


def test_a_fork_has_no_helper_and_at_the_end_its_parent_has_none_either() -> None:
    parent = run(FORK, "-W", "error::ResourceWarning")
    assert parent.stderr == b""
    in_fork, is_fit, helper, at_end = parent.stdout.split()
    assert (in_fork, is_fit, at_end) == (b"0", b"True", b"0")
    assert_ends(int(helper))
