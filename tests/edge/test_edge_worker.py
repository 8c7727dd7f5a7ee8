"""The loop that reads requests, where a real process can't be brought to it."""

from __future__ import annotations

import errno
import selectors
import socket
from collections.abc import Iterator

import pytest
from gunicorn.config import Config

from shared import arrival
from shared.settings import Settings
from shared.worker import SPARE, Worker, _for_bodies


class Refusing:
    """A listening socket that has ``error`` for each client."""

    def __init__(self, error: OSError) -> None:
        self._error = error

    def accept(self) -> tuple[socket.socket, object]:
        raise self._error


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker(0, 0, [], None, 0, Config(), None)
    made.poller = selectors.DefaultSelector()
    yield made
    made.poller.close()
    made.tmp.close()


def answered(worker: Worker, body: bytes, *, length: int) -> bytes:
    """What a client is answered that sends so much of a body, and then hangs up."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname(), timeout=20) as client,
    ):
        worker.accept(listener)
        head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"
        client.sendall(head.encode() + body)
        worker.wait_for_and_dispatch_events(20)
        answer = client.recv(1000)
        client.close()
        worker.wait_for_and_dispatch_events(20)
    return answer


@pytest.mark.parametrize("error", [OSError(errno.ENOMEM, "no memory"), MemoryError()])
def test_a_body_that_memory_is_refused_for_is_refused_itself(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_: object) -> object:
        raise error

    monkeypatch.setattr(arrival.mmap, "mmap", refuse)
    answer = answered(worker, b"abcde", length=5)

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b'"code":"busy"' in answer
    assert worker.nr_conns == 0


def test_bodies_that_are_worked_on_take_room_until_they_are_answered(worker: Worker) -> None:
    worker._bodies = 10
    worker._served[worker] = 8  # any key does
    answer = answered(worker, b"abc", length=9)

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b'"code":"busy"' in answer


@pytest.mark.parametrize(
    ("memory_mb", "max_body_mb", "expected_mb"), [(600, 100, 250), (600, 300, 300), (60, 1, 25)]
)
def test_bodies_have_a_quarter_of_the_memory_and_the_largest_one_has_room(
    memory_mb: int, max_body_mb: int, expected_mb: int
) -> None:
    own = Settings(memory_mb=memory_mb, max_body_mb=max_body_mb)
    assert _for_bodies(own) == expected_mb * 1_000_000


def test_bodies_have_a_quarter_of_what_the_system_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.worker.allowed", lambda: 4_000_000_000)
    assert _for_bodies(Settings(memory_mb=None)) == 1_000_000_000


def test_a_process_without_descriptors_takes_fewer_clients(worker: Worker) -> None:
    worker.nr_conns = 100

    worker.accept(Refusing(OSError(errno.EMFILE, "too many open files")))

    assert worker.worker_connections == 100 - SPARE


def test_a_client_that_is_gone_before_it_is_accepted_changes_nothing(worker: Worker) -> None:
    before = worker.worker_connections

    worker.accept(Refusing(OSError(errno.ECONNABORTED, "aborted")))

    assert (worker.worker_connections, worker.nr_conns) == (before, 0)
