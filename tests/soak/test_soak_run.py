"""A short run of the soak, as ``make soak`` starts it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def working_in(folder: str) -> Iterator[str]:
    """The command lines of the processes that work in a folder, or were told of it."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is somebody else's
            command = (process / "cmdline").read_text()
            if folder in command or str((process / "cwd").readlink()).startswith(folder):
                yield command


def test_a_run_keeps_every_promise_and_leaves_nothing_behind() -> None:
    # Not pytest's folder: its parents are closed to the user that a server of root's runs as.
    with tempfile.TemporaryDirectory(prefix="platen-") as place:
        Path(place).chmod(0o755)
        elsewhere = {"NAS_URL": "memory://other", "DATABASE_URL": "postgresql://other/other"}

        ended = subprocess.run(
            [sys.executable, "-m", "benchmarks.soak", "--minutes", "0.05", "--clients", "2"],
            cwd=ROOT,
            env=os.environ | elsewhere | {"TMPDIR": place},
            capture_output=True,
            text=True,
            check=False,
        )

        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert ended.stdout.splitlines()[-1].split() == ["violations", "none"]
        assert list(Path(place).iterdir()) == []
        assert list(working_in(place)) == []
