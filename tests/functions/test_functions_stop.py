"""A function that is stopped at work: what is under way ends, the rest can be sent again."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.database.engine import patient
from tests.draw import encoded, wrap
from tests.functions.functions_calls import SELLER
from tests.functions.functions_server import Server, serving

UPLOADS = 20
STOPPED_S = 10
"""Platforms kill after so many seconds."""


@pytest.fixture
def setting(database_url: str, tmp_path: Path) -> dict[str, str]:
    return {"DATABASE_URL": database_url, "PLATEN_HOME": str(tmp_path), "REQUEST_TIMEOUT_S": "60"}


@pytest.fixture
def files() -> list[bytes]:
    return [encoded(wrap(seed, 1000, 456)) for seed in range(UPLOADS)]


def send(server: Server, position: int, file: bytes) -> dict[str, Any]:
    """The whole result of an upload. Raises httpx.HTTPError where there is none."""
    request = SELLER | {"idempotency_key": f"key-{position}"}
    answer = httpx.post(
        server.url,
        data={"request": json.dumps(request)},
        files={"file": (f"{position}.png", file)},
        timeout=60,
    ).raise_for_status()
    result: dict[str, Any] = json.loads(answer.text.splitlines()[-1])["result"]
    return result


def outcomes(sent: list[Future[dict[str, Any]]]) -> Iterator[str]:
    """Of each upload: what became of its file, or that nobody said."""
    for future in sent:
        try:
            yield future.result()["outcomes"][0]["outcome"]
        except httpx.HTTPError:
            yield "unknown"


def rows(database_url: str) -> int:
    engine = patient(database_url)
    with engine.connect() as connection:
        count = connection.exec_driver_sql(
            "SELECT count(*) FROM design_images WHERE is_active"
        ).scalar()
    engine.dispose()
    return int(count or 0)


def await_refusal(server: Server) -> None:
    """Return when nobody listens any more; a connection that hangs instead fails."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            with server.connect() as connection:
                connection.recv(1)
        except ConnectionRefusedError:
            return
        except ConnectionResetError:
            pass
    pytest.fail("it still listens")


def test_uploads_under_way_are_answered_or_can_be_sent_again(
    setting: dict[str, str], files: list[bytes], tmp_path: Path
) -> None:
    with serving("upload", **setting) as [server], ThreadPoolExecutor(UPLOADS) as clients:
        sent = [clients.submit(send, server, *file) for file in enumerate(files)]
        while not any(future.done() for future in sent):
            time.sleep(0.01)
        took = server.terminated_s()
        first = list(outcomes(sent))
    with serving("upload", **setting) as [server]:
        again = [send(server, *file)["outcomes"][0]["outcome"] for file in enumerate(files)]

    assert took < STOPPED_S
    assert set(first) <= {"created", "unknown"}
    assert "created" in first
    assert again == ["created"] * UPLOADS
    filed = [path for path in tmp_path.rglob("*.png") if "NookTransfers" in path.parts]
    assert len(filed) == rows(setting["DATABASE_URL"]) == UPLOADS


def test_a_slow_client_is_told_and_a_new_one_is_refused(setting: dict[str, str]) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    with serving("process", **setting) as [server], ExitStack() as stack:
        half, idle = [stack.enter_context(server.connect()) for _ in range(2)]
        half.sendall(head + b"x")
        time.sleep(0.5)
        with ThreadPoolExecutor(1) as watcher:
            took = watcher.submit(server.terminated_s)
            assert b"stopping" in idle.recv(1000)
            await_refusal(server)
            half.setblocking(False)
            with pytest.raises(BlockingIOError):  # it may still arrive
                half.recv(1)
            half.settimeout(20)
            answer = half.recv(1000)
            half.close()
        assert took.result() < STOPPED_S

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: " in answer
    assert b'"code":"stopping"' in answer
