"""Functions as they are deployed: nothing on disk, nothing read that is not wanted."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from shared.driver.transports import Http
from shared.driver.workflow import upload
from shared.messages import Done, UploadRequest
from shared.settings import Settings
from shared.wiring import Parts
from tests.draw import encoded, wrap
from tests.functions.functions_calls import SELLER
from tests.functions.functions_server import NO_FILES, Server, serving
from tests.nas.nas_moto import BUCKET, moto_server

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="there is no /proc to read memory from"
)
MEGABYTE = 1_000_000
PLAIN_LIMIT_MB = 20
FORM = "multipart/form-data; boundary=b"


def require_prlimit() -> None:
    if shutil.which("prlimit") is None:
        pytest.skip("prlimit is not installed")


@pytest.fixture(scope="module")
def thirty_megabytes() -> bytes:
    """A picture that is large as a file and quick to work on."""
    file = encoded(Image.linear_gradient("L").resize((3300, 3100)).convert("RGB"), compress_level=0)
    assert len(file) > 30 * MEGABYTE
    return file


@pytest.fixture(scope="module")
def process() -> Iterator[Server]:
    """The process function, its NAS in memory, and no byte allowed on disk."""
    require_prlimit()
    with serving("process", under=NO_FILES, NAS_URL="memory://") as [server]:
        yield server


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def plain(home: Path) -> Iterator[Server]:
    """The same, served by functions-framework's own command, with a low limit."""
    require_prlimit()
    with serving(
        "process",
        under=NO_FILES,
        plain=True,
        NAS_URL="memory://",
        HOME=str(home),
        MAX_BODY_MB=str(PLAIN_LIMIT_MB),
    ) as [server]:
        yield server


def send(server: Server, file: bytes, **request: object) -> httpx.Response:
    return httpx.post(
        server.url,
        data={"request": json.dumps(SELLER | request)},
        files={"file": ("a.png", file)},
        timeout=60,
    )


def exchanged(server: Server, *sent: bytes, end: bool = False) -> tuple[bytes, float]:
    """What the server answers to these bytes until it hangs up, and after how many seconds."""
    with server.connect() as connection:
        started = time.monotonic()
        for piece in sent:
            connection.sendall(piece)
        if end:
            connection.shutdown(1)
        answer = b""
        took = 0.0
        while piece := connection.recv(65536):
            took = took or time.monotonic() - started
            answer += piece
    return answer, took


def failure(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"\r\nConnection: close\r\n" in head
    return int(head.split()[1]), json.loads(body)["code"]


class TestUnderABanOfFiles:
    def test_an_upload_of_30_mb_is_processed(
        self, process: Server, thirty_megabytes: bytes
    ) -> None:
        by_name = {"filename": f"{uuid4().hex}.png"}

        first = send(process, thirty_megabytes, **by_name)
        # The same bytes again: the NAS compares them with what it has stored.
        again = send(process, thirty_megabytes, **by_name)

        assert (first.status_code, again.status_code) == (200, 200)
        assert first.json()["upload_sha256"] == hashlib.sha256(thirty_megabytes).hexdigest()
        assert first.json()["print_file"] == again.json()["print_file"]

    def test_the_framework_s_own_command_serves_too(self, plain: Server, home: Path) -> None:
        answer = send(plain, encoded(wrap(1, 300, 137)), digital=True, design_id=str(uuid4()))

        assert answer.status_code == 200
        # gunicorn's own default is a socket here, which the next function takes over.
        assert list(home.iterdir()) == []

    def test_deployed_functions_take_a_batch_in(self, database_url: str, tmp_path: Path) -> None:
        """Processes of their own, and somebody else's database and NAS."""
        require_prlimit()
        with moto_server() as s3:
            environment = {
                "DATABASE_URL": database_url,
                "NAS_URL": f"s3://{BUCKET}?endpoint={s3}&region=us-east-1",
                "AWS_ACCESS_KEY_ID": "any",
                "AWS_SECRET_ACCESS_KEY": "any",
                "PLATEN_HOME": str(tmp_path),
            }
            names = ("dedupe", "process", "persist", "upload")
            with serving(*names, under=NO_FILES, **environment) as servers:
                dedupe, process, persist, whole = servers
                own = Settings(
                    dedupe_url=dedupe.url, process_url=process.url, persist_url=persist.url
                )
                parts = Parts(own)
                files = [(f"{seed}.png", encoded(wrap(seed, 300, 137))) for seed in (1, 2, 1)]
                sources = [parts.source(*file) for file in files]
                with ThreadPoolExecutor(2) as executor:
                    result = upload(
                        sources,
                        UploadRequest.model_validate(SELLER | {"digital": True}),
                        Http(own),
                        own,
                        executor,
                        2,
                    )
                again = send(whole, files[0][1], digital=True).text.splitlines()[-1]
        assert json.loads(again)["result"]["outcomes"][0]["outcome"] == "duplicate"
        assert [outcome.outcome for outcome in result.outcomes] == [
            Done.CREATED,
            Done.CREATED,
            Done.DUPLICATE,
        ]
        assert [design.filename for design in result.designs] == [
            "Digital_001.png",
            "Digital_002.png",
        ]
        assert list(tmp_path.iterdir()) == []


class TestABodyThatIsNotWanted:
    @needs_proc
    @pytest.mark.parametrize("path", ["/", "/healthz", "/robots.txt", "/nope"])
    def test_of_600_mb_is_answered_at_once_and_not_kept(self, process: Server, path: str) -> None:
        before = process.peak_rss()
        method = "GET" if path == "/healthz" else "POST"
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\n"

        answer, took = exchanged(
            process, f"{head}Content-Length: 600000000\r\n\r\n".encode(), b"x" * 60_000
        )

        status = int(answer.split()[1])
        assert status == {"/": 413, "/healthz": 200}.get(path, 404)
        assert b"\r\nConnection: close\r\n" in answer
        assert took < 5
        assert process.peak_rss() - before < 5 * MEGABYTE

    def test_of_600_mb_reaches_a_client_that_goes_on_sending(self, process: Server) -> None:
        def body() -> Iterator[bytes]:
            for _ in range(600):
                yield b"x" * MEGABYTE

        answer = httpx.post(
            process.url,
            content=body(),
            headers={"Content-Type": FORM, "Content-Length": str(600 * MEGABYTE)},
        )

        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")

    @needs_proc
    def test_in_chunks_is_kept_up_to_the_limit_at_most(self, plain: Server) -> None:
        before = plain.peak_rss()
        chunk = b"%x\r\n%b\r\n" % (MEGABYTE, b"x" * MEGABYTE)
        head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\n"
        start = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'

        answer, _ = exchanged(
            plain,
            f"{head}Transfer-Encoding: chunked\r\n\r\n".encode(),
            b"%x\r\n%b\r\n" % (len(start), start),
            chunk * PLAIN_LIMIT_MB,
        )

        assert failure(answer) == (413, "body_too_large")
        assert plain.peak_rss() - before < (PLAIN_LIMIT_MB + 10) * MEGABYTE


class TestARequestThatIsBroken:
    HEAD = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\n"

    def test_by_a_client_that_leaves_is_refused(self, process: Server) -> None:
        answer, _ = exchanged(
            process,
            f"{self.HEAD}Content-Length: 1000\r\n\r\n".encode(),
            b'--b\r\nContent-Disposition: form-data; name="request"\r\n\r\n{"templ',
            end=True,
        )

        assert failure(answer) == (400, "request_invalid")

    def test_in_its_chunks_is_refused(self, process: Server) -> None:
        answer, _ = exchanged(
            process, f"{self.HEAD}Transfer-Encoding: chunked\r\n\r\n".encode(), b"zz\r\n", end=True
        )

        assert failure(answer) == (400, "request_invalid")

    @pytest.mark.parametrize(
        "sent",
        [
            pytest.param(b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n", id="long line"),
            pytest.param(
                b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 10_000 + b"\r\n", id="headers"
            ),
            pytest.param(b"\x16\x03\x01\x02\x00\x01" * 20 + b"\r\n\r\n", id="TLS"),
        ],
    )
    def test_in_its_head_is_refused_and_the_next_one_served(
        self, process: Server, sent: bytes
    ) -> None:
        try:
            answer, _ = exchanged(process, sent)
        except ConnectionError:
            pass  # it hung up on the rest
        else:
            assert answer.split()[1].startswith(b"4")

        assert httpx.get(f"{process.url}/healthz").status_code == 200


class TestAFileOpenedToWrite:
    WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TMPFILE|^\d+ +(creat|mkdir|rename|link|sym)")
    PATH = re.compile(r'"([^"]*)"')

    def test_is_none_outside_of_shared_memory(
        self, tmp_path: Path, thirty_megabytes: bytes
    ) -> None:
        trace = tmp_path / "trace"
        strace = self.strace(trace)
        with serving("process", under=strace, NAS_URL="memory://", HOME=str(tmp_path)) as [server]:
            answer = send(server, thirty_megabytes, design_id=str(uuid4()))
        assert answer.status_code == 200

        done = [line for line in trace.read_text().splitlines() if "= -1 " not in line]
        assert any("functions/process/main.py" in line for line in done), "nothing was traced"
        written = [self.PATH.findall(line)[-1] for line in done if self.WRITES.search(line)]
        assert {path.rpartition("/")[0] for path in written} <= {"/dev", "/dev/shm"}, written  # noqa: S108

    def strace(self, trace: Path) -> tuple[str, ...]:
        """The words before a command that is traced; skips where that can't be done."""
        # -D: the command keeps its process id, so that it can be stopped by it.
        words = ("strace", "-D", "-f", "--seccomp-bpf", "-o", str(trace), "-e", "trace=%file")
        if shutil.which("strace") is None:
            pytest.skip("strace is not installed")
        tried = subprocess.run([*words, "true"], capture_output=True, check=False)  # noqa: S603
        if tried.returncode != 0:
            pytest.skip("strace may not trace here")
        return words
