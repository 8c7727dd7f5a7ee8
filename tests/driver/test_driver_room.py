"""A batch keeps within the memory that there is: it waits, and refuses only what never fits."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from PIL import Image

from shared.admission import Memory
from shared.driver import transports
from shared.driver.room import Room, preparing
from shared.driver.transports import Http, InProcess
from shared.driver.workflow import upload
from shared.errors import StepFailed
from shared.flows.source import Source
from shared.messages import (
    DedupeRequest,
    DedupeResponse,
    ProcessRequest,
    ProcessResponse,
    Result,
    UploadRequest,
)
from shared.records import Template
from shared.settings import Settings
from shared.wiring import Parts
from tests.draw import encoded, wrap

REQUEST = UploadRequest(template="UVDTF 16oz", user_id="seller", shop="Nook")
FILES = 9


class Watched(InProcess):
    """Counts the sources that hold pixels while a step is at work on one of them."""

    def __init__(self, parts: Parts, sources: Sequence[Source]) -> None:
        super().__init__(parts)
        self.sources = sources
        self.most = 0

    def dedupe(self, source: Source, request: DedupeRequest) -> DedupeResponse:
        answer = super().dedupe(source, request)
        self._count()
        return answer

    def process(self, source: Source, request: ProcessRequest) -> ProcessResponse:
        answer = super().process(source, request)
        self._count()
        return answer

    def _count(self) -> None:
        self.most = max(self.most, sum("artwork" in vars(one) for one in self.sources))


def drawn(parts: Parts, first: int = 0) -> list[Source]:
    return [
        parts.source(f"{number}.png", encoded(wrap(number, 400, 182)))
        for number in range(first, first + FILES)
    ]


def run(
    parts: Parts, transport: InProcess, sources: list[Source], room: Room | None = None
) -> Result:
    room = room or Room(parts.memory, preparing(parts, REQUEST))
    return upload(
        sources, REQUEST, transport, parts.settings, parts.executor, parts.workers, room=room
    )


def files_wide(parts: Parts, width: float) -> int:
    """A budget for so many of the files at once."""
    return int(width * preparing(parts, REQUEST)(drawn(parts)[0]))


def is_all_back(parts: Parts) -> bool:
    return parts.memory.take_at_once(parts.memory.budget) is not None


@pytest.mark.parametrize(("width", "most"), [(1.1, 1), (1.5, 1), (2.2, 2)])
def test_no_more_files_are_worked_on_than_there_is_memory_for(
    parts: Parts, width: float, most: int
) -> None:
    parts.memory = Memory(files_wide(parts, width))
    sources = drawn(parts)
    transport = Watched(parts, sources)

    result = run(parts, transport, sources)

    assert result.summary.created == FILES
    assert transport.most == most
    assert is_all_back(parts)


def test_a_batch_has_one_file_at_a_time_for_itself_in_its_lane(parts: Parts) -> None:
    parts.memory = Memory(files_wide(parts, 1.1))
    need = preparing(parts, REQUEST)
    sources = drawn(parts)
    transport = Watched(parts, sources)

    with parts.memory.take(parts.memory.budget) as share:
        result = run(parts, transport, sources, Room(parts.memory, need, lane=share))

    assert result.summary.created == FILES
    assert transport.most == 1
    assert is_all_back(parts)


@pytest.mark.parametrize("has_lane", [False, True])
@pytest.mark.parametrize("at", [0, 1, FILES])
def test_a_file_that_takes_more_than_there_is_fails_alone(
    parts: Parts, at: int, has_lane: bool
) -> None:
    parts.memory = Memory(files_wide(parts, 1.1))
    need = preparing(parts, REQUEST)
    sources = drawn(parts)
    sources.insert(at, parts.source("large.png", encoded(Image.new("RGB", (3000, 3000)))))

    with parts.memory.take(parts.memory.budget * has_lane) as share:
        room = Room(parts.memory, need, lane=share if has_lane else None)
        result = run(parts, InProcess(parts), sources, room)

    failed = result.outcomes[at]
    assert (failed.file, failed.code) == ("large.png", "image_too_costly")
    assert result.summary.created == FILES
    assert is_all_back(parts)


def test_batches_side_by_side_never_wait_for_each_other_for_good(parts: Parts) -> None:
    parts.memory = Memory(files_wide(parts, 2.2))
    batches = [drawn(parts, first) for first in (0, 100, 200)]
    with ThreadPoolExecutor(3) as batch_threads:
        results = list(
            batch_threads.map(lambda sources: run(parts, InProcess(parts), sources), batches)
        )
    assert [result.summary.created for result in results] == [FILES] * 3
    assert is_all_back(parts)


def test_memory_is_given_back_where_the_workflow_breaks_off(parts: Parts) -> None:
    class Breaking(InProcess):
        def process(self, source: Source, request: ProcessRequest) -> ProcessResponse:
            if source.filename == "3.png":
                raise ZeroDivisionError
            return super().process(source, request)

    parts.memory = Memory(files_wide(parts, 2.2))

    result = run(parts, Breaking(parts), drawn(parts))

    assert (result.summary.created, result.summary.failed) == (FILES - 1, 1)
    assert is_all_back(parts)


@pytest.mark.parametrize("count", [2, FILES])
@pytest.mark.parametrize(("kind", "code"), [(MemoryError, "busy"), (OSError, "internal_error")])
def test_a_file_whose_need_cannot_be_told_has_that_for_its_outcome(
    parts: Parts, kind: type[Exception], code: str, count: int
) -> None:
    need = preparing(parts, REQUEST)

    def told(source: Source) -> int:
        if source.filename == "1.png":
            raise kind
        return need(source)

    result = run(parts, InProcess(parts), drawn(parts)[:count], Room(parts.memory, told))

    assert [outcome.file for outcome in result.outcomes if outcome.code == code] == ["1.png"]
    assert (result.summary.created, result.summary.failed) == (count - 1, 1)
    assert is_all_back(parts)


def test_files_that_are_refused_take_no_memory(parts: Parts) -> None:
    parts.memory = Memory(1)
    sources = [parts.source(f"{number}.png", b"no picture") for number in range(3)]
    assert run(parts, InProcess(parts), sources).summary.failed == 3


class TestAFunctionThatIsBusy:
    """Over HTTP: its 503 is no failure of the file."""

    @pytest.fixture
    def answers(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
        """What the function answers, one after the other; the last one again and again."""
        answers: list[tuple[int, str]] = []

        def answer(_: httpx.Request) -> httpx.Response:
            status, text = answers.pop(0) if len(answers) > 1 else answers[0]
            return httpx.Response(status, text=text)

        client = httpx.Client(transport=httpx.MockTransport(answer))
        monkeypatch.setattr(transports, "_client", lambda _timeout_s: client)
        return answers

    BUSY = (503, '{"code":"busy","message":"later","retryable":true,"request_id":"x"}')
    AWAY = (503, '{"code":"nas_unavailable","message":"away","retryable":true,"request_id":"x"}')
    DONE = (
        200,
        DedupeResponse(
            idempotency_key="k",
            template=Template(name="t", width_in=1, height_in=1),
            files=[],
            timings_ms={},
        ).model_dump_json(),
    )

    def ask(self, **settings: float) -> DedupeResponse:
        transport = Http(Settings.model_validate({"http_timeout_s": 60} | settings))
        source = drawn_source()
        return transport.dedupe(source, DedupeRequest(template="t"))

    def test_is_asked_again_until_it_has_room(self, answers: list[tuple[int, str]]) -> None:
        answers += [self.BUSY] * 3 + [self.DONE]
        assert self.ask().idempotency_key == "k"

    def test_for_too_long_is_told(self, answers: list[tuple[int, str]]) -> None:
        answers += [self.BUSY]
        with pytest.raises(StepFailed) as failed:
            self.ask(http_timeout_s=1)
        assert (failed.value.code, failed.value.retryable) == ("busy", True)

    def test_is_told_from_one_that_fails(self, answers: list[tuple[int, str]]) -> None:
        answers += [self.AWAY, self.DONE]
        with pytest.raises(StepFailed) as failed:
            self.ask()
        assert failed.value.code == "nas_unavailable"


def drawn_source() -> Source:
    return Parts(Settings()).source("a.png", encoded(wrap(1, 40, 30)))
