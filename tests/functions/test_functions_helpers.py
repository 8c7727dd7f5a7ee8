"""The helpers that decode some files end with the function that started them."""

from __future__ import annotations

import io
import json
import os
import signal
import time
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.functions.functions_calls import WRAP
from tests.functions.functions_server import Server, children, serving


def helpers(server: Server) -> list[int]:
    """Have each worker decode a file that needs one; their helpers' ids."""
    file = io.BytesIO()
    Image.linear_gradient("L").convert("CMYK").save(file, "TIFF")
    answer = httpx.post(
        server.url,
        data={"request": json.dumps({"template": WRAP, "filename": f"{time.monotonic_ns()}.png"})},
        files={"file": ("art.tif", file.getvalue())},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    return [helper for worker in server.workers() for helper in children(worker)]


def is_over(process: int) -> bool:
    try:
        return "\nState:\tZ" in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return True


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_helpers_end_with_their_worker(tmp_path: Path, end: signal.Signals) -> None:
    quiet = {"PLATEN_HOME": str(tmp_path), "PYTHONWARNINGS": "error::ResourceWarning"}
    with serving("process", **quiet) as [server]:
        started = helpers(server)
        assert started
        for worker in server.workers():
            os.kill(worker, end)
        deadline = time.monotonic() + 30
        while not all(map(is_over, started)):
            assert time.monotonic() < deadline
            time.sleep(0.05)

        assert not set(helpers(server)) & set(started)

    assert b"Exception ignored" not in server.said
    assert b"Traceback" not in server.said
