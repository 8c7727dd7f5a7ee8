"""The idempotency key of a request: in a header, in a field, or made for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.draw import encoded, wrap
from tests.functions.functions_calls import SELLER, File, Site, form

ART: File = ("cup.png", encoded(wrap(1, 300, 137)))
OTHER: File = ("other.png", encoded(wrap(2, 300, 137)))
HEADER = "Idempotency-Key"


def post(
    site: Site, name: str, file: File, *, header: str | None = None, field: str | None = None
) -> TestResponse:
    request = SELLER | ({"idempotency_key": field} if field else {})
    headers = {HEADER: header} if header is not None else {}
    return site.client(name).post("/", **form(request, file), headers=headers)


def result(answer: TestResponse) -> dict[str, Any]:
    return dict(json.loads(answer.get_data().splitlines()[-1])["result"])


@pytest.mark.parametrize("name", ["dedupe", "upload"])
class TestAKey:
    @pytest.mark.parametrize(
        ("given", "used"),
        [
            ({"header": "k-1"}, "k-1"),
            ({"header": '"k-1"'}, "k-1"),
            ({"field": "k-1"}, "k-1"),
            ({"header": "k-1", "field": "k-1"}, "k-1"),
        ],
    )
    def test_is_taken_from_the_header_or_the_field_and_named_in_both(
        self, site: Site, name: str, given: dict[str, str], used: str
    ) -> None:
        answer = post(site, name, ART, **given)

        assert answer.headers[HEADER] == used
        told = answer.json if name == "dedupe" else result(answer)
        assert told["idempotency_key"] == used

    def test_is_made_for_each_request_that_has_none(self, site: Site, name: str) -> None:
        answers = [post(site, name, ART) for _ in range(2)]

        told = [each.json if name == "dedupe" else result(each) for each in answers]
        assert [each.headers[HEADER] for each in answers] == [
            each["idempotency_key"] for each in told
        ]
        assert len({each["idempotency_key"] for each in told}) == 2

    @pytest.mark.parametrize("header", ["", '""', "two words", "x" * 201, "Schlüssel"])
    def test_that_is_none_is_refused(self, bare: Site, name: str, header: str) -> None:
        answer = post(bare, name, ART, header=header)

        assert (answer.status_code, answer.json["code"]) == (400, "request_invalid")
        assert HEADER in answer.json["message"]

    def test_in_the_header_other_than_in_the_field_is_refused(self, bare: Site, name: str) -> None:
        answer = post(bare, name, ART, header="k-1", field="k-2")

        assert (answer.status_code, answer.json["code"]) == (400, "request_invalid")
        assert "not the same" in answer.json["message"]


def test_the_same_key_gives_the_same_designs_and_without_one_it_is_a_duplicate(site: Site) -> None:
    first = result(post(site, "upload", ART, header="k-1"))
    again = result(post(site, "upload", ART, field="k-1"))
    new = result(post(site, "upload", ART))

    assert again["designs"] == first["designs"] != []
    assert [each["outcomes"][0]["outcome"] for each in (first, again, new)] == [
        *["created"] * 2,
        "duplicate",
    ]


def test_another_file_under_the_key_is_refused(site: Site) -> None:
    post(site, "upload", ART, header="k-1").get_data()

    outcome = result(post(site, "upload", OTHER, header="k-1"))["outcomes"][0]

    assert (outcome["outcome"], outcome["code"]) == ("failed", "idempotency_key_reused")


def test_a_step_that_takes_a_design_id_needs_no_key_and_minds_none(bare: Site) -> None:
    request = SELLER | {"design_id": "6f0c1c5e-0d0b-4d8e-9b57-2f2d8f4b7a11"}

    answer = bare.client("process").post("/", **form(request, ART), headers={HEADER: "k-1"})

    assert answer.status_code == 200
    assert HEADER not in answer.headers
