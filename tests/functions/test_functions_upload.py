"""The upload function: the whole workflow answered as a stream of events."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from itertools import islice
from threading import Thread
from typing import Any

import pytest
from werkzeug.test import TestResponse

from shared import wiring
from shared.driver import stream
from shared.errors import DatabaseUnavailable
from tests.draw import encoded, wrap
from tests.functions.functions_calls import SELLER, File, Site, form, inline

FILES: list[File] = [(f"{seed}.png", encoded(wrap(seed, 300, 137))) for seed in range(1, 4)]
DIGITAL = SELLER | {"digital": True}


def events(answer: TestResponse) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.get_data(as_text=True).splitlines()]


def wait_for(condition: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


@pytest.fixture
def streamed(site: Site) -> Iterator[TestResponse]:
    """An answer that is read as it comes."""
    with site.client("upload").post("/", **form(DIGITAL, *FILES), buffered=False) as answer:
        yield answer


class TestAnUpload:
    def test_answers_an_event_a_line_and_the_whole_result_last(self, site: Site) -> None:
        answer = site.post("upload", DIGITAL, *FILES, FILES[0])

        assert answer.status_code == 200
        assert answer.mimetype == "application/x-ndjson"
        told = events(answer)
        assert {event["event"] for event in told[:-1]} == {"progress", "outcome"}
        assert told[-1]["event"] == "result"
        result = told[-1]["result"]
        assert [outcome["outcome"] for outcome in result["outcomes"]] == [
            "created",
            "created",
            "created",
            "duplicate",
        ]
        assert [design["filename"] for design in result["designs"]] == [
            f"Digital_{number:03d}.png" for number in (1, 2, 3)
        ]
        assert result["total"] == 3
        assert result["summary"]["duplicates"] == 1

    def test_tells_of_each_file_once_and_of_the_workflows_steps(self, site: Site) -> None:
        told = events(site.post("upload", DIGITAL, *FILES[:2]))

        outcomes = [event["outcome"] for event in told if event["event"] == "outcome"]
        assert outcomes == told[-1]["result"]["outcomes"]
        assert {event["step"] for event in told if event["event"] == "progress"} == {0, 1}

    def test_answers_server_sent_events_where_asked_for(self, site: Site) -> None:
        answer = site.client("upload").post(
            "/", **form(DIGITAL, FILES[0]), headers={"Accept": "text/event-stream"}
        )

        assert answer.mimetype == "text/event-stream"
        blocks = answer.get_data(as_text=True).split("\n\n")
        assert blocks.pop() == ""
        assert all(block.startswith("data: ") and "\n" not in block for block in blocks)
        last = json.loads(blocks[-1].removeprefix("data: "))
        assert last["event"] == "result"
        assert last["result"]["summary"]["created"] == 1

    def test_of_duplicates_only_is_a_success_without_designs(self, site: Site) -> None:
        site.post("upload", DIGITAL, FILES[0]).get_data()

        result = events(site.post("upload", DIGITAL, FILES[0], FILES[0]))[-1]["result"]

        assert (result["designs"], result["total"]) == ([], 0)
        assert [outcome["outcome"] for outcome in result["outcomes"]] == ["duplicate"] * 2

    def test_takes_files_inside_json(self, site: Site) -> None:
        answer = site.client("upload").post("/", json=DIGITAL | {"files": [inline(FILES[0])]})

        assert events(answer)[-1]["result"]["designs"][0]["source_filename"] == "1.png"

    def test_sent_again_under_its_key_changes_nothing(self, site: Site) -> None:
        request = DIGITAL | {"idempotency_key": "once"}

        first, again = (
            events(site.post("upload", request, *FILES[:2]))[-1]["result"] for _ in range(2)
        )

        assert again["designs"] == first["designs"]
        assert [outcome["outcome"] for outcome in again["outcomes"]] == ["created"] * 2

    def test_keeps_a_files_name_as_data_only(self, site: Site) -> None:
        names = ["../../etc/passwd", "a:b", "CON", "..\\..\\x.png", "Kåfé 🎨.png"]
        request = DIGITAL | {
            "allow_duplicate": True,
            "files": [inline((name, FILES[0][1])) for name in names],
        }

        result = events(site.client("upload").post("/", json=request))[-1]["result"]

        assert [design["source_filename"] for design in result["designs"]] == names
        assert sorted(site.on_nas("NookTransfers/Nook/Digital/UVDTF 16oz")) == [
            f"Digital_{number:03d}.png" for number in range(1, 6)
        ]


class TestAClientThatLeaves:
    def test_does_not_stop_the_work(self, site: Site, streamed: TestResponse) -> None:
        first = json.loads(next(iter(streamed.response)))
        assert first["event"] == "progress"

        streamed.close()

        user = site.parts.user(wiring.Acting(user_id="seller"))
        wait_for(lambda: site.parts.designs.watermark(user) > 0 and len(self.filed(site)) == 3)
        recorded = events(site.post("upload", DIGITAL, *FILES))[-1]["result"]
        assert [outcome["outcome"] for outcome in recorded["outcomes"]] == ["duplicate"] * 3

    def test_after_any_event_leaves_nothing_undone(self, site: Site) -> None:
        count = len(events(site.post("upload", DIGITAL, *FILES)))
        for seen in range(count):
            shop = f"left after {seen}"
            request = form(DIGITAL | {"user_id": shop, "shop": shop}, *FILES)
            with site.client("upload").post("/", **request, buffered=False) as answer:
                assert len(list(islice(answer.response, seen))) == seen

            wait_for(lambda: not any(thread.name == "upload" for thread in threading.enumerate()))
            assert len(self.filed(site, shop)) == 3
            assert list(site.parts.nas.list(".platen")) == []
            memory = site.parts.memory
            memory.take(memory.budget, 0).release()  # all of it was given back

    @staticmethod
    def filed(site: Site, shop: str = "Nook") -> dict[str, bytes]:
        return site.on_nas(f"NookTransfers/{shop}/Digital/UVDTF 16oz")


class TestAnUploadThatCanTStart:
    def test_answers_503_before_any_event_when_the_database_is_away(self, bare: Site) -> None:
        answer = bare.post("upload", DIGITAL, FILES[0])

        assert (answer.status_code, answer.json["code"]) == (503, "database_unavailable")
        assert answer.headers["Retry-After"] == "2"

    def test_answers_422_for_a_shop_that_is_no_name(self, site: Site) -> None:
        answer = site.post("upload", DIGITAL | {"shop": "../other"}, FILES[0])

        assert (answer.status_code, answer.json["code"]) == (422, "name_invalid")


class TestAnUploadThatBreaksOff:
    @pytest.mark.parametrize(
        ("kind", "code"), [(RuntimeError, "internal_error"), (MemoryError, "busy")]
    )
    def test_ends_its_stream_with_an_error_that_tells_nothing_of_the_inside(
        self, site: Site, monkeypatch: pytest.MonkeyPatch, kind: type[Exception], code: str
    ) -> None:
        def broken(*_arguments: object, **_options: object) -> None:
            raise kind("secret of /home/shop")

        monkeypatch.setattr(stream, "upload", broken)

        answer = site.post("upload", DIGITAL, FILES[0])

        (event,) = events(answer)
        assert (event["event"], event["error"]["code"]) == ("error", code)
        assert "secret" not in answer.text

    def test_for_want_of_a_thread_is_busy_and_keeps_no_memory(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_: Thread) -> None:
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patch:
            patch.setattr(stream.Thread, "start", refuse)
            answer = site.post("upload", DIGITAL, FILES[0])

        memory = site.parts.memory
        assert (answer.status_code, answer.json["code"]) == (503, "busy")
        assert memory.take(memory.budget, 0).size == memory.budget

    def test_gives_each_file_its_reason_when_the_database_goes_away_meanwhile(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*_arguments: object, **_options: object) -> None:
            raise DatabaseUnavailable

        monkeypatch.setattr(site.parts.designs, "template", away)

        result = events(site.post("upload", DIGITAL, *FILES))[-1]["result"]

        assert [outcome["code"] for outcome in result["outcomes"]] == ["database_unavailable"] * 3
        assert {outcome["outcome"] for outcome in result["outcomes"]} == {"failed"}
