"""Requests that are no requests: each function refuses them with a code, and goes on working."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from tests.draw import encoded, wrap
from tests.functions.functions_calls import NAMES, SELLER, WRAP, File, Site, form

ART: File = ("cup.png", encoded(wrap(1, 300, 137)))
ID = str(UUID(int=7))
FORM = "multipart/form-data; boundary=b"
VALID = {
    "dedupe": SELLER,
    "process": SELLER | {"design_id": ID},
    "persist": SELLER
    | {
        "design_id": ID,
        "filename": "a.png",
        "upload_sha256": "0" * 64,
        "print_file": {
            "sha256": "0" * 64,
            "size": 1,
            "width_px": 1,
            "height_px": 1,
            "dpi": 400,
        },
    },
    "upload": SELLER,
}


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    file = f'; filename="{filename}"' if filename is not None else ""
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


REQUEST = part("request", json.dumps(SELLER).encode())
FILE = part("file", b"x", "a.png")
END = b"--b--\r\n"

BODIES: dict[str, tuple[str | None, bytes]] = {
    "nothing at all": (None, b""),
    "an empty form": (FORM, b""),
    "a form that only ends": (FORM, END),
    "a form without a boundary": ("multipart/form-data", REQUEST + FILE + END),
    "a form with an empty boundary": ('multipart/form-data; boundary=""', REQUEST + FILE + END),
    "a form with another boundary": ("multipart/form-data; boundary=c", REQUEST + FILE + END),
    "a form cut in a file": (FORM, REQUEST + FILE[:-3]),
    "a form cut in a head": (FORM, REQUEST + b"--b\r\nContent-Dispos"),
    "a form cut before its end": (FORM, REQUEST + FILE),
    "a part without a disposition": (FORM, REQUEST + b"--b\r\nX: y\r\n\r\nz\r\n" + END),
    "a part without a head": (FORM, REQUEST + b"--b\r\n\r\n\r\nz\r\n" + END),
    "a head that is not UTF-8": (FORM, REQUEST + FILE.replace(b"a.png", b"\xff.png") + END),
    "no request part": (FORM, FILE + END),
    "two request parts": (FORM, REQUEST + REQUEST + FILE + END),
    "an unknown part": (FORM, REQUEST + part("extra", b"1") + FILE + END),
    "a part without a name": (
        FORM,
        REQUEST + b"--b\r\nContent-Disposition: form-data\r\n\r\nz\r\n" + END,
    ),
    "an empty request part": (FORM, part("request", b"") + FILE + END),
    "a request part of 3 MB": (FORM, part("request", b" " * 3_000_000) + FILE + END),
    "a head of 3 MB": (FORM, REQUEST + part("file", b"x", "a" * 3_000_000) + END),
    "3 MB before the form": (FORM, b"x" * 3_000_000 + REQUEST + FILE + END),
    "3 MB after the form": (FORM, REQUEST + FILE + END + b"x" * 3_000_000),
    "10,000 parts": (FORM, REQUEST + FILE * 10_000 + END),
    "10,000 fields": (FORM, REQUEST + part("extra", b"1") * 10_000 + END),
    "plain text": ("text/plain", json.dumps(SELLER).encode()),
    "a form as in a URL": ("application/x-www-form-urlencoded", b"template=UVDTF+16oz"),
    "JSON said to be a form": (FORM, json.dumps(SELLER).encode()),
    "a form said to be JSON": ("application/json", REQUEST + FILE + END),
    "no JSON": ("application/json", b"{"),
    "JSON in UTF-16": ("application/json", json.dumps(SELLER).encode("utf-16")),
    "JSON that is not UTF-8": ("application/json", b'{"template": "\xff"}'),
    "a list": ("application/json", b"[]"),
    "a number too long to be one": ("application/json", b"9" * 100_000),
    "deep nesting": ("application/json", nested(100_000).encode()),
    "deep nesting in a field": (
        "application/json",
        f'{{"template": {nested(100_000)}}}'.encode(),
    ),
    "a key twice, one of them wrong": ("application/json", b'{"template": 1, "template": 2}'),
}


def assert_refused(answer: Any) -> None:
    assert answer.status_code == 400, answer.text
    assert answer.mimetype == "application/json"
    assert answer.json.keys() == {"code", "message", "retryable", "request_id"}
    assert answer.json["code"] == "request_invalid"
    assert answer.json["retryable"] is False
    assert len(answer.json["message"]) < 400
    assert answer.headers["X-Request-Id"] == answer.json["request_id"]


@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_is_no_request_is_refused_by_each_function(bare: Site, body: str) -> None:
    content_type, data = BODIES[body]

    for name in NAMES:
        assert_refused(bare.client(name).post("/", data=data, content_type=content_type))


class TestAField:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"unknown": 1},
            {"x" * 5000: 1},
            {"template": None},
            {"template": ""},
            {"template": "a\0b"},
            {"template": "line\nbreak"},
            {"user_id": "a\0b"},
            {"user_id": "x" * 256},
            {"shop": ["Nook"]},
            {"shop": "\ud800"},
            {"shop": "\udfff\ud800"},
        ],
        ids=lambda wrong: str(wrong)[:30].encode("ascii", "backslashreplace").decode(),
    )
    def test_that_is_wrong_is_refused_by_each_function(
        self, bare: Site, wrong: dict[str, object]
    ) -> None:
        for name in NAMES:
            document = json.dumps(VALID[name] | wrong).encode()
            as_form = part("request", document) + FILE + END
            for data, content_type in ((document, "application/json"), (as_form, FORM)):
                assert_refused(bare.client(name).post("/", data=data, content_type=content_type))

    @pytest.mark.parametrize(
        "wrong",
        [
            {"hash_threshold": float("nan")},
            {"hash_threshold": float("inf")},
            {"hash_threshold": 10**400},
            {"hash_threshold": 32},
            {"hash_threshold": -1},
            {"first_position": -1},
            {"idempotency_key": ""},
            {"idempotency_key": "two words"},
            {"idempotency_key": "k" * 201},
            {"idempotency_key": "kéy"},
            {"policy": "none"},
            {"files": [{"filename": "a.png", "content": "not base64"}]},
            {"files": [{"filename": "a\0.png", "content": ""}]},
            {"files": [{"filename": "", "content": ""}]},
            {"files": [{"filename": "a.png"}]},
        ],
        ids=lambda wrong: str(wrong)[:50],
    )
    def test_of_dedupe_that_is_wrong_is_refused(self, bare: Site, wrong: dict[str, object]) -> None:
        document = json.dumps(SELLER | wrong)

        assert_refused(
            bare.client("dedupe").post("/", data=document, content_type="application/json")
        )

    @pytest.mark.parametrize(
        "wrong",
        [
            {"width_in": float("nan")},
            {"width_in": float("inf")},
            {"width_in": 0},
            {"width_in": -1},
            {"width_in": 1e9},
            {"dpi": 10**30},
            {"fit": "squeeze"},
            {"canvas_width_in": 4},
        ],
        ids=str,
    )
    def test_of_a_template_that_is_wrong_is_refused(
        self, bare: Site, wrong: dict[str, object]
    ) -> None:
        template = {"name": "Mug", "width_in": 1, "height_in": 1} | wrong

        answer = bare.post("process", VALID["process"] | {"template": template}, ART)

        assert_refused(answer)

    def test_that_names_both_a_design_and_a_file_or_neither_is_refused(self, bare: Site) -> None:
        for wrong in (SELLER, SELLER | {"design_id": ID, "filename": "a.png"}):
            assert_refused(bare.post("process", wrong, ART))


class TestAFileName:
    @pytest.mark.parametrize(
        "head",
        [
            'filename=""',
            "filename*=utf-8''a%00.png",
            'filename="a\x00b.png"',
            'filename="a\x1b[2Jb.png"',
            f'filename="{"x" * 300}"',
        ],
        ids=["empty", "NUL encoded", "NUL", "escape", "300 characters"],
    )
    @pytest.mark.parametrize("name", NAMES)
    def test_that_can_t_be_stored_is_refused(self, bare: Site, name: str, head: str) -> None:
        document = part("request", json.dumps(VALID[name]).encode())
        file = f'--b\r\nContent-Disposition: form-data; name="file"; {head}\r\n\r\nx\r\n'

        answer = bare.client(name).post("/", data=document + file.encode() + END, content_type=FORM)

        assert_refused(answer)
        assert "file 1" in answer.json["message"] or "malformed" in answer.json["message"]


class TestFiles:
    @pytest.mark.parametrize("name", ["dedupe", "process", "upload"])
    def test_are_missed_where_there_are_none(self, bare: Site, name: str) -> None:
        assert_refused(bare.post(name, VALID[name]))

    @pytest.mark.parametrize("name", ["process", "persist"])
    def test_are_too_many_where_one_is_meant(self, bare: Site, name: str) -> None:
        assert_refused(bare.post(name, VALID[name], ART, ART))

    @pytest.mark.parametrize("name", ["dedupe", "upload"])
    def test_are_too_many_above_the_setting(self, configure: Any, name: str) -> None:
        bare = configure(MAX_FILES="2", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")

        answer = bare.post(name, SELLER, ART, ART, ART)

        assert_refused(answer)
        assert "at most 2" in answer.json["message"]
        assert bare.post(name, SELLER, ART, ART).status_code == 503


class TestABody:
    @pytest.mark.parametrize("name", NAMES)
    def test_over_the_limit_is_refused_by_its_length_unread(
        self, configure: Any, name: str
    ) -> None:
        unread = Unread()

        answer = (
            configure(MAX_BODY_MB="1")
            .client(name)
            .post("/", environ_overrides=unread.environ(length=600_000_000))
        )

        assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")
        assert answer.headers["Connection"] == "close"
        assert unread.taken == 0

    @pytest.mark.parametrize("path", ["/healthz", "/openapi.json", "/robots.txt", "/nope"])
    def test_that_nobody_asked_for_is_left_unread(self, bare: Site, path: str) -> None:
        unread = Unread()

        bare.client("process").get(path, environ_overrides=unread.environ(length=600_000_000))

        assert unread.taken == 0

    @pytest.mark.parametrize("content_type", [FORM, "application/json"])
    @pytest.mark.parametrize("name", NAMES)
    def test_over_the_limit_without_a_length_is_refused_there(
        self, configure: Any, name: str, content_type: str
    ) -> None:
        endless = Unread(part("file", b"", "a.png")[:-2] if content_type == FORM else b"{")

        answer = (
            configure(MAX_BODY_MB="3")
            .client(name)
            .post("/", environ_overrides=endless.environ(content_type))
        )

        assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")
        assert endless.taken <= 3_000_001

    def test_within_the_limit_is_taken_in(self, configure: Any) -> None:
        bare = configure(MAX_BODY_MB="1", NAS_URL="memory://within")

        assert bare.post("process", VALID["process"], ART).status_code == 200

    def test_shorter_than_its_length_is_refused(self, bare: Site) -> None:
        whole = part("request", json.dumps(VALID["process"]).encode()) + FILE + END

        answer = bare.client("process").post(
            "/", data=whole[:-20], content_type=FORM, headers={"Content-Length": str(len(whole))}
        )

        assert_refused(answer)


class Unread:
    """A body without an end, and how many of its bytes were taken."""

    def __init__(self, start: bytes = b"") -> None:
        self._start = start
        self.taken = 0

    def environ(self, content_type: str = FORM, length: int | None = None) -> dict[str, object]:
        """What gunicorn passes on of such a body; without a length it is chunked."""
        framing = (
            {"HTTP_TRANSFER_ENCODING": "chunked"}
            if length is None
            else {"CONTENT_LENGTH": str(length)}
        )
        return {
            "wsgi.input": self,
            "wsgi.input_terminated": True,
            "CONTENT_TYPE": content_type,
            **framing,
        }

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "a body is never read in one piece"
        content = (self._start + b"x" * size)[:size]
        self._start = self._start[size:]
        self.taken += size
        return content


def test_bad_strings_leave_no_trace_in_later_requests(site: Site) -> None:
    client = site.client("dedupe")

    for bad in ("\ud800", "a\0b", "\udfff"):
        for field in ("user_id", "shop", "template", "idempotency_key"):
            document = json.dumps(SELLER | {field: bad})
            assert_refused(client.post("/", data=document, content_type="application/json"))

    assert [client.post("/", **form(SELLER, ART)).status_code for _ in range(5)] == [200] * 5
    assert site.post("dedupe", SELLER | {"template": "Ünknown 🎨"}, ART).status_code == 422
    assert site.post("dedupe", SELLER | {"template": WRAP}, ART).status_code == 200
