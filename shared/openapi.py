"""The OpenAPI 3.1 document of a function, made from its request and response models."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.messages import Event, Failure

if TYPE_CHECKING:
    from shared.endpoint import Endpoint

_REF = "#/components/schemas/{model}"
_FILES: dict[str, dict[str, Any]] = {
    "one": {"file": {"type": "string", "format": "binary"}},
    "optional": {"file": {"type": "string", "format": "binary"}},
    "none": {},
    "many": {"files": {"type": "array", "items": {"type": "string", "format": "binary"}}},
}
_FAILURES = {
    400: "The request can't be read.",
    409: "What is there already stands against it.",
    413: "The request is too large.",
    422: "The file, template or name can't be used.",
    503: "The database or the NAS is away; try again.",
}


def document(endpoint: Endpoint) -> dict[str, Any]:
    """The document of one function, as JSON values."""
    answered: list[type[BaseModel]] = [*endpoint.responses.values(), Failure]
    _, schemas = models_json_schema(
        [(endpoint.request, "validation"), *((model, "serialization") for model in answered)],
        ref_template=_REF,
    )
    answers = {
        str(status): _answer(HTTPStatus(status).phrase, model.__name__, model is Event)
        for status, model in endpoint.responses.items()
    }
    answers |= {str(status): _answer(text, "Failure") for status, text in _FAILURES.items()}
    answers["default"] = _answer("Any other failure, in the same form.", "Failure")
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Platen {endpoint.name}", "version": "1"},
        "paths": {
            "/": {
                "post": {
                    "operationId": endpoint.name,
                    "summary": endpoint.summary,
                    **_parameters(endpoint),
                    "requestBody": {"required": True, "content": _content(endpoint)},
                    "responses": answers,
                }
            },
            "/healthz": {"get": _plain("health", "Whether the function runs.")},
            "/readyz": {"get": _plain("ready", "Whether what the function needs answers.", 503)},
        },
        "components": {"schemas": schemas["$defs"]},
    }


def text(value: dict[str, Any]) -> str:
    """A document as it is served and checked in."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _parameters(endpoint: Endpoint) -> dict[str, Any]:
    """The header that stands for the field of its name, where there is one."""
    schema = endpoint.request.model_json_schema().get("properties", {}).get("idempotency_key")
    if schema is None:
        return {}
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The same as the field idempotency_key; the answer has it too.",
        "schema": schema["anyOf"][0],
    }
    return {"parameters": [key]}


def _content(endpoint: Endpoint) -> dict[str, Any]:
    message: dict[str, Any] = {"$ref": _REF.format(model=endpoint.request.__name__)}
    files = _FILES[endpoint.files]
    form = {
        "type": "object",
        "properties": {"request": message, **files},
        "required": ["request", *(files if endpoint.files in ("one", "many") else [])],
    }
    return {
        "multipart/form-data": {
            "schema": form,
            "encoding": {"request": {"contentType": "application/json"}},
        },
        "application/json": {"schema": message},
    }


def _answer(description: str, model: str, streamed: bool = False) -> dict[str, Any]:
    schema = {"schema": {"$ref": _REF.format(model=model)}}
    kinds = ["application/x-ndjson", "text/event-stream"] if streamed else ["application/json"]
    return {"description": description, "content": dict.fromkeys(kinds, schema)}


def _plain(name: str, summary: str, *failures: int) -> dict[str, Any]:
    ok = {"description": "Yes", "content": {"application/json": {"schema": {"type": "object"}}}}
    others = {str(status): _answer(_FAILURES[status], "Failure") for status in failures}
    return {"operationId": name, "summary": summary, "responses": {"200": ok, **others}}
