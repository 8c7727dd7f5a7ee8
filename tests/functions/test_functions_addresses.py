"""What each function answers at which address, to which method."""

from __future__ import annotations

import json
from itertools import product

import pytest

from tests.functions.conftest import Configure
from tests.functions.functions_calls import EVERY, ROOT, Site

FAILURE = {"code", "message", "retryable", "request_id"}


@pytest.fixture(params=EVERY)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class TestAnAddress:
    @pytest.mark.parametrize(
        "method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]
    )
    def test_of_the_work_takes_post_only(self, bare: Site, name: str, method: str) -> None:
        answer = bare.client(name).open("/", method=method)

        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
        assert answer.json.keys() == FAILURE
        assert answer.json["code"] == "method_not_allowed"

    @pytest.mark.parametrize("path", ["/healthz", "/readyz", "/openapi.json"])
    def test_of_a_question_takes_get_and_head_only(self, bare: Site, name: str, path: str) -> None:
        client = bare.client(name)

        refused = client.post(path)
        assert (refused.status_code, refused.headers["Allow"]) == (405, "GET")
        assert client.head("/healthz").status_code == 200

    @pytest.mark.parametrize(
        "path",
        [
            "/nope",
            "/healthz/",
            "/HEALTHZ",
            "/index.html",
            "/robots.txt",
            "/favicon.ico",
            "/..%2f..%2fetc/passwd",
            "/%00",
            "/a//b",
            "/\N{SNOWMAN}",
        ],
    )
    def test_that_is_none_answers_404_as_json(self, bare: Site, path: str) -> None:
        for name, method in product(EVERY, ["GET", "POST"]):
            answer = bare.client(name).open(path, method=method, headers={"Host": "evil.example"})

            assert answer.status_code == 404
            assert answer.json.keys() == FAILURE
            assert answer.json["code"] == "path_unknown"
            assert "evil" not in str(answer.headers) + answer.text


class TestHealth:
    def test_is_answered_while_everything_else_is_away(self, bare: Site, name: str) -> None:
        answer = bare.client(name).get("/healthz")

        assert (answer.status_code, answer.json) == (200, {"status": "ok"})


class TestReadiness:
    def test_is_answered_when_database_and_nas_are_there(self, site: Site) -> None:
        for name in EVERY:
            answer = site.client(name).get("/readyz")
            assert (answer.status_code, answer.json) == (200, {"status": "ready"})

    def test_is_503_with_a_code_when_the_database_is_away(self, bare: Site) -> None:
        answers = {name: bare.client(name).get("/readyz") for name in EVERY}

        assert answers.pop("process").status_code == 200
        for answer in answers.values():
            assert (answer.status_code, answer.json["code"]) == (503, "database_unavailable")
            assert answer.json["retryable"] is True
            assert answer.headers["Retry-After"] == "2"

    def test_is_503_with_a_code_when_the_nas_is_away(
        self, configure: Configure, database_url: str
    ) -> None:
        site = configure(
            DATABASE_URL=database_url,
            NAS_URL="smb://shop@127.0.0.1:1/Graphics",
            NAS_PASSWORD="any",  # noqa: S106 - nobody is asked for it
            NAS_TIMEOUT_S="1",
        )

        answers = {name: site.client(name).get("/readyz") for name in EVERY}

        assert answers.pop("dedupe").status_code == 200
        for answer in answers.values():
            assert (answer.status_code, answer.json["code"]) == (503, "nas_unavailable")
            assert "127.0.0.1" not in answer.text
        site.parts.close()


def test_the_document_served_is_the_one_checked_in(bare: Site, name: str) -> None:
    answer = bare.client(name).get("/openapi.json")

    checked_in = (ROOT / "docs" / "openapi" / f"{name}.json").read_text(encoding="utf-8")
    assert answer.mimetype == "application/json"
    assert answer.json == json.loads(checked_in)
