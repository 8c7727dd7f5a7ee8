"""Without the fast wheels: the same pixels, the same refusals, and PNGs that are lossless too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

WITHOUT = """
import sys
sys.modules.update({"kornia_rs": None, "simplejpeg": None, "isal": None, "zlib_ng": None})
from shared.imaging import decode, deflate
assert decode.kornia is None and decode.turbo is None and deflate.thorough is None
assert deflate.quick.__name__ == "zlib"
import pytest
# In this process: one of xdist's would import what is hidden here.
raise SystemExit(pytest.main(["-q", "-n0", "-p", "no:cacheprovider", *sys.argv[1:]]))
"""


@pytest.mark.parametrize(
    "tests",
    [
        ["test_imaging_decode.py", "-k", "not process_of_its_own and not both_png_decoders"],
        [
            "test_imaging_encode.py",
            "-k",
            "not smaller and not small_as and not larger and not SEARCH and not CODES",
        ],
        ["test_imaging_suite.py"],
    ],
    ids=["decode", "encode", "suite"],
)
def test_what_holds_with_the_fast_wheels_holds_without_them(tests: list[str]) -> None:
    name, *options = tests
    child = subprocess.run(  # noqa: S603 - this interpreter, the code above
        [sys.executable, "-c", WITHOUT, f"tests/imaging/{name}", *options],
        capture_output=True,
        cwd=ROOT,
        timeout=300,
        check=False,
    )
    assert child.returncode == 0, child.stdout.decode()[-3000:]
    assert b"passed" in child.stdout
