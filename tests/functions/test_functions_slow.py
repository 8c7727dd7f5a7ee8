"""Clients that are slow, many or gone: others are served meanwhile, and nobody waits for ever."""

from __future__ import annotations

import json
import os
import select
import shutil
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from uuid import uuid4

import httpx
import pytest

from shared.settings import MEGABYTE
from tests.draw import encoded, wrap
from tests.functions.functions_calls import SELLER
from tests.functions.functions_large import SIZE
from tests.functions.functions_server import Server, serving

TIMEOUT_S = 2
PATIENCE_S = 20
"""For a busy machine; a server that waits for slow clients needs for ever."""
THREADS = 4 * (os.cpu_count() or 1)
LIMIT_MB = 10
MEMORY_MB = 60
"""Of pictures; bodies have 25 beside them."""
SETTING = {
    "NAS_URL": "memory://",
    "REQUEST_TIMEOUT_S": str(TIMEOUT_S),
    "MAX_BODY_MB": str(LIMIT_MB),
    "MEMORY_MB": str(MEMORY_MB),
}
FORM = "multipart/form-data; boundary=b"
HEAD = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\n"
SLOW = {
    "nothing": "",
    "half a line": "POST /",
    "half a head": HEAD,
    "no body": f"{HEAD}Content-Length: 1000\r\n\r\n",
    "half a body": f"{HEAD}Content-Length: 1000\r\n\r\n--b\r\n",
    "half a chunk": f"{HEAD}Transfer-Encoding: chunked\r\n\r\n400\r\n--b\r\n",
}


@pytest.fixture(scope="module", params=["launcher", "framework's own command"])
def process(request: pytest.FixtureRequest) -> Iterator[Server]:
    plain = request.param != "launcher"
    with serving("process", plain=plain, **SETTING) as [server]:
        yield server


def send(server: Server) -> httpx.Response:
    return httpx.post(
        server.url,
        data={"request": json.dumps(SELLER | {"digital": True, "design_id": str(uuid4())})},
        files={"file": ("a.png", encoded(wrap(1, 300, 137)))},
        timeout=60,
    )


def timed(server: Server) -> tuple[httpx.Response, float]:
    started = time.monotonic()
    answer = send(server)
    return answer, time.monotonic() - started


def rest(connection: socket.socket) -> bytes:
    answer = b""
    connection.settimeout(PATIENCE_S)
    while piece := connection.recv(65536):
        answer += piece
    return answer


class TestSlowClients:
    def test_keep_nobody_from_being_served_and_are_told_in_the_end(self, process: Server) -> None:
        """Two of each kind for each thread that could wait for them."""
        _, alone_s = timed(process)
        with ExitStack() as stack:
            clients = {kind: [] for kind in SLOW}
            for kind, sent in SLOW.items():
                for _ in range(2 * THREADS):
                    client = stack.enter_context(process.connect())
                    client.sendall(sent.encode())
                    clients[kind].append(client)
            first, took_s = timed(process)
            untold = [client for kind in SLOW for client in clients[kind] if is_open(client)]
            health = httpx.get(f"{process.url}/healthz", timeout=PATIENCE_S)
            answers = {kind: {code(rest(client)) for client in clients[kind]} for kind in SLOW}

        assert (first.status_code, health.status_code) == (200, 200)
        assert untold or took_s < 5 * alone_s, "it was served when they had been given up"
        assert answers == {kind: {(408, "request_too_slow")} for kind in SLOW}

    def test_that_drip_are_given_up_too(self, process: Server) -> None:
        """A byte now and then is no sign of life."""
        with process.connect() as client:
            client.sendall(f"{HEAD}Content-Length: 1000000\r\n\r\n".encode())
            with pytest.raises(OSError, match=r"(?i)pipe|reset"):
                drip(client)

    def test_that_keep_sending_are_waited_for(self, process: Server) -> None:
        """A slow line is none that hangs: each megabyte has time of its own."""
        body = form(2_500_000)
        with process.connect() as client:
            client.sendall(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode())
            started = time.monotonic()
            step = len(body) // 10
            for start in range(0, len(body), step):
                client.sendall(body[start : start + step])
                time.sleep(TIMEOUT_S / 8)
            took = time.monotonic() - started
            answer = rest(client)

        assert took > TIMEOUT_S
        assert code(answer) == (400, "request_invalid")  # "x" is no request

    def test_that_wait_to_be_asked_for_the_body_are(self, process: Server) -> None:
        body = form(10)
        with process.connect() as client:
            client.sendall(
                f"{HEAD}Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            )
            assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            client.sendall(body)
            assert code(rest(client)) == (400, "request_invalid")

    def test_that_wait_to_be_asked_for_too_large_a_body_are_refused(self, process: Server) -> None:
        with process.connect() as client:
            client.sendall(
                f"{HEAD}Expect: 100-continue\r\nContent-Length: 999999999\r\n\r\n".encode()
            )
            assert code(rest(client)) == (413, "body_too_large")


class TestClientsThatTakeNoAnswer:
    def test_keep_no_thread(self) -> None:
        with serving("large", plain=True, **SETTING) as [server], ExitStack() as stack:
            for _ in range(2 * THREADS):
                client = stack.enter_context(server.connect())
                client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = httpx.post(server.url, timeout=PATIENCE_S)

        assert len(answer.content) == SIZE


class TestManyClients:
    def test_that_fill_the_memory_are_refused_and_the_next_one_served(
        self, process: Server
    ) -> None:
        """Three bodies of 8 MB may wait; four are nearly there."""
        part = form(LIMIT_MB * 800_000)
        head = f"{HEAD}Content-Length: {LIMIT_MB * MEGABYTE}\r\n\r\n".encode()
        with ExitStack() as stack:
            clients = [stack.enter_context(process.connect()) for _ in range(4)]
            for client in clients:
                client.sendall(head + part)
            waiting, _, _ = select.select(clients, [], [], PATIENCE_S)
            answers = [rest(client) for client in waiting]

        assert {code(answer) for answer in answers} == {(503, "busy")}
        assert len(answers) == 1
        assert b"\r\nRetry-After: " in answers[0]
        assert send(process).status_code == 200

    def test_at_once_are_all_answered(self, process: Server) -> None:
        with ThreadPoolExecutor(40) as clients:
            answers = list(clients.map(lambda _: send(process), range(40)))

        assert {answer.status_code for answer in answers} <= {200, 503}
        assert any(answer.status_code == 200 for answer in answers)

    @pytest.mark.skipif(shutil.which("prlimit") is None, reason="prlimit is not installed")
    def test_that_take_all_descriptors_wait_and_leave_some_to_the_work(self) -> None:
        with (
            serving("process", under=("prlimit", "--nofile=80"), **SETTING) as [server],
            ExitStack() as stack,
        ):
            for _ in range(100):
                stack.enter_context(server.connect()).sendall(b"POST")
            assert send(server).status_code == 200
            assert b"Traceback" not in server.said


class TestWhatIsTooMuch:
    @pytest.mark.parametrize(
        "sent",
        [
            pytest.param([b"GET /", b"x" * 100_000_000], id="a line of 100 MB"),
            pytest.param([b"GET / HTTP/1.1\r\n", b"X-A: b\r\n" * 10_000, b"\r\n"], id="headers"),
            pytest.param([b"GET / HTTP/1.1\r\n", b"X: %b\r\n\r\n" % (b"y" * 60_000)], id="header"),
            pytest.param([b"GET /%b HTTP/1.1\r\n\r\n" % (b"y" * 9_000)], id="line"),
        ],
    )
    def test_in_the_head_is_refused(self, process: Server, sent: list[bytes]) -> None:
        before = process.processor_s()
        with process.connect() as client:
            try:
                for piece in sent:
                    client.sendall(piece)
            except OSError:
                pass  # it reads no more
            answer = rest_or_none(client)

        assert answer is None or code(answer) == (431, "head_too_large")
        assert process.processor_s() - before < 1

    def test_in_parts_is_refused(self, process: Server) -> None:
        part = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n\r\n'
        body = part * 10_000 + b"--b--\r\n"
        before = process.processor_s()
        with process.connect() as client:
            client.sendall(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            assert code(rest(client)) == (400, "request_invalid")
        assert process.processor_s() - before < 1

    def test_in_chunks_is_refused(self, process: Server) -> None:
        before = process.processor_s()
        with process.connect() as client:
            client.sendall(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode())
            try:
                for _ in range(300):
                    client.sendall(b"1\r\nx\r\n" * 1_000)
            except OSError:
                pass
            answer = rest_or_none(client)
        assert answer is None or code(answer) == (400, "request_invalid")
        assert process.processor_s() - before < 2


def drip(connection: socket.socket) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        connection.sendall(b"x")
        time.sleep(0.05)


def rest_or_none(connection: socket.socket) -> bytes | None:
    """None where the client sent so much more that the answer was thrown away on the way."""
    try:
        return rest(connection)
    except ConnectionError:
        return None


def is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    return False


def code(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["code"]


def form(size: int) -> bytes:
    start = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'
    return start + b"x" * size + b"\r\n--b--\r\n"
