"""Functions with too little memory for all who ask: some are served, the others told to wait."""

from __future__ import annotations

import io
import json
import shutil
import struct
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pytest
from PIL import Image
from werkzeug.test import TestResponse

from shared import wiring
from shared.settings import Settings
from tests.draw import encoded, wrap
from tests.functions.conftest import Configure
from tests.functions.functions_calls import SELLER, Site, to_persist
from tests.functions.functions_server import Server, serving

SIDE = 7071
"""Of a square of 50 megapixels."""
CLIENTS = 50
GIGABYTES = 1 << 31
LIMITED = ("prlimit", f"--as={GIGABYTES}")
COLOUR = (10, 200, 30, 255)


def fifty_megapixels() -> bytes:
    """A see-through frame around one colour: 200 MB of pixels in a file of 1 MB."""
    deflater = zlib.compressobj(1)
    ground, art = bytes(4 * SIDE), bytes(40) + bytes(COLOUR) * (SIDE - 20) + bytes(40)
    rows = [b"\0" + (ground if row in (0, SIDE - 1) else art) for row in range(SIDE)]
    pixels = b"".join([*map(deflater.compress, rows), deflater.flush()])
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 6, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I4s", len(content), kind) + content + _crc(kind + content)
        for kind, content in chunks
    )


def _crc(data: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(data))


def healthy_until(over: Event, server: Server) -> list[int]:
    """What /healthz answers meanwhile."""
    answers = []
    while not over.is_set():
        answers.append(httpx.get(f"{server.url}/healthz", timeout=30).status_code)
        time.sleep(0.2)
    return answers


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="prlimit is not installed")
def test_fifty_uploads_of_fifty_megapixels_in_two_gigabytes(tmp_path: Path) -> None:
    file, over = fifty_megapixels(), Event()

    def send(number: int) -> httpx.Response:
        request = {"template": "UVDTF 16oz", "shop": "Nook", "filename": f"{number}.png"}
        form = {"request": json.dumps(request)}
        return httpx.post(server.url, data=form, files={"file": ("a.png", file)}, timeout=120)

    with (
        serving("process", under=LIMITED, NAS_URL=f"file://{tmp_path}") as [server],
        ThreadPoolExecutor(CLIENTS + 1) as clients,
    ):
        workers = server.workers()
        watch = clients.submit(healthy_until, over, server)
        try:
            answers = list(clients.map(send, range(CLIENTS)))
        finally:
            over.set()
        assert set(watch.result()) == {200}
        assert send(CLIENTS).status_code == 200
        assert server.workers() == workers  # none was killed
        assert b"no memory" not in server.said  # it was foretold, and not found out

    served = [number for number, answer in enumerate(answers) if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert served
    assert refused
    assert {(one.status_code, one.json()["code"]) for one in refused} == {(503, "busy")}
    assert {one.headers["Retry-After"] for one in refused} == {"2"}

    files = {path.name: path.read_bytes() for path in tmp_path.rglob("[0-9]*.png")}
    assert files.keys() == {f"{number}.png" for number in [*served, CLIENTS]}
    assert len(set(files.values())) == 1
    printed = np.asarray(Image.open(io.BytesIO(files[f"{served[0]}.png"])))
    assert printed.shape[:2] == (1732, 3800)
    assert (printed == COLOUR[: printed.shape[2]]).all()


def test_the_first_requests_at_once_share_one_budget(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure()
    made = wiring.Parts

    def slowly(own: Settings) -> wiring.Parts:
        time.sleep(0.2)
        return made(own)

    monkeypatch.setattr(wiring, "Parts", slowly)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: wiring.parts(), range(8)))

    assert len({id(parts) for parts in found}) == 1


class TestARequest:
    FILE = ("a.png", encoded(wrap(1, 400, 182)))

    @pytest.mark.parametrize("name", ["dedupe", "process", "persist", "upload"])
    def test_that_finds_no_memory_is_told_to_come_again_and_served_then(
        self, site: Site, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        monkeypatch.setattr(wiring, "WAIT_S", 0.05)
        request: dict[str, object] = dict(SELLER)
        if name in ("process", "persist"):
            request["design_id"] = str(uuid4())
        if name == "persist":
            processed = site.process(self.FILE, str(request["design_id"]))
            request = to_persist(processed, "a.png")
        memory = site.parts.memory

        with memory.take(memory.budget):
            refused = site.post(name, request, self.FILE)
        served = site.post(name, request, self.FILE)

        assert (refused.status_code, refused.json["code"]) == (503, "busy")
        assert refused.headers["Retry-After"] == "2"
        assert served.status_code in (200, 201)
        assert served.get_data()
        assert all_back(site)

    def test_without_a_file_waits_for_nobody(self, site: Site) -> None:
        processed = site.process(self.FILE, str(uuid4()))
        memory = site.parts.memory
        with memory.take(memory.budget):
            assert site.post("persist", to_persist(processed, "a.png")).status_code == 201

    def test_for_more_than_there_ever_is_is_refused_for_good(
        self, configure: Configure, database_url: str
    ) -> None:
        site = configure(DATABASE_URL=database_url, MEMORY_MB="60")
        answer = site.post("process", {**SELLER, "design_id": str(uuid4())}, self.FILE)
        assert (answer.status_code, answer.json["code"]) == (422, "image_too_costly")
        # Its fingerprint takes less than its print file.
        (small,) = site.post("dedupe", SELLER, self.FILE).json["files"]
        large = ("b.png", encoded(Image.new("RGB", (2000, 2000))))
        (too_large,) = site.post("dedupe", SELLER, large).json["files"]
        assert small["error"] is None
        assert too_large["error"]["code"] == "image_too_costly"
        site.parts.close()

    def test_of_a_batch_refuses_none_but_the_file_that_never_fits(
        self, configure: Configure, database_url: str
    ) -> None:
        site = configure(DATABASE_URL=database_url, MEMORY_MB="100")
        files = [("large.png", encoded(Image.new("RGB", (2500, 2500)))), self.FILE]
        request = {**SELLER, "digital": True}

        # It can be looked at: only its print file would take more.
        looked = result_of(site.post("upload", {**request, "check_only": True}, *files))
        filed = result_of(site.post("upload", request, *files))

        assert [(one["outcome"], one["code"]) for one in looked] == [("held", "check_only")] * 2
        assert [(one["file"], one["outcome"], one["code"]) for one in filed] == [
            ("large.png", "failed", "image_too_costly"),
            ("a.png", "created", None),
        ]
        assert all_back(site)
        site.parts.close()

    def test_whose_work_takes_more_than_was_foretold_is_told_to_come_again(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_memory(*_: object, **__: object) -> None:
            raise MemoryError

        monkeypatch.setattr("shared.flows.process.prepare", no_memory)
        answer = site.post("process", {**SELLER, "design_id": str(uuid4())}, self.FILE)
        assert (answer.status_code, answer.json["code"]) == (503, "busy")
        assert all_back(site)


def result_of(answer: TestResponse) -> list[dict[str, Any]]:
    """What became of an upload's files."""
    assert answer.status_code == 200
    result: dict[str, Any] = json.loads(answer.get_data().splitlines()[-1])["result"]
    return list(result["outcomes"])


def all_back(site: Site) -> bool:
    """Whether all memory is free again, within the time that an upload's thread takes to end."""
    memory = site.parts.memory
    memory.take(memory.budget, 60).release()
    return True
