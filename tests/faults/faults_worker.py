"""Takes a batch in and is killed, or stopped, at a step: a process of its own, for tests alone.

Steps are all calls that change the NAS or the database, a transaction's begin and commit included,
what a folder store asks the system for (a written block, fsync, link, unlink, mkdir), and every
message to an SMB server. Between two steps nothing is changed, so a kill before each, and one
after the last, leaves every state that a kill can leave.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from typing import Any
from uuid import UUID

# Imported once, before the children are made: adapters are loaded on first use otherwise.
from shared.database import designs as _designs  # noqa: F401
from shared.database import engine as _engine  # noqa: F401
from shared.driver.serial import SerialExecutor
from shared.driver.transports import InProcess
from shared.driver.workflow import upload
from shared.identity import tenant
from shared.messages import Result, UploadRequest
from shared.nas import disk
from shared.nas import smb as _smb  # noqa: F401
from shared.ports import Unit
from shared.records import Template
from shared.settings import Settings
from shared.wiring import Parts
from tests.draw import encoded, wrap

TINY = Template(name="Tiny UV", width_in=1, height_in=0.5, dpi=72)
ONE, TWO = (encoded(wrap(seed, 160, 80)) for seed in (1, 2))
FILES = [("1.png", ONE), ("1 again.png", ONE), ("2.png", TWO)]
LAST = "the answer"
"""The step after which nothing is left to do."""
BLOCK = 512
"""Bytes that are written at once."""
CHANGES = {
    *("create", "publish", "delete", "activate"),
    *("claim", "take_number", "insert", "move", "allow", "forget"),
}
"""Verbs of the adapters that are steps. Others only read."""

Step = Callable[[str], None]


def before(call: Callable[..., Any], name: str, step: Step) -> Callable[..., Any]:
    """The call with a step before it."""

    def stepped(*args: Any, **options: Any) -> Any:
        step(name)
        return call(*args, **options)

    return stepped


class Watched:
    """An adapter each of whose changes is a step."""

    def __init__(self, name: str, real: Any, step: Step) -> None:
        self._name, self._real, self._step = name, real, step

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        real: Callable[..., Any] = getattr(self._real, verb)
        return before(real, f"{self._name}.{verb}", self._step) if verb in CHANGES else real

    @contextmanager
    def unit(self, user: UUID) -> Iterator[Unit]:
        self._step("designs.unit")
        with self._real.unit(user) as unit:
            yield Watched("unit", unit, self._step)  # type: ignore[misc]
            self._step("unit.commit")


def watch_system(step: Step) -> None:
    """Make steps of what stores ask the system for; nothing but stores does so here."""

    class Blocks(FileIO):
        def write(self, data: Any) -> int:
            step("os.write")
            return super().write(memoryview(data)[:BLOCK])

    for verb in ("mkdir", "fsync", "link", "unlink"):
        setattr(os, verb, before(getattr(os, verb), f"os.{verb}", step))
    disk.FileIO = Blocks  # type: ignore[attr-defined]
    socket.socket.sendmsg = before(  # type: ignore[method-assign]
        socket.socket.sendmsg, "smb.send", step
    )


def take_in(parts: Parts, seller: str) -> Result:
    asked = UploadRequest(template=TINY.name, user_id=seller, shop=seller, idempotency_key="k1")
    sources = [parts.source(name, data) for name, data in FILES]
    return upload(sources, asked, InProcess(parts), parts.settings, SerialExecutor(), 1)


def run(settings: Settings, seller: str, step: Step) -> None:
    """Take the batch in, then write its outcomes to standard output as a line."""
    parts = Parts(settings)
    parts.designs.save_template(tenant(seller), TINY)
    watched = Parts(settings)
    watched._designs = Watched("designs", parts.designs, step)  # type: ignore[assignment]
    watched._nas = Watched("nas", parts.nas, step)  # type: ignore[assignment]
    watch_system(step)
    result = take_in(watched, seller)
    step(LAST)
    tell(result.model_dump(mode="json"))


def killed_at(place: int, seller: str) -> Step:
    """A step that ends the process where it is the ``place``-th."""
    left = place

    def step(name: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            tell({"seller": seller, "step": name})
            os.kill(os.getpid(), signal.SIGKILL)

    return step


def stopped_at(wanted: str) -> Step:
    """A step that stops the process, once, where it has that name."""
    passed = False

    def step(name: str) -> None:
        nonlocal passed
        if name == wanted and not passed:
            passed = True
            os.kill(os.getpid(), signal.SIGSTOP)

    return step


def tell(value: object) -> None:
    """One line, written at once: who is killed next flushes nothing."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def kill_everywhere(settings: Settings, every: int) -> None:
    """A child and a seller for each ``every``-th step, until a child outlives its run."""
    place, status = 1, 0
    while True:
        seller = f"seller{place}"
        child = os.fork()
        if child == 0:
            try:
                run(settings, seller, killed_at(place, seller))
                os._exit(0)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
            break
        place += every
    sys.exit(os.waitstatus_to_exitcode(status))


def main() -> None:
    task = json.loads(sys.stdin.read())
    settings = Settings(_env_file=None, **task["settings"])
    if "stop" in task:
        run(settings, task["seller"], stopped_at(task["stop"]))
    else:
        kill_everywhere(settings, task["every"])


if __name__ == "__main__":
    main()
