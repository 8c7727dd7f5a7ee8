"""The functions' documents: valid OpenAPI 3.1, current, and true."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from infra.openapi import FOLDER, documents
from shared import wiring
from shared.driver import stream
from shared.endpoint import STATUS, Endpoint
from shared.openapi import document

ENDPOINTS = [wiring.DEDUPE, wiring.PROCESS, wiring.PERSIST, wiring.RECONCILE, stream.UPLOAD]


@pytest.fixture(params=ENDPOINTS, ids=lambda endpoint: endpoint.name)
def endpoint(request: pytest.FixtureRequest) -> Endpoint:
    found: Endpoint = request.param
    return found


class TestTheDocument:
    def test_is_valid_openapi_3_1(self, endpoint: Endpoint) -> None:
        made = document(endpoint)

        assert made["openapi"].startswith("3.1.")
        OpenAPIV31SpecValidator(made).validate()

    def test_names_both_forms_of_the_request(self, endpoint: Endpoint) -> None:
        content = document(endpoint)["paths"]["/"]["post"]["requestBody"]["content"]

        assert content.keys() == {"multipart/form-data", "application/json"}
        reference = {"$ref": f"#/components/schemas/{endpoint.request.__name__}"}
        assert content["application/json"]["schema"] == reference
        assert content["multipart/form-data"]["schema"]["properties"]["request"] == reference

    def test_tells_of_every_answer_or_of_any_other(self, endpoint: Endpoint) -> None:
        answers = document(endpoint)["paths"]["/"]["post"]["responses"]

        assert {str(status) for status in endpoint.responses} <= answers.keys()
        assert "default" in answers
        failures = answers.keys() - {str(status) for status in endpoint.responses} - {"default"}
        assert failures <= {str(status) for status in STATUS.values()}

    def test_has_no_schema_that_is_not_used(self, endpoint: Endpoint) -> None:
        made = document(endpoint)
        text = json.dumps(made)

        for name in made["components"]["schemas"]:
            assert f'"#/components/schemas/{name}"' in text


def test_of_the_upload_function_answers_streams() -> None:
    answer = document(stream.UPLOAD)["paths"]["/"]["post"]["responses"]["200"]

    assert answer["content"].keys() == {"application/x-ndjson", "text/event-stream"}


def test_of_persist_has_created_and_known_apart() -> None:
    answers = document(wiring.PERSIST)["paths"]["/"]["post"]["responses"]

    assert schema(answers["201"]) == schema(answers["200"])
    assert schema(answers["409"]) == {"$ref": "#/components/schemas/Failure"}


def schema(answer: dict[str, Any]) -> Any:
    return answer["content"]["application/json"]["schema"]


@pytest.mark.parametrize("path", documents(), ids=lambda path: Path(path).name)
def test_the_file_checked_in_is_current(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == documents()[path], "run: make openapi"


def test_no_file_is_left_of_a_function_that_is_gone() -> None:
    assert set(FOLDER.iterdir()) == set(documents())
