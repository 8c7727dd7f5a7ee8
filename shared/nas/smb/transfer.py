"""Messages in one round trip, and chunks in a row with several of them on their way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from smbprotocol import MAX_PAYLOAD_SIZE
from smbprotocol.exceptions import SMBResponseException
from smbprotocol.open import Open
from smbprotocol.tree import TreeConnect

from shared.nas.smb import asks
from shared.nas.smb.asks import Ask
from shared.nas.smb.status import Lost

CHUNK = 1 << 20
"""Bytes of one read or write: on a fast line 64 KiB reach a third of it, and 4 MiB less again."""

WINDOW = 8
"""Chunks on their way at once: 20 ms from the NAS, 8 are 4.5 times as fast as 1."""

CREDITS = WINDOW * CHUNK // MAX_PAYLOAD_SIZE + 16
"""What the server must allow to have on its way for that, and for the small messages."""


def together(tree: TreeConnect, *steps: Ask) -> list[Any]:
    """Related messages in one round trip; their answers, or the first one's error."""
    session = tree.session
    requests = session.connection.send_compound(
        [message for message, _ in steps], session.session_id, tree.tree_connect_id, related=True
    )
    answers, failures = [], []
    for request, (_, take) in zip(requests, steps, strict=True):
        try:
            answers.append(take(request))
        except SMBResponseException as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return answers


def write(tree: TreeConnect, opened: Open, content: memoryview) -> None:
    """Write all of ``content`` (bytes) from the start of the file."""
    step = _step(tree, opened.connection.max_write_size)
    chunks = (
        asks.written(opened, content[start : start + step], start)
        for start in range(0, len(content), step)
    )
    if sum(_in_a_row(tree, chunks)) != len(content):
        raise Lost("the server wrote less than it was sent")


def read(tree: TreeConnect, opened: Open) -> Iterator[bytes]:
    """The file's bytes in chunks, as many as it had when it was opened."""
    size = opened.end_of_file
    step = _step(tree, opened.connection.max_read_size)
    chunks = (
        opened.read(start, min(step, size - start), send=False) for start in range(0, size, step)
    )
    missing = size
    for chunk in _in_a_row(tree, chunks):
        missing -= len(chunk)
        yield chunk
    if missing:
        raise Lost("the server read less than it was asked for")


def _in_a_row(tree: TreeConnect, steps: Iterable[Ask]) -> Iterator[Any]:
    """Send each message while at most `WINDOW` are unanswered; the answers in order."""
    session, connection = tree.session, tree.session.connection
    waiting: deque[tuple[Any, Callable[[Any], Any]]] = deque()
    try:
        for message, take in steps:
            while waiting and (len(waiting) == WINDOW or _credits(connection) < CREDITS // WINDOW):
                request, answer = waiting.popleft()
                yield answer(request)
            request = connection.send(message, session.session_id, tree.tree_connect_id)
            waiting.append((request, take))
        while waiting:
            request, answer = waiting.popleft()
            yield answer(request)
    finally:
        # After a refusal the answers to what is on its way still come: taken, they leave the
        # connection as good as it was.
        for request, _ in waiting:
            with suppress(Exception):
                connection.receive(request)


def _step(tree: TreeConnect, limit: int) -> int:
    """Bytes of one chunk: what the server takes at most, and what its credits allow."""
    affordable = max(1, _credits(tree.session.connection)) * int(MAX_PAYLOAD_SIZE)
    return min(CHUNK, limit, affordable)


def _credits(connection: Any) -> int:
    return int(connection.sequence_window["high"] - connection.sequence_window["low"])
