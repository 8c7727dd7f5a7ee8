"""The two ways to call the functions: in this process, and over HTTP."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from shared.errors import Busy, DuplicateDesign, SimilarDesign, StepFailed
from shared.flows.source import Source
from shared.messages import (
    DedupeRequest,
    DedupeResponse,
    Failure,
    PersistRequest,
    PersistResponse,
    ProcessRequest,
    ProcessResponse,
)
from shared.settings import Settings
from shared.wiring import Parts

if TYPE_CHECKING:
    import httpx
    from tenacity import RetryCallState


_Answer = TypeVar("_Answer", bound=BaseModel)

ATTEMPTS = 3
"""Times a step is sent before a lost connection is reported."""


class Transport(Protocol):
    """Three callables. Each raises `shared.errors.PlatenError` and nothing else on purpose."""

    def dedupe(self, source: Source, request: DedupeRequest) -> DedupeResponse: ...

    def process(self, source: Source, request: ProcessRequest) -> ProcessResponse: ...

    def persist(self, source: Source, request: PersistRequest) -> PersistResponse: ...


class InProcess:
    """Calls the flows directly: an artwork is decoded once and shared by the steps."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def dedupe(self, source: Source, request: DedupeRequest) -> DedupeResponse:
        return self._parts.dedupe([source], request)

    def process(self, source: Source, request: ProcessRequest) -> ProcessResponse:
        return self._parts.process(source, request)

    def persist(self, source: Source, request: PersistRequest) -> PersistResponse:
        return self._parts.persist(source, request).response


class Http:
    """Calls deployed functions. Each step may be sent again, so a lost connection is retried."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def dedupe(self, source: Source, request: DedupeRequest) -> DedupeResponse:
        return self._post("dedupe", self._settings.dedupe_url, request, DedupeResponse, source)

    def process(self, source: Source, request: ProcessRequest) -> ProcessResponse:
        return self._post("process", self._settings.process_url, request, ProcessResponse, source)

    def persist(self, source: Source, request: PersistRequest) -> PersistResponse:  # noqa: ARG002
        """The normal form stands for the upload, whose bytes are not sent a third time."""
        return self._post("persist", self._settings.persist_url, request, PersistResponse)

    def _post(
        self,
        function: str,
        url: str,
        request: BaseModel,
        answer: type[_Answer],
        source: Source | None = None,
    ) -> _Answer:
        import httpx

        try:
            response = _send(self._settings.http_timeout_s, url, request, source)
            if response.is_success:
                return answer.model_validate_json(response.content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _unavailable(function, "can't be reached at the moment; try again") from error
        except ValidationError as error:
            raise _unavailable(
                function, "gave an answer that is none of its own", retryable=False
            ) from error
        raise _error(function, response)


@cache
def _client(timeout_s: float) -> httpx.Client:
    import httpx

    return httpx.Client(
        timeout=httpx.Timeout(timeout_s, connect=5.0),
        # A proxy that the environment names knows nothing of this machine's own addresses.
        mounts={"all://127.0.0.1": None, "all://localhost": None},
    )


def _send(timeout_s: float, url: str, request: BaseModel, source: Source | None) -> httpx.Response:
    import httpx
    from tenacity import Retrying, retry_if_exception_type, retry_if_result, wait_exponential

    files = None
    if source is not None:
        files = {"file": (source.filename, bytes(source.data), "application/octet-stream")}
    document = request.model_dump_json(exclude_none=True)
    retrying = Retrying(
        retry=retry_if_exception_type(httpx.TransportError) | retry_if_result(_is_busy),
        stop=lambda state: _is_enough(state, timeout_s),
        wait=wait_exponential(multiplier=0.2, max=2),
        retry_error_callback=_last,
    )
    if files is None:
        return retrying(
            _client(timeout_s).post,
            url,
            content=document,
            headers={"Content-Type": "application/json"},
        )
    return retrying(_client(timeout_s).post, url, data={"request": document}, files=files)


def _is_busy(response: httpx.Response) -> bool:
    """Whether the function has no room for the file now. A batch waits for it."""
    if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
        return False
    try:
        return Failure.model_validate_json(response.content).code == Busy.code
    except ValidationError:
        return False


def _is_enough(state: RetryCallState, timeout_s: float) -> bool:
    """Lost connections are counted; a busy function is waited for as long as any answer is."""
    if state.outcome is not None and state.outcome.failed:
        return state.attempt_number >= ATTEMPTS
    return (state.seconds_since_start or 0) > timeout_s


def _last(state: RetryCallState) -> httpx.Response:
    """What the last attempt answered or raised."""
    assert state.outcome is not None  # noqa: S101 for mypy
    response: httpx.Response = state.outcome.result()
    return response


def _error(function: str, response: httpx.Response) -> StepFailed | DuplicateDesign:
    """The function's own words, or a plain sentence where something else answered."""
    try:
        failure = Failure.model_validate_json(response.content)
    except ValidationError:
        retryable = response.status_code >= 500
        return _unavailable(function, f"answered {response.status_code}", retryable=retryable)
    if failure.match is not None:
        stopped = SimilarDesign if failure.code == SimilarDesign.code else DuplicateDesign
        return stopped(failure.match, failure.match.filename)
    return StepFailed(failure.code, failure.message, failure.retryable)


def _unavailable(function: str, what: str, *, retryable: bool = True) -> StepFailed:
    return StepFailed("function_unavailable", f"The function '{function}' {what}.", retryable)
