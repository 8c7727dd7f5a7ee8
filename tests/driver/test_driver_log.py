"""The log of the two-file case against the workflow's "Expected Log Output"."""

from __future__ import annotations

import json
import logging
import re

import pytest

from shared.driver.transports import InProcess
from shared.driver.workflow import upload
from shared.errors import NasRefused, NasUnavailable, StagedFileMissing
from shared.flows.source import Source
from shared.identity import tenant
from shared.log import JsonFormatter
from shared.messages import ProcessRequest, ProcessResponse, Result, UploadRequest
from shared.records import Template, Verdict
from shared.wiring import Parts
from tests.draw import encoded, wrap

EXPECTED = """\
🔍 Starting optimized duplicate check for 2 files (≤2 images workflow)
🔍 [1/2] Checking file for duplicates: design1.png
🔍 Database duplicate check completed in 0.015s: UNIQUE
🔍 Hamming check completed in 0.123s: UNIQUE
✅ File design1.png is unique (checked in 0.14s)
📦 [1/2] Processing non-duplicate file: design1.png
📥 Processing physical image: design1.png
✂️ Cropped image in 0.23s
📐 Resized image in 0.18s
💾 Encoded image to bytes in 0.12s (2.34MB)
✅ Uploaded design to NAS in 1.87s: Template/UV_001.png
✅ Total processing time for UV_001.png: 2.40s
🔐 Generated hashes for UV_001.png: phash=f8f8f8f8..., ahash=80808080..., dhash=0, whash=0
✅ Added design to database: UV_001.png
🔍 [2/2] Checking file for duplicates: design2.png
🔍 Database duplicate check completed in 0.015s: UNIQUE
🔍 Hamming check completed in 0.123s: UNIQUE
✅ File design2.png is unique (checked in 0.14s)
📦 [2/2] Processing non-duplicate file: design2.png
📥 Processing physical image: design2.png
✂️ Cropped image in 0.23s
📐 Resized image in 0.18s
💾 Encoded image to bytes in 0.12s (2.34MB)
✅ Uploaded design to NAS in 1.87s: Template/UV_002.png
✅ Total processing time for UV_002.png: 2.40s
🔐 Generated hashes for UV_002.png: phash=f8f8f8f8..., ahash=80808080..., dhash=0, whash=0
✅ Added design to database: UV_002.png
✅ Successfully created 2 designs for user: <uuid>
📊 Summary: 2 uploaded, 0 duplicates skipped, 2 created
"""


def shape(line: str) -> str:
    """A line without what differs from run to run: seconds, megabytes, hash digits, the user."""
    line = re.sub(r"(?<=phash=).*$", "HASHES", line)
    line = line.replace("UVDTF 16oz/", "Template/").replace(str(tenant("seller")), "<uuid>")
    return re.sub(r"\d+\.\d+(?=s|MB)", "N", line)


@pytest.fixture
def lines(parts: Parts, caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    sources = [parts.source(f"design{n}.png", encoded(wrap(n))) for n in (1, 2)]
    request = UploadRequest(template="UVDTF 16oz", user_id="seller")
    with caplog.at_level("INFO", "platen"):
        upload(sources, request, InProcess(parts), parts.settings, parts.executor, 3)
    return [record for record in caplog.records if record.name == "platen.driver"]


def test_has_the_workflows_lines_in_its_order(lines: list[logging.LogRecord]) -> None:
    logged = [record.getMessage() for record in lines]

    assert [shape(line) for line in logged] == [shape(line) for line in EXPECTED.splitlines()]


def test_names_every_hash_by_its_first_eight_digits(lines: list[logging.LogRecord]) -> None:
    (line, _) = [r.getMessage() for r in lines if "Generated hashes" in r.getMessage()]

    digits = r"[0-9a-f]{8}\.\.\."
    assert re.search(
        rf"UV_001\.png: phash={digits}, ahash={digits}, dhash={digits}, whash={digits}$", line
    )


def test_is_the_same_as_json_with_the_fields_apart(lines: list[logging.LogRecord]) -> None:
    objects = [json.loads(JsonFormatter().format(record)) for record in lines]

    assert [line["message"] for line in objects] == [record.getMessage() for record in lines]
    encode = next(line for line in objects if "Encoded" in line["message"])
    assert encode["bytes"] > 1000
    assert encode["encode_ms"] > 0
    assert objects[-1]["created"] == 2


TINY = Template(name="Tiny UV", width_in=1, height_in=0.5, dpi=72)
ONE, TWO = (encoded(wrap(seed, 160, 80)) for seed in (1, 2))


class TestALineOf:
    """What the log says of files that do not go the plain way."""

    @pytest.fixture(autouse=True)
    def tiny(self, parts: Parts, caplog: pytest.LogCaptureFixture) -> None:
        parts.designs.save_template(tenant("seller"), TINY)
        caplog.set_level("INFO", "platen.driver")

    @staticmethod
    def take(transport: InProcess, parts: Parts, data: bytes, **request: object) -> Result:
        asked = UploadRequest(**{"template": "Tiny UV", "user_id": "seller", "shop": "N"} | request)
        sources = [parts.source("a.png", data)]
        return upload(sources, asked, transport, parts.settings, parts.executor, 3)

    def test_a_digital_file_names_no_resize(
        self, parts: Parts, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.take(InProcess(parts), parts, ONE, digital=True)

        assert "📥 Processing digital image: a.png" in caplog.messages
        assert "Cropped" in caplog.text
        assert "Resized" not in caplog.text

    def test_a_failed_file_says_that_it_was_checked_and_why_it_failed(
        self, parts: Parts, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.take(InProcess(parts), parts, b"")

        assert caplog.messages[1:3] == [
            "🔍 [1/1] Checking file for duplicates: a.png",
            "❌ File a.png failed: The file is empty.",
        ]

    def test_a_file_whose_duplicate_got_in_first_names_it(
        self, parts: Parts, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Overtaken(InProcess):
            def process(self, source: Source, request: ProcessRequest) -> ProcessResponse:
                TestALineOf.take(InProcess(parts), parts, ONE)
                caplog.clear()
                return super().process(source, request)

        result = self.take(Overtaken(parts), parts, ONE)

        assert result.summary.duplicates == 1
        assert "⚠️ File a.png is duplicate of UV_001.png, which got in first" in caplog.messages

    def test_a_filed_design_has_its_path_within_the_shop_whatever_the_shop_is_called(
        self, parts: Parts, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.take(InProcess(parts), parts, ONE, shop="Graphics")
        self.take(InProcess(parts), parts, TWO, shop="Graphics", digital=True)

        paths = [line.rpartition(": ")[2] for line in caplog.messages if "Uploaded" in line]
        assert paths == ["Tiny UV/UV_001.png", "Digital/Tiny UV/Digital_001.png"]

    @pytest.mark.parametrize(
        ("error", "waits"),
        [(NasUnavailable(), True), (NasRefused(), True), (StagedFileMissing(), False)],
    )
    def test_a_print_file_that_waits_tells_how_it_is_finished(
        self,
        parts: Parts,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
        error: Exception,
        waits: bool,
    ) -> None:
        def publish(*_: object) -> None:
            raise error

        monkeypatch.setattr(parts.nas, "publish", publish)

        (outcome,) = self.take(InProcess(parts), parts, ONE).outcomes

        assert outcome.outcome == "failed"
        assert ("Print file of a.png waits on the NAS" in caplog.text) is waits
        assert (outcome.verdict, "decode" in outcome.timings_ms) == (Verdict.UNIQUE, True)
