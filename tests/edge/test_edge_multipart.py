"""A request's body, read wholly in memory and within its limits."""

from __future__ import annotations

import base64
import hashlib
import io
import tempfile
from typing import Any

import flask
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared import multipart
from shared.errors import BodyTooLarge, DigestMismatch, RequestInvalid
from shared.multipart import Body, Upload

FORM = 'multipart/form-data; boundary="b"'
REQUEST = b'--b\r\nContent-Disposition: form-data; name="request"\r\n\r\n{}\r\n'
END = b"--b--\r\n"


def file(content: bytes, disposition: str = 'name="f"; filename="a.png"') -> bytes:
    return f"--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode() + (
        content + b"\r\n"
    )


def read(
    data: bytes, content_type: str = FORM, *, max_body: int = 50_000_000, **request: Any
) -> Body:
    context = flask.Flask("edge").test_request_context(
        method="POST", input_stream=io.BytesIO(data), content_type=content_type, **request
    )
    with context:
        return multipart.read(flask.request, max_body, 3)


def refusal(data: bytes) -> str | None:
    """Why a form is refused; None where it is not."""
    try:
        read(data)
    except RequestInvalid as error:
        return str(error)
    return None


class TestAForm:
    def test_gives_its_document_and_its_files_in_order(self) -> None:
        body = read(file(b"one") + REQUEST + file(b"two", 'name="other"; filename="b"') + END)

        assert body.document == b"{}"
        assert body.files == [Upload("a.png", bytearray(b"one")), Upload("b", bytearray(b"two"))]

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\r\n",
            b"\n\r\r\n--",
            b"\r\n--bb\r\n--b-",
            b"x\r\n--",
            bytes(range(256)) * 5000,
            b"\r" * 3_000_001,
            b"\n" * 3_000_001,
            b"\r\n-" * 1_000_001,
            b"\r\n--" * 700_001,
        ],
        ids=lambda content: f"{content[:12]!r} {len(content)}",
    )
    def test_keeps_every_byte_of_a_file(self, content: bytes) -> None:
        assert read(file(content) + REQUEST + END).files[0].data == content

    @given(
        content=st.lists(st.sampled_from([b"\r", b"\n", b"-", b"b", b"x", b"\r\n-"])).map(b"".join)
    )
    def test_keeps_every_byte_of_a_file_that_looks_like_a_boundary(self, content: bytes) -> None:
        assume(b"--b" not in content)

        assert read(file(content) + REQUEST + END).files[0].data == content

    def test_takes_the_request_as_a_file_too(self) -> None:
        as_file = file(b'{"a": 1}', 'name="request"; filename="request.json"')

        assert read(as_file + file(b"x") + END).document == b'{"a": 1}'

    def test_keeps_a_client_s_name_as_it_is(self) -> None:
        names = ["../../etc/passwd", "a:b", "CON", "e\u0301.png", "\N{ARTIST PALETTE}"]

        for name in names:
            found = read(REQUEST + file(b"", f'name="f"; filename="{name}"') + END)
            assert [upload.filename for upload in found.files] == [name]

    def test_writes_no_temporary_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def forbidden(*_arguments: object, **_options: object) -> None:
            raise AssertionError("a temporary file was opened")

        for name in ("TemporaryFile", "SpooledTemporaryFile", "NamedTemporaryFile", "mkstemp"):
            monkeypatch.setattr(tempfile, name, forbidden)

        body = read(REQUEST + file(b"x" * 30_000_000) + END)

        assert len(body.files[0].data) == 30_000_000

    def test_may_end_in_the_middle_of_nothing(self) -> None:
        whole = REQUEST + file(b"content") + END.rstrip()

        assert read(whole).files[0].data == b"content"
        for length in range(len(whole)):
            with pytest.raises(RequestInvalid):
                read(whole[:length])

    @given(
        pieces=st.lists(
            st.one_of(
                st.sampled_from(
                    [
                        REQUEST,
                        END,
                        file(b"x"),
                        b"\r\n",
                        b"--b\r\n",
                        b"--",
                        b"Content-Disposition: form-data;",
                        b'name="x"',
                        b"; filename*=utf-8''%ff",
                        b"\x00",
                    ]
                ),
                st.binary(max_size=12),
            ),
            max_size=12,
        )
    )
    def test_of_any_bytes_is_read_or_refused(self, pieces: list[bytes]) -> None:
        reason = refusal(b"".join(pieces))

        assert reason is None or reason.isprintable()


class TestALimit:
    def test_of_the_body_is_judged_by_its_length_before_it_is_read(self) -> None:
        with pytest.raises(BodyTooLarge, match="larger than the 1 MB"):
            read(b"", max_body=1_000_000, environ_overrides={"CONTENT_LENGTH": "1000001"})

    @pytest.mark.parametrize("content_type", [FORM, "application/json"])
    def test_of_the_body_holds_for_one_without_a_length(self, content_type: str) -> None:
        data = REQUEST + file(b"x" * 999) + END
        chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}

        with pytest.raises(BodyTooLarge):
            read(data, content_type, max_body=len(data) - 1, environ_overrides=chunked)
        whole = read(data, FORM, max_body=len(data) + 1, environ_overrides=chunked)
        assert len(whole.files[0].data) == 999

    def test_of_the_files_stops_before_the_rest_is_kept(self) -> None:
        with pytest.raises(RequestInvalid, match="at most 3 file"):
            read(REQUEST + file(b"x") * 4)

    def test_of_the_document_is_two_megabytes(self) -> None:
        part = b'--b\r\nContent-Disposition: form-data; name="request"\r\n\r\n%b\r\n'

        assert len(read(part % (b" " * 2_000_000) + END).document) == 2_000_000
        with pytest.raises(RequestInvalid, match="longer than 2000000 bytes"):
            read(part % (b" " * 2_000_001) + END)

    def test_of_what_is_repeated_keeps_an_answer_short(self) -> None:
        with pytest.raises(RequestInvalid) as refusal:
            read(REQUEST + file(b"", f'name="{"n" * 100_000}"') + END)
        assert len(str(refusal.value)) < 200


class TestAName:
    @pytest.mark.parametrize("name", ["a.png", "x" * 255, "../a", "\N{ARTIST PALETTE}"])
    def test_that_can_be_stored_is_let_through(self, name: str) -> None:
        multipart.check([Upload(name, b"")], 1)

    @pytest.mark.parametrize("name", ["", "x" * 256, "a\0", "a\nb", "\x7f", "\ud800", "a\udfff"])
    def test_that_can_t_is_refused_by_its_position(self, name: str) -> None:
        with pytest.raises(RequestInvalid, match="file 2 is empty, too long or not plain text"):
            multipart.check([Upload("a.png", b""), Upload(name, b"")], 2)


def digest(data: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"


class TestAContentDigest:
    FORM_DATA = file(b"one") + REQUEST + END
    JSON = b'{"template": "T"}'

    def read(self, told: str, data: bytes = FORM_DATA, content_type: str = FORM) -> Body:
        return read(data, content_type, headers={"Content-Digest": told})

    def test_of_the_body_is_accepted(self) -> None:
        assert self.read(digest(self.FORM_DATA)).files[0].data == b"one"
        assert self.read(digest(self.JSON), self.JSON, "application/json").document == self.JSON

    @pytest.mark.parametrize("place", [FORM_DATA.index(b"one"), -1], ids=["file", "epilogue"])
    def test_of_another_body_is_refused(self, place: int) -> None:
        """What was changed on the way is still a form."""
        sent = self.FORM_DATA + b"epilogue"
        changed = bytearray(sent)
        changed[place] ^= 1

        with pytest.raises(DigestMismatch):
            self.read(digest(sent), bytes(changed))

    def test_of_another_document_is_refused(self) -> None:
        with pytest.raises(DigestMismatch):
            self.read(digest(self.JSON), self.JSON + b" ", "application/json")

    def test_is_found_among_others(self) -> None:
        told = f"sha-512=:AAAA:, {digest(self.FORM_DATA)}"
        assert self.read(told).files

        with pytest.raises(DigestMismatch):
            self.read(told, self.FORM_DATA + b"x")

    @pytest.mark.parametrize("told", ["", "sha-512=:AAAA:", "unixsum=1", "x-sha-256=:AAAA:"])
    def test_of_other_kinds_alone_is_left_unread(self, told: str) -> None:
        assert self.read(told).files

    @pytest.mark.parametrize("told", ["sha-256=:A:", "sha-256=:é:", "sha-256=:!!!!:"])
    def test_that_can_not_be_read_is_refused(self, told: str) -> None:
        with pytest.raises(RequestInvalid, match="Content-Digest"):
            self.read(told)


class Exhausted(io.BytesIO):
    def read(self, _size: int | None = -1) -> bytes:
        raise MemoryError

    readinto = read


def test_a_body_that_there_is_no_memory_for_is_not_called_malformed() -> None:
    request = {"input_stream": Exhausted(END), "content_type": FORM}
    with (
        flask.Flask("edge").test_request_context(method="POST", **request),
        pytest.raises(MemoryError),
    ):
        multipart.read(flask.request, 10, 3)
