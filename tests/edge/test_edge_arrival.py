"""When a request is all there: told from its bytes alone, however they are cut."""

from __future__ import annotations

import pytest
from gunicorn.config import Config
from gunicorn.http import get_parser
from hypothesis import given
from hypothesis import strategies as st

from shared import arrival
from shared.arrival import MAX_HEAD, MAX_LINE, Arrival
from shared.errors import BodyTooLarge, HeadTooLarge, RequestInvalid

LIMIT = 3_000_000
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
LENGTH = POST + b"Content-Length: %d\r\n\r\n%b"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n%b"


def arrived(*pieces: bytes, max_body: int = LIMIT) -> Arrival:
    request = Arrival(max_body)
    for piece in pieces:
        assert not request.whole
        request.take(piece)
    return request


def body(request: Arrival) -> bytes:
    """What the server's own parser makes of it."""
    parsed = next(get_parser(Config(), request.pieces(), ("127.0.0.1", 1)))
    content: bytes = parsed.body.read()
    return content


class TestARequest:
    @pytest.mark.parametrize(
        "sent",
        [
            LENGTH % (5, b"abcde"),
            CHUNKED % b"5\r\nabcde\r\n0\r\n\r\n",
            CHUNKED % b"2;a=b\r\nab\r\n00003\r\ncde\r\n0\r\nX-T: 1\r\n\r\n",
            b"\r\n" + LENGTH % (5, b"abcde"),
        ],
    )
    @pytest.mark.parametrize("size", [1, 7, 1000])
    def test_is_whole_with_its_last_byte(self, sent: bytes, size: int) -> None:
        pieces = [sent[start : start + size] for start in range(0, len(sent), size)]

        request = arrived(*pieces)

        assert request.whole
        assert request.wanted
        assert body(request) == b"abcde"

    @given(
        chunks=st.lists(st.binary(min_size=1, max_size=60), max_size=8),
        cuts=st.lists(st.integers(0, 600), max_size=10),
    )
    def test_in_chunks_is_whole_exactly_with_its_last_byte(
        self, chunks: list[bytes], cuts: list[int]
    ) -> None:
        framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
        sent = CHUNKED % (framed + b"0\r\n\r\n")
        ends = [*sorted({cut for cut in cuts if 0 < cut < len(sent)}), len(sent)]
        starts = [0, *ends[:-1]]

        request = arrived(*(sent[start:end] for start, end in zip(starts, ends, strict=True)))

        assert request.whole
        assert body(request) == b"".join(chunks)

    def test_of_many_pieces_keeps_every_byte_and_lets_go_of_each(self) -> None:
        content = bytes(range(256)) * 10_000
        request = arrived(LENGTH % (len(content), content))
        assert request.held == len(content)

        assert body(request) == content
        assert not request._pieces

    @pytest.mark.parametrize(
        "head",
        [
            b"GET / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n",
            b"POST /nope HTTP/1.1\r\nContent-Length: 1000\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"\x16\x03\x01\r\n\r\n",
            b"\r\n\r\n",
            b" \r\n\r\n",
        ],
    )
    def test_whose_body_nobody_wants_is_whole_without_it(self, head: bytes) -> None:
        request = arrived(head)

        assert request.whole
        assert not request.wanted

    @pytest.mark.parametrize(
        "fields",
        [
            b"Content-Length: 3000001",
            b"Content-Length: 0",
            b"Content-Length: -5",
            b"Content-Length: 5x",
            b"Content-Length: " + b"9" * 5000,
            b"X: y",
        ],
    )
    def test_is_whole_without_a_body_that_is_too_large_or_none(self, fields: bytes) -> None:
        assert arrived(POST + fields + b"\r\n\r\n").whole

    def test_is_to_be_found_at_its_address_with_a_query_as_well(self) -> None:
        assert arrived(b"POST /?a=b HTTP/1.1\r\nContent-Length: 1\r\n\r\nx").wanted

    @pytest.mark.parametrize("broken", [b"zz\r\n", b"\r\n", b"-5\r\n", b"1" * 9000])
    def test_whose_chunks_are_broken_is_left_to_the_parser(self, broken: bytes) -> None:
        assert arrived(CHUNKED % broken).whole


class TestTooMuch:
    @pytest.mark.parametrize(
        "sent",
        [
            [b"GET /" + b"x" * MAX_HEAD],
            [b"GET /" + b"x" * MAX_LINE + b" HTTP/1.1\r\n\r\n"],
            [b"GET / HTTP/1.1\r\n"] + [b"X-A: b\r\n"] * (MAX_HEAD // 8),
            [b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * (MAX_HEAD // 8) + b"\r\n"],
        ],
        ids=["line without end", "line", "headers without end", "headers"],
    )
    def test_of_a_head_is_refused(self, sent: list[bytes]) -> None:
        with pytest.raises(HeadTooLarge):
            arrived(*sent)

    def test_of_a_body_in_chunks_is_refused_when_it_is_too_much(self) -> None:
        chunk = b"%x\r\n%b\r\n" % (500_000, b"x" * 500_000)
        request = arrived(CHUNKED % b"", *[chunk] * 5)

        with pytest.raises(BodyTooLarge):
            request.take(chunk)

    def test_of_chunks_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(arrival, "MAX_CHUNKS", 10)
        request = arrived(CHUNKED % (b"1\r\nx\r\n" * 10))

        with pytest.raises(RequestInvalid):
            request.take(b"1\r\nx\r\n")


class TestAClientThatAsksFirst:
    def test_is_told_to_go_on_once_and_not_by_the_parser_again(self) -> None:
        head = POST + b"expect: 100-Continue\r\nContent-Length: 2\r\n\r\n"

        request = arrived(head)
        assert request.expects_continue
        request.take(b"ab")

        assert b"xpect" not in b"".join(request.pieces())

    def test_is_not_told_so_where_the_body_is_not_wanted(self) -> None:
        request = arrived(POST + b"Expect: 100-continue\r\nContent-Length: 9999999\r\n\r\n")

        assert request.whole
        assert not request.expects_continue


def test_a_head_is_handed_on_as_it_came() -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: b: c \r\n\r\n"

    assert b"".join(arrived(head).pieces()) == head
