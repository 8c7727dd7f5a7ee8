"""What breaks around a batch: its watchers, its executor, and what was under way then."""

from __future__ import annotations

import multiprocessing
import threading
import time
from concurrent.futures import ProcessPoolExecutor

import pytest
from test_driver_workflow import BrokenExecutor, on_nas, outcomes, rows, take_in

from shared.driver.transports import InProcess
from shared.driver.workflow import upload
from shared.flows.source import Source
from shared.identity import tenant
from shared.messages import Event, ProcessRequest, ProcessResponse, UploadRequest
from shared.records import Template
from shared.wiring import Parts
from tests.draw import encoded, wrap

TINY = Template(name="Tiny UV", width_in=1, height_in=0.5, dpi=72)
FILES = [(f"{seed}.png", encoded(wrap(seed, 160, 80))) for seed in (1, 2, 3)]
REQUEST = UploadRequest(template="Tiny UV", user_id="seller", shop="Nook")
FOLDER = "NookTransfers/Nook/Tiny UV"


@pytest.fixture(autouse=True)
def tiny(parts: Parts) -> None:
    parts.designs.save_template(tenant("seller"), TINY)


def sources(parts: Parts, count: int) -> list[Source]:
    return [parts.source(*file) for file in FILES[:count]]


class TestAWatcherThatFails:
    @pytest.mark.parametrize("count", [2, 3])
    @pytest.mark.parametrize("kind", ["progress", "outcome"])
    def test_changes_no_outcome(self, parts: Parts, kind: str, count: int) -> None:
        seen: list[Event] = []

        def on_event(event: Event) -> None:
            seen.append(event)
            if event.event == kind:
                raise BrokenPipeError

        result = upload(
            sources(parts, count),
            REQUEST,
            InProcess(parts),
            parts.settings,
            parts.executor,
            3,
            on_event=on_event,
        )

        assert outcomes(result) == ["created"] * count
        assert [event.file for event in seen if event.event == "outcome"] == [
            outcome.file for outcome in result.outcomes
        ]

    def test_of_the_workflows_own_kind_changes_none_either(self, parts: Parts) -> None:
        def progress(step: int, message: str) -> None:
            raise ValueError(message, step)

        result = upload(
            sources(parts, 2),
            REQUEST,
            InProcess(parts),
            parts.settings,
            parts.executor,
            3,
            progress_callback=progress,
        )

        assert outcomes(result) == ["created", "created"]


class Watched(InProcess):
    """Takes its time on an executor's threads; notes whether others work while the driver does."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.under_way = 0
        self.overlaps = 0

    def process(self, source: Source, request: ProcessRequest) -> ProcessResponse:
        if threading.current_thread() is threading.main_thread():
            self.overlaps += self.under_way
            return super().process(source, request)
        self.under_way += 1
        time.sleep(0.3)
        answer = super().process(source, request)
        self.under_way -= 1
        return answer


class TestAnExecutorThatBreaks:
    @pytest.mark.parametrize("tasks", [4, 5])
    def test_is_done_with_what_it_began_before_the_files_are_begun_anew(
        self, parts: Parts, tasks: int
    ) -> None:
        """Else a print file would be staged again behind the design that was filed of it."""
        transport = Watched(parts)

        with BrokenExecutor(tasks) as executor:
            result = upload(sources(parts, 3), REQUEST, transport, parts.settings, executor, 3)

        assert outcomes(result) == ["created"] * 3
        assert transport.overlaps == 0
        assert on_nas(parts, ".platen") == {}
        assert len(rows(parts)) == len(on_nas(parts, FOLDER)) == 3


class TestAnExecutorOfProcesses:
    def test_works_on_the_files_like_one_of_threads(
        self, parts: Parts, caplog: pytest.LogCaptureFixture
    ) -> None:
        with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as executor:
            result = take_in(parts, *FILES, executor=executor, template="Tiny UV")

        assert outcomes(result) == ["created"] * 3
        assert "Falling back" not in caplog.text
