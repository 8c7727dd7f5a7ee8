"""dedupe, process and persist by hand, as a client of the deployed functions calls them."""

from __future__ import annotations

import hashlib
import importlib
import io
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import flask
import pytest
from PIL import Image
from werkzeug.datastructures import FileStorage

from tests.draw import encoded, text, wrap
from tests.functions.functions_calls import (
    SELLER,
    WRAP,
    File,
    Site,
    inline,
    to_persist,
)

ART: File = ("cup.png", encoded(wrap(1, 600, 274)))


def function(name: str) -> Callable[[flask.Request], flask.Response]:
    return getattr(importlib.import_module(f"functions.{name}.main"), name)  # type: ignore[no-any-return]


def called(name: str, **request: Any) -> flask.Response:
    """Call a function with a Flask request, without the framework's app around it."""
    with flask.Flask("anywhere").test_request_context(method="POST", **request):
        return function(name)(flask.request)


class TestARound:
    def test_checks_prepares_and_files_an_upload(self, site: Site) -> None:
        (finding,) = site.post("dedupe", SELLER, ART).json["files"]
        assert (finding["verdict"], finding["tier"], finding["match"]) == ("unique", None, None)

        processed = site.process(ART, finding["design_id"])
        answer = site.post("persist", to_persist(processed, "cup.png"))

        assert answer.status_code == 201
        design = answer.json["design"]
        assert design["id"] == finding["design_id"]
        assert design["file_path"] == f"/share/Graphics/NookTransfers/Nook/{WRAP}/UV_001.png"
        assert design["is_active"] is True
        assert design["phash"] == finding["fingerprint"]["phash"]
        (png,) = site.on_nas().values()
        assert hashlib.sha256(png).hexdigest() == processed["print_file"]["sha256"]
        assert Image.open(io.BytesIO(png)).size == (3800, 1732)

    def test_persist_takes_the_normal_form_that_dedupe_made(self, site: Site) -> None:
        (finding,) = site.post("dedupe", SELLER | {"normal_form": True}, ART).json["files"]
        made = site.process(ART, finding["design_id"])
        spared = site.process(ART, finding["design_id"], normal_form=False)
        handed = spared | {"normal_form": finding["normal_form"]}
        design = site.post("persist", to_persist(handed, "cup.png")).json["design"]

        assert finding["normal_form"] == made["normal_form"]
        assert spared["normal_form"] is None
        assert "normal_form" not in spared["timings_ms"]
        assert design["phash"] == finding["fingerprint"]["phash"]

    def test_names_the_time_of_each_step(self, site: Site) -> None:
        (finding,) = site.post("dedupe", SELLER, ART).json["files"]
        processed = site.process(ART, finding["design_id"])
        persisted = site.post("persist", to_persist(processed, "cup.png")).json

        assert {"decode", "hash", "batch", "exact", "hamming", "total"} <= set(
            finding["timings_ms"]
        )
        assert {"decode", "resize", "encode", "nas", "total"} <= set(processed["timings_ms"])
        assert {"hash", "database", "nas", "total"} <= set(persisted["timings_ms"])

    def test_finds_the_design_in_the_next_request(self, site: Site) -> None:
        (first,) = site.post("dedupe", SELLER, ART).json["files"]
        site.post("persist", to_persist(site.process(ART, first["design_id"]), "cup.png"))

        (again,) = site.post("dedupe", SELLER, ART).json["files"]

        assert (again["verdict"], again["tier"]) == ("duplicate", "exact")
        match = again["match"]
        assert match["design_id"] == first["design_id"]
        assert match["filename"] == "UV_001.png"
        assert match["distances"] == dict.fromkeys(("phash", "ahash", "dhash", "whash", "index"), 0)

    def test_finds_a_copy_within_one_request(self, site: Site) -> None:
        files = site.post("dedupe", SELLER, ART, ("copy.png", ART[1])).json["files"]

        assert [found["verdict"] for found in files] == ["unique", "duplicate"]
        assert files[1]["tier"] == "batch"
        assert files[1]["match"]["design_id"] == files[0]["design_id"]

    def test_tells_of_a_file_that_is_no_image_and_checks_the_others(self, site: Site) -> None:
        answer = site.post("dedupe", SELLER, ("notes.png", b"not a picture"), ART)

        assert answer.status_code == 200
        broken, fine = answer.json["files"]
        assert broken["error"]["code"] == "unsupported_format"
        assert broken["verdict"] is None
        assert fine["verdict"] == "unique"

    def test_works_with_files_inside_json(self, site: Site) -> None:
        (finding,) = (
            site.client("dedupe").post("/", json=SELLER | {"files": [inline(ART)]}).json["files"]
        )
        processed = site.client("process").post(
            "/", json=SELLER | {"design_id": finding["design_id"], "file": inline(ART)}
        )
        assert processed.status_code == 200

        persisted = site.client("persist").post("/", json=to_persist(processed.json, "cup.png"))

        assert persisted.status_code == 201
        assert persisted.json["design"]["source_filename"] == "cup.png"


class TestPersist:
    def test_sent_again_answers_200_with_the_same_design(self, site: Site) -> None:
        request = to_persist(site.process(ART, uuid4()), "cup.png")
        first = site.post("persist", request)

        again = site.post("persist", request)

        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json["design"] == first.json["design"]
        assert list(site.on_nas()) == ["UV_001.png"]

    def test_answers_409_with_the_match_when_a_duplicate_got_in_first(self, site: Site) -> None:
        first = site.post("persist", to_persist(site.process(ART, uuid4()), "cup.png")).json
        late = to_persist(site.process(ART, uuid4()), "late.png")

        answer = site.post("persist", late)

        assert answer.status_code == 409
        assert answer.json["code"] == "duplicate"
        assert answer.json["match"]["design_id"] == first["design"]["id"]
        assert answer.json["match"]["file_path"] == first["design"]["file_path"]
        assert list(site.on_nas()) == ["UV_001.png"]
        assert list(site.on_nas(".platen")) == []

    def test_files_a_duplicate_that_is_wanted(self, site: Site) -> None:
        site.post("persist", to_persist(site.process(ART, uuid4()), "cup.png"))
        wanted = to_persist(site.process(ART, uuid4()), "cup.png", allow_duplicate=True)

        answer = site.post("persist", wanted)

        assert answer.status_code == 201
        assert answer.json["design"]["filename"] == "UV_002.png"

    def test_takes_the_uploads_bytes_instead_of_the_normal_form(self, site: Site) -> None:
        file = ("words.png", encoded(text("halo")))
        processed = site.process(file, uuid4())
        (finding,) = site.post("dedupe", SELLER, file).json["files"]

        answer = site.post("persist", to_persist(processed, file[0], normal_form=None), file)

        assert answer.status_code == 201
        for name in ("phash", "ahash", "dhash", "whash"):
            assert answer.json["design"][name] == finding["fingerprint"][name]

    def test_refuses_what_no_fingerprint_can_be_made_of(self, site: Site) -> None:
        request = to_persist(site.process(ART, uuid4()), "cup.png")
        whole = request["normal_form"]
        other = ("cup.png", encoded(wrap(2, 600, 274)))

        answers = [
            site.post("persist", request | {"normal_form": None}),
            site.post("persist", request | {"normal_form": None}, other),
            *(
                site.post("persist", request | {"normal_form": damaged})
                for damaged in ("", "AAAA", "%%%", whole[:-40], "A" * 500_000)
            ),
        ]

        assert {(answer.status_code, answer.json["code"]) for answer in answers} == {
            (400, "request_invalid")
        }
        assert site.on_nas() == {}

    def test_answers_409_when_nothing_is_staged(self, site: Site) -> None:
        request = to_persist(site.process(ART, uuid4()), "cup.png", design_id=str(uuid4()))

        answer = site.post("persist", request)

        assert (answer.status_code, answer.json["code"]) == (409, "staged_file_missing")
        assert answer.json["retryable"] is True

    @pytest.mark.parametrize(
        ("part", "field", "value"),
        [
            ("preflight", "width_in", float("nan")),
            ("preflight", "scale", float("inf")),
            ("print_file", "width_px", 2**31),
            ("print_file", "height_px", 2**31),
            ("print_file", "dpi", 2**31),
            ("print_file", "size", 0),
        ],
    )
    def test_refuses_facts_that_a_row_can_t_hold(
        self, bare: Site, part: str, field: str, value: float
    ) -> None:
        request = to_persist(bare.process(ART, uuid4(), digital=True), "cup.png")
        request[part][field] = value

        answer = bare.post("persist", request)

        assert (answer.status_code, answer.json["code"]) == (400, "request_invalid")
        assert f"{part}.{field}" in answer.json["message"]


class TestProcessWithAFileName:
    REQUEST = SELLER | {"filename": "UV_906_cup.png"}

    def test_publishes_at_once(self, bare: Site) -> None:
        answer = bare.post("process", self.REQUEST, ART)

        assert answer.status_code == 200
        assert (
            answer.json["file_path"] == f"/share/Graphics/NookTransfers/Nook/{WRAP}/UV_906_cup.png"
        )
        (png,) = bare.on_nas().values()
        assert hashlib.sha256(png).hexdigest() == answer.json["print_file"]["sha256"]
        assert list(bare.on_nas(".platen")) == []

    def test_may_be_sent_again_with_the_same_bytes(self, bare: Site) -> None:
        answers = [bare.post("process", self.REQUEST, ART) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].json["print_file"] == answers[1].json["print_file"]

    def test_never_replaces_other_bytes(self, bare: Site) -> None:
        bare.post("process", self.REQUEST, ART)
        before = bare.on_nas()

        answer = bare.post("process", self.REQUEST, ("other.png", encoded(wrap(2, 600, 274))))

        assert (answer.status_code, answer.json["code"]) == (409, "name_taken")
        assert bare.on_nas() == before

    @pytest.mark.parametrize(
        "filename", ["../up.png", "a/b.png", "a\\b.png", "CON.png", "a:b.png", ".png", "x" * 200]
    )
    def test_refuses_a_name_that_leads_elsewhere(self, bare: Site, filename: str) -> None:
        answer = bare.post("process", SELLER | {"filename": filename}, ART)

        assert (answer.status_code, answer.json["code"]) == (422, "name_invalid")


class TestProcess:
    def test_needs_no_database(self, bare: Site) -> None:
        assert bare.process(ART, uuid4())["print_file"]["width_px"] == 3800

    def test_staged_again_is_harmless(self, bare: Site) -> None:
        design = uuid4()

        assert bare.process(ART, design)["print_file"] == bare.process(ART, design)["print_file"]

    def test_stages_other_bytes_for_the_same_design_beside_the_first(self, bare: Site) -> None:
        design = uuid4()
        first = bare.process(ART, design)["print_file"]

        other = bare.process(("other.png", encoded(wrap(2, 600, 274))), design)["print_file"]

        assert first["sha256"] != other["sha256"]

    def test_takes_a_template_in_full(self, bare: Site) -> None:
        own = {"name": "Mug", "width_in": 1, "height_in": 0.5, "dpi": 200}

        processed = bare.process(ART, uuid4(), template=own)

        sizes = processed["print_file"]
        assert (sizes["width_px"], sizes["height_px"], sizes["dpi"]) == (200, 100, 200)

    @pytest.mark.parametrize(
        ("file", "code"),
        [
            (b"", "empty_file"),
            (b"plain text", "unsupported_format"),
            (ART[1][:200], "corrupt_image"),
            (encoded(Image.new("RGBA", (40, 40))), "fully_transparent"),
        ],
    )
    def test_refuses_a_file_with_a_stable_code(self, bare: Site, file: bytes, code: str) -> None:
        answer = bare.post("process", SELLER | {"design_id": str(uuid4())}, ("a.png", file))

        assert (answer.status_code, answer.json["code"]) == (422, code)
        assert answer.json["retryable"] is False


class TestACallWithoutTheFramework:
    def test_answers_as_the_served_function_does(self, site: Site) -> None:
        data = {
            "request": json.dumps(SELLER),
            "file": FileStorage(io.BytesIO(ART[1]), filename="cup.png"),
        }
        called_directly = called("dedupe", data=data, content_type="multipart/form-data")

        assert called_directly.status_code == 200
        (finding,) = called_directly.json["files"]
        (served,) = site.post("dedupe", SELLER, ART).json["files"]
        assert finding["fingerprint"] == served["fingerprint"]

    def test_of_every_function_works_in_one_process(self, site: Site) -> None:
        (finding,) = called("dedupe", json=SELLER | {"files": [inline(ART)]}).json["files"]
        processed = called(
            "process", json=SELLER | {"design_id": finding["design_id"], "file": inline(ART)}
        ).json
        persisted = called("persist", json=to_persist(processed, "cup.png"))
        uploaded = called("upload", json=SELLER | {"files": [inline(ART)]})

        assert persisted.status_code == 201
        result = json.loads(uploaded.get_data().splitlines()[-1])["result"]
        assert result["outcomes"][0]["match"]["design_id"] == finding["design_id"]
        assert list(site.on_nas()) == ["UV_001.png"]
