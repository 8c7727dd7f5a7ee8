"""A short run of the soak, as ``make soak`` starts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import pytest

from benchmarks.soak.site import LOG

ROOT = Path(__file__).resolve().parents[2]


def working_in(folder: str) -> Iterator[str]:
    """The command lines of the processes that work in a folder, or were told of it."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is somebody else's
            command = (process / "cmdline").read_text()
            if folder in command or str((process / "cwd").readlink()).startswith(folder):
                yield command


@pytest.fixture
def place() -> Iterator[Path]:
    # Not pytest's folder: its parents are closed to the user that a server of root's runs as.
    with tempfile.TemporaryDirectory(prefix="platen-") as place:
        Path(place).chmod(0o755)
        yield Path(place)


def soak(place: Path, minutes: str) -> subprocess.Popen[str]:
    """A run whose temporary folder is ``place``, as a terminal has it: a group of its own."""
    elsewhere = {"NAS_URL": "memory://other", "DATABASE_URL": "postgresql://other/other"}
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "benchmarks.soak", "--minutes", minutes, "--clients", "2"],
        cwd=ROOT,
        env=os.environ | elsewhere | {"TMPDIR": str(place)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def keeps_every_promise(run: subprocess.Popen[str], place: Path) -> None:
    told, _ = run.communicate()
    assert run.returncode == 0, told
    assert told.splitlines()[-1].split() == ["violations", "none"]
    assert list(place.iterdir()) == []
    assert list(working_in(str(place))) == []


def test_a_run_keeps_every_promise_and_leaves_nothing_behind(place: Path) -> None:
    keeps_every_promise(soak(place, "0.05"), place)


def test_a_run_that_ctrl_c_ends_does_so_too(place: Path) -> None:
    run = soak(place, "600")
    deadline = monotonic() + 120
    while not any("Summary" in log.read_text() for log in place.rglob(LOG)):
        assert run.poll() is None
        assert monotonic() < deadline
        sleep(0.2)

    os.killpg(run.pid, signal.SIGINT)

    keeps_every_promise(run, place)
