"""Calls of the functions, over test clients and directly."""

from __future__ import annotations

import base64
import io
import json
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import flask
import functions_framework
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from shared import wiring
from shared.wiring import Parts

ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = ["dedupe", "process", "persist", "upload"]
"""The functions that take files in."""
EVERY = [*NAMES, "reconcile"]
WRAP = "UVDTF 16oz"
SELLER = {"user_id": "seller", "shop": "Nook", "template": WRAP}

File = tuple[str, bytes]


@cache
def app(name: str) -> flask.Flask:
    """The app that functions-framework makes of a function's file: it keeps no settings."""
    made: flask.Flask = functions_framework.create_app(
        name, str(ROOT / "functions" / name / "main.py")
    )
    return made


class Site:
    """The functions of one process."""

    @property
    def parts(self) -> Parts:
        return wiring.parts()

    def client(self, name: str) -> FlaskClient:
        return app(name).test_client()

    def post(self, name: str, request: dict[str, Any], *files: File) -> TestResponse:
        return self.client(name).post("/", **form(request, *files))

    def process(self, file: File, design_id: UUID | str, **request: object) -> dict[str, Any]:
        """What process answers when it stages a file."""
        answer = self.post("process", {**SELLER, "design_id": str(design_id)} | request, file)
        assert answer.status_code == 200, answer.text
        return dict(answer.json)

    def on_nas(self, folder: str = f"NookTransfers/Nook/{WRAP}") -> dict[str, bytes]:
        return {
            entry.path.rpartition("/")[2]: self.parts.nas.read(entry.path) or b""
            for entry in self.parts.nas.list(folder)
        }


def form(request: dict[str, Any], *files: File) -> dict[str, Any]:
    """A multipart request, as a client's arguments."""
    parts = [("files", (io.BytesIO(content), name)) for name, content in files]
    return {
        "data": {"request": json.dumps(request), "files": [part for _, part in parts]},
        "content_type": "multipart/form-data",
    }


def inline(file: File) -> dict[str, str]:
    """A file inside a JSON request."""
    name, content = file
    return {"filename": name, "content": base64.b64encode(content).decode()}


def to_persist(processed: dict[str, Any], filename: str, **request: object) -> dict[str, Any]:
    """The request to persist what process answered."""
    passed_on = ("design_id", "upload_sha256", "print_file", "preflight", "normal_form")
    return SELLER | {"filename": filename} | {name: processed[name] for name in passed_on} | request
