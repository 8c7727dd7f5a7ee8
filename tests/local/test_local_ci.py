"""What differs where CI=true, as `.ci/run` sets it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SKIPS = """
import pytest

@pytest.mark.skipif(True, reason="smbd is not installed")
def test_marked(): pass

def test_within(): pytest.skip("strace is not installed")

def test_other(): pytest.skip("this user may write anywhere")
"""


def test_a_part_that_is_not_installed_is_a_failure_there_and_other_skips_stay(
    tmp_path: Path,
) -> None:
    tests = tmp_path / "test_skips.py"
    tests.write_text(SKIPS)
    command = ["-m", "pytest", f"--config-file={ROOT}/pyproject.toml", "-p", "tests.conftest"]

    ended = subprocess.run(  # noqa: S603
        [sys.executable, *command, str(tests)],
        cwd=ROOT,
        env=os.environ | {"CI": "true"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert "1 failed, 1 skipped, 1 error" in ended.stdout
    assert "smbd is not installed" in ended.stdout
