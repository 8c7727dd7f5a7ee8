"""A print file of 64 MB on its way to an SMB share.

    python -m benchmarks.nas

Our store, the smbclient program and a raw socket send the same bytes to this machine: directly, and
by way of a proxy that delays them as a NAS 20 ms away would. What the raw socket sends is thrown
away at the other end. The other two encrypt, and Samba stores what they send; ours is also flushed
twice and renamed. Needs Samba: apt-get install samba smbclient.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter
from uuid import uuid4

from shared.nas.smb import open_smb
from tests.nas.samba import PASSWORD, SHARE, Samba, samba

MEGABYTES = 64
RUNS = 7
"""Counted runs of each, in turn, after one warm-up."""
ROUND_TRIP_S = 0.020
TARGETS = {"loopback": 250, "20 ms away": 100}
"""MB/s that our store is to reach."""

_BLOCK = 1 << 20

Send = Callable[[], float]
"""Sends the file once; MB/s."""


def run() -> None:
    # In memory where there is such a folder: the disk is not what is measured.
    memory = Path("/dev/shm")  # noqa: S108
    with ExitStack() as stack:
        place = stack.enter_context(
            tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
        )
        share, file = Path(place) / "share", Path(place) / "content"
        share.mkdir()
        file.write_bytes(os.urandom(MEGABYTES * 1_000_000))
        server = stack.enter_context(samba(share))
        sink = stack.enter_context(_process(_sink))
        print(
            f"{MEGABYTES} MB into {Path(place).parent}, median of {RUNS} runs; "
            f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}\n"
        )
        print(f"{'':12}{'':18}{'MB/s':>6}{'of raw':>8}{'target':>8}")
        _print("loopback", _senders(stack, file, server, sink, server.port))
        far_sink = stack.enter_context(_process(_delay, sink))
        far_server = stack.enter_context(_process(_delay, server.port))
        _print("20 ms away", _senders(stack, file, server, far_sink, far_server))


def _senders(
    stack: ExitStack, file: Path, server: Samba, raw_port: int, smb_port: int
) -> dict[str, Send]:
    content = file.read_bytes()
    store = open_smb(server.url_at(smb_port), PASSWORD)
    stack.callback(store.close)

    def write() -> float:
        draft = uuid4().hex
        speed = _speed(lambda: store.create(draft, content))
        store.delete(draft)
        return speed

    name = uuid4().hex
    store.create(name, content)
    senders = {
        "raw socket": lambda: _speed(lambda: _raw(content, raw_port)),
        "store, write": write,
        "store, read": lambda: _speed(lambda: store.read(name)),
    }
    if shutil.which("smbclient"):
        senders["smbclient, write"] = lambda: _smbclient(file, server, smb_port)
    return senders


def _print(line: str, senders: dict[str, Send]) -> None:
    rounds = [{name: send() for name, send in senders.items()} for _ in range(RUNS + 1)][1:]
    for name in senders:
        speed = statistics.median(speeds[name] for speeds in rounds)
        ratio = statistics.median(speeds[name] / speeds["raw socket"] for speeds in rounds)
        target = f"{TARGETS[line]:8}" if name == "store, write" else ""
        print(f"{line:12}{name:18}{speed:6.0f}{ratio:8.2f}{target}")


def _speed(send: Callable[[], object]) -> float:
    start = perf_counter()
    send()
    return MEGABYTES / (perf_counter() - start)


def _raw(content: bytes, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(content)
        line.shutdown(socket.SHUT_WR)
        line.recv(1)


def _smbclient(file: Path, server: Samba, port: int) -> float:
    """The speed that the program reports: its start and its login are not in it."""
    finished = subprocess.run(  # noqa: S603  # our own arguments
        [
            *("smbclient", f"//127.0.0.1/{SHARE}", "-s", server.configuration, "-p", str(port)),
            *("--client-protection=encrypt", "-c", f"put {file} smbclient; rm smbclient"),
        ],
        env={**os.environ, "USER": server.user, "PASSWD": PASSWORD},
        capture_output=True,
        text=True,
        check=True,
    )
    kibibytes = re.search(r"average ([\d.]+) kb/s", finished.stdout + finished.stderr)
    assert kibibytes, finished.stdout
    return float(kibibytes[1]) * 1024 / 1e6


@contextmanager
def _process(serve: Callable[..., None], *arguments: object) -> Iterator[int]:
    """Run it in a process of its own; the port that it listens on."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=serve, args=(theirs, *arguments), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def _connections(pipe: Connection) -> Iterator[socket.socket]:
    listener = socket.create_server(("127.0.0.1", 0))
    pipe.send(listener.getsockname()[1])
    while True:
        yield listener.accept()[0]


def _sink(pipe: Connection) -> None:
    """Throw away what comes, and say when it has all come."""
    buffer = bytearray(_BLOCK)
    for client in _connections(pipe):
        with client:
            while client.recv_into(buffer):
                pass
            client.sendall(b".")


def _delay(pipe: Connection, port: int) -> None:
    """Pass everything on to another port, half a round trip later each way."""
    for client in _connections(pipe):
        server = socket.create_connection(("127.0.0.1", port))
        for source, target in ((client, server), (server, client)):
            target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            under_way: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
            threading.Thread(target=_depart, args=(source, under_way), daemon=True).start()
            threading.Thread(target=_arrive, args=(target, under_way), daemon=True).start()


def _depart(source: socket.socket, under_way: queue.SimpleQueue[tuple[float, bytes]]) -> None:
    data = b"."
    while data:
        data = source.recv(_BLOCK)
        under_way.put((time.monotonic() + ROUND_TRIP_S / 2, data))


def _arrive(target: socket.socket, under_way: queue.SimpleQueue[tuple[float, bytes]]) -> None:
    while True:
        due, data = under_way.get()
        time.sleep(max(0.0, due - time.monotonic()))
        if not data:
            target.shutdown(socket.SHUT_WR)
            return
        target.sendall(data)


if __name__ == "__main__":
    run()
