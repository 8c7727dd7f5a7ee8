"""Functions served as they are deployed: processes of their own, on ports of their own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

import httpx

from tests.functions.functions_calls import ROOT

START_S = 60
NO_FILES = ("prlimit", "--fsize=0")
"""Every write to a file fails; pipes and sockets are none."""


class Server:
    """A function's process. What it says goes to a pipe: a file would be one that it writes."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.said = b""
        self._process = process
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def await_ready(self) -> None:
        deadline = time.monotonic() + START_S
        while True:
            assert self._process.poll() is None, self.said.decode()
            assert time.monotonic() < deadline, self.said.decode()
            try:
                httpx.get(f"{self.url}/healthz", timeout=START_S)
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return

    def peak_rss(self) -> int:
        """The most memory that a process of the server has held so far, in bytes."""
        return max(_peak(pid) for pid in (self._process.pid, *_children(self._process.pid)))

    def workers(self) -> list[int]:
        """The processes that answer, by their ids: one that ends is replaced by another."""
        return _children(self._process.pid)

    def processor_s(self) -> float:
        """The processor's time that the server has taken so far."""
        return sum(_processor_s(pid) for pid in (self._process.pid, *_children(self._process.pid)))

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def terminated_s(self) -> float:
        """Ask the server to end; the seconds until it has."""
        started = time.monotonic()
        self._process.terminate()
        self._process.wait(timeout=60)
        return time.monotonic() - started

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        finally:
            self._process.kill()
            self._reader.join(timeout=20)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                self.said += line


@contextmanager
def serving(
    *names: str, under: tuple[str, ...] = (), plain: bool = False, **environment: str
) -> Iterator[list[Server]]:
    """Functions, each served by a process of its own; ``under`` are the words before its command.

    ``plain`` starts functions-framework itself, as any platform does.
    """
    with ExitStack() as stack:
        servers = []
        for name in names:
            port = _free_port()
            process = subprocess.Popen(  # noqa: S603 - our own words
                [*under, sys.executable, *(_plain if plain else _served)(name, port)],
                cwd=ROOT,
                env=os.environ | environment | {"PYTHONDONTWRITEBYTECODE": "1"},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            servers.append(Server(port, process))
            stack.callback(servers[-1].stop)
        for server in servers:
            server.await_ready()
        yield servers


def _served(name: str, port: int) -> list[str]:
    return ["-m", "infra.serve", name, "--port", str(port)]


def _plain(name: str, port: int) -> list[str]:
    own = ROOT / "tests" / "functions" / f"functions_{name}.py"
    source = own if own.exists() else ROOT / "functions" / name / "main.py"
    return [
        *("-m", "functions_framework", "--source", str(source), "--target", name),
        *("--host", "127.0.0.1", "--port", str(port)),
    ]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(child) for child in children]


def _peak(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
