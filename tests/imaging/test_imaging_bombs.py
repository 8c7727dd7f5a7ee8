"""Bombs sent to a function's own process: each is refused for next to nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from imaging_bombs import bombs, slow, texts
from imaging_files import drawn, tiff

from tests.functions.functions_server import NO_FILES, Server, serving

PROCESSOR_S = 0.2
"""Of the processor's time, which other work on the machine does not count in."""
MEMORY = 100_000_000

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="there is no /proc to read memory from"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The process function, no byte allowed on disk, which has worked on a file before."""
    with serving("process", under=NO_FILES, NAS_URL="memory://x", DECODE_TIMEOUT_S="2") as [one]:
        assert send(one, tiff(drawn(60, 80, 3))).status_code == 200
        yield one


def send(server: Server, file: bytes, **request: object) -> httpx.Response:
    document = {"template": "UVDTF Decal", "digital": True, "filename": f"{hash(file)}.png"}
    form = {"request": json.dumps(document | request)}
    return httpx.post(server.url, data=form, files={"file": ("a", file)}, timeout=60)


class TestABomb:
    @pytest.mark.parametrize("what", bombs())
    def test_is_refused_for_next_to_nothing(self, server: Server, what: str) -> None:
        file, code = bombs()[what]
        processor, memory = server.processor_s(), server.peak_rss()

        answer = send(server, file)

        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert server.processor_s() - processor < PROCESSOR_S
        assert server.peak_rss() - memory < MEMORY

    @pytest.mark.parametrize("what", texts())
    def test_beside_an_honest_picture_does_not_go_off(self, server: Server, what: str) -> None:
        file = texts()[what]
        processor, memory = server.processor_s(), server.peak_rss()

        answer = send(server, file)

        assert answer.status_code == 200
        assert server.processor_s() - processor < PROCESSOR_S
        assert server.peak_rss() - memory < MEMORY

    def test_that_takes_too_long_is_ended_and_the_function_goes_on(self, server: Server) -> None:
        processor = server.processor_s()

        answer = send(server, slow())
        after = send(server, tiff(drawn(61, 80, 3)))

        assert (answer.status_code, answer.json()["code"]) == (422, "image_too_costly")
        assert answer.json()["message"].startswith("The image takes more time")
        assert after.status_code == 200
        assert server.processor_s() - processor < PROCESSOR_S
