"""Verdicts and held files over HTTP: functions by hand, the upload stream, a driver before them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image

from shared.driver.transports import Http
from shared.driver.workflow import upload
from shared.messages import UploadRequest
from shared.settings import Settings
from shared.wiring import Parts
from tests.draw import encoded, marked, wrap
from tests.functions.functions_calls import SELLER, WRAP, File, Site, to_persist
from tests.functions.functions_server import serving

PICTURE = wrap(1, 320, 146)
ART: File = ("art.png", encoded(PICTURE))
HALF: File = ("half.png", encoded(PICTURE.resize((160, 73), Image.Resampling.LANCZOS)))
GREY: File = ("grey.png", encoded(PICTURE.convert("L").convert("RGB")))
MARKED: File = ("marked.png", encoded(marked(PICTURE)))
DIGITAL = {"digital": True}
FOLDER = f"NookTransfers/Nook/Digital/{WRAP}"


def file(site: Site, upload: File, **request: object) -> Any:
    processed = site.process(upload, uuid4(), **DIGITAL)
    return site.post("persist", to_persist(processed, upload[0], **DIGITAL | request))


class TestByHand:
    def test_dedupe_tells_each_verdict_with_its_evidence(self, site: Site) -> None:
        filed = file(site, ART).json["design"]

        found = site.post("dedupe", SELLER, HALF, MARKED, GREY).json["files"]

        assert [(one["verdict"], one["match"]["test"]) for one in found] == [
            ("duplicate", "signature"),
            ("similar", "likeness"),
            ("variant", "colour"),
        ]
        for one in found[:2]:
            assert one["match"]["design_id"] == filed["id"]
            assert one["match"]["file_path"] == filed["file_path"]
            assert set(one["match"]["distances"]) == {"phash", "ahash", "dhash", "whash", "index"}

    def test_persist_answers_409_where_what_is_similar_is_held(self, site: Site) -> None:
        filed = file(site, ART).json["design"]

        answer = file(site, MARKED, review="hold")

        assert (answer.status_code, answer.json["code"]) == (409, "similar")
        assert answer.json["retryable"] is False
        assert answer.json["match"]["design_id"] == filed["id"]
        assert answer.json["match"]["verdict"] == "similar"
        assert list(site.on_nas(FOLDER)) == ["Digital_001.png"]
        assert list(site.on_nas(".platen")) == []

    def test_persist_files_it_where_it_is_allowed_or_nothing_is_held(self, site: Site) -> None:
        file(site, ART)

        answers = [file(site, GREY, review="hold"), file(site, MARKED, allow_duplicate=True)]

        assert [answer.status_code for answer in answers] == [201, 201]

    @pytest.mark.parametrize(
        "wrong", [{"review": "never"}, {"policy": "guess"}, {"hash_threshold": 32}]
    )
    def test_dedupe_refuses_what_it_can_t_judge_by(
        self, bare: Site, wrong: dict[str, object]
    ) -> None:
        answer = bare.post("dedupe", SELLER | wrong, ART)

        assert (answer.status_code, answer.json["code"]) == (400, "request_invalid")


class TestUpload:
    def take(self, site: Site, *files: File, **request: object) -> dict[str, Any]:
        answer = site.post("upload", SELLER | DIGITAL | request, *files)
        assert answer.status_code == 200
        result: dict[str, Any] = json.loads(answer.get_data().splitlines()[-1])["result"]
        return result

    def test_streams_what_is_held_as_an_outcome_of_its_own(self, site: Site) -> None:
        self.take(site, ART)

        result = self.take(site, MARKED, HALF, GREY, review="hold")

        assert [(one["outcome"], one["code"]) for one in result["outcomes"]] == [
            ("held", "similar"),
            ("duplicate", "duplicate"),
            ("created", None),
        ]
        assert result["summary"]["held"] == 1
        assert sorted(site.on_nas(FOLDER)) == ["Digital_001.png", "Digital_002.png"]

    def test_takes_the_positions_that_are_allowed(self, site: Site) -> None:
        self.take(site, ART)

        result = self.take(site, HALF, MARKED, HALF, review="hold", allow_duplicate=[1, 2, 9])

        assert [one["outcome"] for one in result["outcomes"]] == ["duplicate", "created", "created"]

    def test_refuses_positions_below_none(self, site: Site) -> None:
        answer = site.post("upload", SELLER | {"allow_duplicate": [-1]}, ART)

        assert (answer.status_code, answer.json["code"]) == (400, "request_invalid")


def test_the_driver_over_http_files_reports_and_holds_as_in_one_process(
    database_url: str, tmp_path: Path
) -> None:
    """The deployed persist holds, by its own setting, what the driver would have filed."""
    environment = {"DATABASE_URL": database_url, "PLATEN_HOME": str(tmp_path)}
    with (
        serving("dedupe", "process", **environment) as (dedupe, process),
        serving("persist", **environment, DUPLICATE_REVIEW="hold") as (persist,),
    ):
        own = Settings(
            dedupe_url=dedupe.url, process_url=process.url, persist_url=persist.url, _env_file=None
        )
        parts = Parts(own)

        def take(*files: File, **request: object) -> list[tuple[str, str | None, str | None]]:
            asked = UploadRequest.model_validate(SELLER | DIGITAL | request)
            sources = [parts.source(*one) for one in files]
            result = upload(sources, asked, Http(own), own, parts.executor, 2)
            return [
                (one.outcome.value, one.code, one.match.test if one.match else None)
                for one in result.outcomes
            ]

        batch = take(ART, HALF, MARKED, review="hold")
        late = take(MARKED)
        allowed = take(MARKED, allow_duplicate=[0])
        variant = take(GREY)
        parts.close()

    assert batch == [
        ("created", None, None),
        ("duplicate", "duplicate", "signature"),
        ("held", "similar", "likeness"),
    ]
    assert late == [("held", "similar", "likeness")]
    assert allowed == [("created", None, "likeness")]
    assert variant == [("created", None, "colour")]
