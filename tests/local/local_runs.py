"""`python -m infra.local` as a person runs it, and what it leaves behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
END_S = 30


class Run:
    """A run of all functions. Its output goes to a file, so that nothing waits for a reader."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self.process = process
        self._output = output

    @property
    def said(self) -> str:
        return self._output.read_text()

    def await_announcement(self) -> None:
        deadline = time.monotonic() + 60
        while "design.png\n" not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)

    def ports(self) -> dict[str, int]:
        found = re.findall(r"^  (\w+) +http://127\.0\.0\.1:(\d+)/$", self.said, re.MULTILINE)
        return {name: int(port) for name, port in found}

    def line(self, command: str) -> str:
        """The line to copy that has ``command`` in it."""
        return next(line.strip() for line in self.said.splitlines() if command in line)

    def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal as a terminal does, to the whole group; the exit status."""
        os.killpg(self.process.pid, number)
        return self.process.wait(END_S)


@contextmanager
def running(home: Path, *options: str, **environment: str) -> Iterator[Run]:
    """A run with its state in ``home``, ended at the latest with the context."""
    home.mkdir(exist_ok=True)
    output = home / "output"
    with output.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "infra.local", *options],
            cwd=ROOT,
            env=os.environ | {"PLATEN_HOME": str(home)} | environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    run = Run(process, output)
    try:
        yield run
    finally:
        if process.poll() is None:
            run.end()


def left(home: Path) -> list[str]:
    """The processes that work for ``home``: its database, its functions and what they started."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:  # it has ended, or is another user's
            continue
        if os.fsencode(home) in words and int(process.name) != os.getpid():
            found.append((process / "comm").read_text().strip())
    return found
