"""Processes that live and die together."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.local import processes
from infra.local.processes import Processes

SLEEP = "exec sleep 60"
BUSY = """
trap 'sleep 0.5; echo > done; exit' TERM
echo > ready
while :; do sleep 0.05; done
"""
STUBBORN = """
trap '' TERM
echo > ready
while :; do sleep 0.05; done
"""
FAMILY = """
import sys
from infra.local.processes import Processes
running = Processes()
running.start("cat", ["sh", "-c", "echo > ready; cat; rm ready"], lend=0)
sys.stdin.read()
"""


class Life:
    """A pipe that processes hold open for as long as any of them lives."""

    def __init__(self) -> None:
        self._reader, self.writer = os.pipe()

    def is_over(self) -> bool:
        return bool(select.select([self._reader], [], [], 0)[0])

    def close(self) -> None:
        os.close(self._reader)


@pytest.fixture
def life() -> Iterator[Life]:
    held = Life()
    yield held
    held.close()


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def start(running: Processes, life: Life, **scripts: str) -> None:
    """Shells that hold ``life``, and nobody else from then on."""
    for name, script in scripts.items():
        running.start(name, ["sh", "-c", script], lend=life.writer)
    os.close(life.writer)


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_ready() -> bool:
    return Path("ready").exists()


def test_nothing_is_told_while_all_run(life: Life) -> None:
    with Processes() as running:
        start(running, life, one=SLEEP)

        assert running.ended() is None


@pytest.mark.parametrize(
    ("script", "end"),
    [("exit 3", "ended with status 3"), ("kill -9 $$", "was ended by SIGKILL")],
)
def test_the_first_end_is_told_with_its_name_and_how(life: Life, script: str, end: str) -> None:
    with Processes() as running:
        start(running, life, one=SLEEP, two=script)
        until(running.ended)

        assert running.ended() == f"two {end}"


def test_leaving_ends_the_processes_and_their_children(life: Life) -> None:
    with Processes() as running:
        start(running, life, one=SLEEP, parent="sleep 60 & echo > ready; wait")
        until(is_ready)
        assert not life.is_over()

    assert life.is_over()


def test_leaving_ends_the_children_of_one_that_was_killed_itself(life: Life) -> None:
    with Processes() as running:
        start(running, life, parent="sleep 60 & kill -9 $$")
        until(running.ended)
        assert not life.is_over()

    assert life.is_over()


def test_leaving_waits_for_work_under_way(life: Life) -> None:
    with Processes() as running:
        start(running, life, busy=BUSY)
        until(is_ready)

    assert Path("done").exists()


def test_one_that_will_not_end_is_ended_by_force(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "GRACE_S", 0.3)
    with Processes() as running:
        start(running, life, stubborn=STUBBORN)
        until(is_ready)

    assert life.is_over()


def test_a_terminals_signals_do_not_reach_them(life: Life) -> None:
    with Processes() as running:
        start(running, life, one="echo $$ > session; mv session ready; exec sleep 60")
        until(is_ready)

        assert os.getsid(int(Path("ready").read_text())) != os.getsid(0)


def test_standard_input_ends_when_the_one_who_started_them_is_killed() -> None:
    root = str(Path(processes.__file__).parents[2])
    family = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", FAMILY],
        env=os.environ | {"PYTHONPATH": root},
        stdin=subprocess.PIPE,
    )
    until(is_ready)

    family.send_signal(signal.SIGKILL)

    until(lambda: not is_ready())
    family.communicate()
