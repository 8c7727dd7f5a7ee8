"""One HTTP/1.1 request while it arrives: whether all of it is there. No sockets, no clock.

Only the framing is looked at, so that a request can be waited for without a thread. The server's
own parser reads the same bytes afterwards and has the last word on what they mean: what is found
broken here is called whole, and it says why it is refused.
"""

from __future__ import annotations

import mmap
from collections import deque
from collections.abc import Iterator
from typing import Final

from shared.errors import BodyTooLarge, HeadTooLarge, RequestInvalid
from shared.settings import MEGABYTE

MAX_LINE = 8190
"""Bytes of a request's first line. functions-framework lifts gunicorn's own limit."""
MAX_HEAD = 64 * 1024
"""Bytes of a request's first line and headers together."""
MAX_CHUNKS = 200_000
"""Chunks of one body: 300 MB in chunks of 1.5 KB. Each one costs time, however small."""
_MAX_SIZE_LINE = 8190
"""Bytes of the line before a chunk, and of one trailer."""
_PIECE = 1 << 20
"""Bytes of a body that are kept in one piece of memory. Each piece is the system's own, which has
it back at once: from Python's heap, a body that is read would still take its room beside what it
was read into."""
_EXPECTATION = b"Expect: 100-continue"
_MAX_DIGITS = 20
_STEP = 1 << 18
"""Bytes that the parser is given at once; see `shared.multipart.CHUNK`."""
_STEP_OF_CHUNKS = 1 << 13
"""The same of a chunked body: the parser copies the rest for each chunk."""


class Arrival:
    """Takes a request's bytes as they come, until it is `whole`.

    ``max_body``: bytes of a body that is waited for. Only ``POST /`` has one that is wanted; any
    other is answered as soon as its head is there, and so is a body that says it is larger.
    """

    def __init__(self, max_body: int) -> None:
        self.whole = False
        self.wanted = False
        """Whether the body is read, and work done."""
        self.expects_continue = False
        """Whether the client waits to be told to send the body."""
        self.received = 0
        self.held = 0
        """Bytes of the body that were kept."""
        self._max_body = max_body
        self._head = bytearray()
        self._pieces: deque[mmap.mmap] = deque()
        self._body: _Length | _Chunks | None = None

    def take(self, data: bytes) -> None:
        """The next bytes. Raises HeadTooLarge, BodyTooLarge or RequestInvalid."""
        self.received += len(data)
        if self._body is None:
            data = self._take_head(data)
        if self._body is not None and not self.whole:
            self._keep(data)
            self.whole = self._body.take(data)
            if not self.whole and self.held > self._max_body:
                raise BodyTooLarge(limit_mb=self._max_body / MEGABYTE)

    def pieces(self) -> Iterator[bytes]:
        """All of it in order. Each piece of the body is let go before the next one."""
        yield bytes(self._head)
        step = _STEP_OF_CHUNKS if isinstance(self._body, _Chunks) else _STEP
        while self._pieces:
            with self._pieces.popleft() as piece:
                size = piece.tell()
                for start in range(0, size, step):
                    yield piece[start : min(start + step, size)]

    def _take_head(self, data: bytes) -> bytes:
        """What follows the head, once that is there."""
        seen = max(0, len(self._head) - 3)
        self._head += data
        end = self._head.find(b"\r\n\r\n", seen)
        if (end if end >= 0 else len(self._head)) > MAX_HEAD:
            raise HeadTooLarge
        if end < 0:
            return b""
        rest = bytes(self._head[end + 4 :])
        del self._head[end + 4 :]
        self._judge()
        return rest

    def _judge(self) -> None:
        """What the head tells of the body. This is where a request can be refused unread."""
        first, *lines = bytes(self._head).removeprefix(b"\r\n").split(b"\r\n")
        if len(first) > MAX_LINE:
            raise HeadTooLarge
        method, _, target = first.partition(b" ")
        path = target.partition(b" ")[0].partition(b"?")[0]
        self.wanted = (method, path) == (b"POST", b"/")
        fields = dict(map(_field, lines))
        self._body = _framing(fields)
        too_large = isinstance(self._body, _Length) and self._body.left > self._max_body
        self.whole = not self.wanted or too_large or self._body.left == 0
        self.expects_continue = not self.whole and _field(_EXPECTATION) in fields.items()
        # Whoever waits is answered meanwhile; the parser would do so when the body is there.
        kept = [line for line in lines if _field(line) != _field(_EXPECTATION)]
        self._head = bytearray(b"\r\n".join([first, *kept]))

    def _keep(self, data: bytes) -> None:
        start = 0
        while start < len(data):
            if not self._pieces or self._pieces[-1].tell() == _PIECE:
                self._pieces.append(mmap.mmap(-1, _PIECE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
            piece = self._pieces[-1]
            start += piece.write(data[start : start + _PIECE - piece.tell()])
        self.held += len(data)


class _Length:
    """A body of known length."""

    def __init__(self, length: int) -> None:
        self.left = length

    def take(self, data: bytes) -> bool:
        """Whether the body is whole."""
        self.left -= len(data)
        return self.left <= 0


class _Chunks:
    """A body in chunks: https://www.rfc-editor.org/rfc/rfc9112#section-7.1."""

    left: Final = None

    def __init__(self) -> None:
        self._skip = 0
        self._line = bytearray()
        self._count = 0
        self._trailers = False

    def take(self, data: bytes) -> bool:
        """Whether the body is whole, or broken. Raises RequestInvalid for too many chunks."""
        at = 0
        while at < len(data):
            if self._skip:
                step = min(self._skip, len(data) - at)
                self._skip -= step
                at += step
                continue
            end = data.find(b"\n", at)
            self._line += data[at : end if end >= 0 else len(data)]
            if len(self._line) > _MAX_SIZE_LINE:
                return True
            if end < 0:
                break
            at = end + 1
            line = bytes(self._line).rstrip(b"\r")
            self._line.clear()
            if self._ends(line):
                return True
        return False

    def _ends(self, line: bytes) -> bool:
        if self._trailers:
            return not line
        try:
            size = int(line.partition(b";")[0], 16)
        except ValueError:
            return True
        self._count += 1
        if self._count > MAX_CHUNKS:
            raise RequestInvalid(reason=f"the body has more than {MAX_CHUNKS} chunks")
        self._trailers = size == 0
        self._skip = size + 2 if size else 0  # its line end as well
        return size < 0


def _framing(fields: dict[bytes, bytes]) -> _Length | _Chunks:
    """Whichever the head tells of; a body whose length can't be told is none to wait for."""
    if b"transfer-encoding" in fields:
        return _Chunks()
    length = fields.get(b"content-length", b"")
    return _Length(int(length) if length.isdigit() and len(length) < _MAX_DIGITS else 0)


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name.lower(), value.strip().lower()
