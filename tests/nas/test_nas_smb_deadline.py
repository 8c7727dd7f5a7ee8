"""Whatever hangs: a verb ends within its deadline and frees its threads, and the next one works."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import UUID

import pytest
from nas_stores import waiting
from samba import PASSWORD
from smb_site import PATH, Site, body

from shared.errors import NasUnavailable
from shared.nas.smb import open_smb
from shared.nas.smb.pool import SIZE
from shared.nas.smb.store import ATTEMPTS, SmbNas
from tests.proxy import Broken, CutAfter, Fault, Line

CONTENT = body(8)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
TIMEOUT_S = 1.0


class Darkened(Line):
    """Becomes a hole with the client's first byte after ``dark`` is set."""

    def __init__(self, dark: threading.Event) -> None:
        self._dark = dark

    def up(self, data: bytes) -> bytes:
        if self._dark.is_set():
            raise Broken(Fault.HOLE)
        return data


@contextmanager
def unavailable_in_time() -> Iterator[None]:
    start = time.monotonic()
    with pytest.raises(NasUnavailable):
        yield
    assert time.monotonic() - start < TIMEOUT_S + 2


def threads() -> set[threading.Thread]:
    """The library's receiving threads, and our watchdogs but for those that are just ending."""
    for watchdog in threading.enumerate():
        if isinstance(watchdog, threading.Timer) and watchdog.finished.is_set():
            watchdog.join(1)
    return {
        thread
        for thread in threading.enumerate()
        if thread.name.startswith("msg_worker") or isinstance(thread, threading.Timer)
    }


@pytest.mark.parametrize(
    ("size", "fault"),
    [
        *[(0, Fault.HOLE), (500, Fault.HOLE), (200_000, Fault.HOLE), (8_380_000, Fault.HOLE)],
        *[(200_000, Fault.STALL), (8_380_000, Fault.STALL)],
    ],
)
def test_a_write_that_hangs_ends_in_time_and_the_next_one_works(
    smb: Site, size: int, fault: Fault
) -> None:
    others = threads()
    store = smb.open(timeout_s=TIMEOUT_S)
    smb.proxy.strike(lambda: CutAfter(size, fault), times=ATTEMPTS)
    with unavailable_in_time():
        store.create(PATH, CONTENT)
    assert threads() == others
    assert smb.sha256() is None
    smb.proxy.line = Line
    store.create(PATH, CONTENT[:1000])
    assert smb.sha256() == hashlib.sha256(CONTENT[:1000]).hexdigest()


VERBS: dict[str, Callable[[SmbNas], object]] = {
    "stage": lambda store: store.create(waiting(UUID(int=2)), b"another"),
    "publish": lambda store: store.publish(waiting(UUID(int=1)), PATH),
    "create": lambda store: store.create(PATH, b"another"),
    "read": lambda store: store.read(PATH),
    "stat": lambda store: store.stat(PATH),
    "digest": lambda store: store.digest(PATH),
    "delete": lambda store: store.delete(PATH),
    "list": lambda store: list(store.list("NookTransfers")),
    "check": lambda store: store.check(),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_that_hangs_ends_in_time_and_works_again_when_the_nas_is_back(
    smb: Site, verb: str
) -> None:
    dark = threading.Event()
    smb.proxy.line = lambda: Darkened(dark)
    store = smb.open(timeout_s=TIMEOUT_S)
    store.create(waiting(UUID(int=1)), b"print file")
    dark.set()
    with unavailable_in_time():
        VERBS[verb](store)
    dark.clear()
    VERBS[verb](store)


def test_a_read_that_stops_in_the_middle_ends_in_time(smb: Site) -> None:
    class Stopped(Line):
        left = 3_000_000

        def down(self, data: bytes) -> bytes:
            self.left -= len(data)
            if self.left < 0:
                raise Broken(Fault.HOLE)
            return data

    smb.open().create(PATH, CONTENT)
    store = smb.open(timeout_s=TIMEOUT_S)
    smb.proxy.strike(Stopped, times=1)
    with unavailable_in_time():
        store.read(PATH)
    assert store.digest(PATH) == (len(CONTENT), SHA256)


def test_whoever_waits_for_a_connection_waits_no_longer_than_the_deadline(smb: Site) -> None:
    dark = threading.Event()
    smb.proxy.line = lambda: Darkened(dark)
    store = smb.open(timeout_s=TIMEOUT_S)
    store.check()
    dark.set()

    def check(_: int) -> None:
        with unavailable_in_time():
            store.check()

    with ThreadPoolExecutor(3 * SIZE) as callers:
        list(callers.map(check, range(3 * SIZE)))
    dark.clear()
    store.check()


def test_a_host_that_takes_no_connection_is_unavailable_in_time() -> None:
    # A full backlog: the system drops further requests to connect, as a firewall does.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(address)
        store = open_smb(f"smb://u@127.0.0.1:{address[1]}/S", PASSWORD, timeout_s=TIMEOUT_S)
        with unavailable_in_time():
            store.check()
        for client in waiting:
            client.close()


def test_a_port_where_nothing_listens_and_a_name_without_a_host_are_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for host in (f"127.0.0.1:{port}", "nas.invalid"):
        with pytest.raises(NasUnavailable):
            open_smb(f"smb://u@{host}/S", PASSWORD, timeout_s=TIMEOUT_S).check()


def test_a_server_that_speaks_something_else_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            for _ in range(3):
                client, _ = listener.accept()
                with client:
                    client.recv(1 << 16)
                    client.sendall(b"\0\0\0\x40" + b"HTTP/1.1 400 Bad Request" * 4)

        server = threading.Thread(target=answer)
        server.start()
        port = listener.getsockname()[1]
        with unavailable_in_time():
            open_smb(f"smb://u@127.0.0.1:{port}/S", PASSWORD, timeout_s=TIMEOUT_S).check()
        server.join()
