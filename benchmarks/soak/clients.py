"""Sellers' programs: they upload, and send a request again under its key until it is settled."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from threading import Event
from time import monotonic
from uuid import uuid4

import httpx

from benchmarks.soak.art import Studio
from benchmarks.soak.ledger import Request
from shared.driver.transports import Http
from shared.driver.workflow import upload
from shared.identity import tenant
from shared.messages import Event as Told
from shared.messages import Outcome, Result, UploadRequest
from shared.records import Template
from shared.wiring import Parts

TEMPLATE = Template(name="Soak UV", width_in=4, height_in=2, dpi=150)
"""Small, so that the time goes into the protocol and not into pixels."""

PATIENCE_S = 180.0
"""Of a client that is not answered; more than all waits of a function together."""
PAUSE_S = 0.5
LONGEST_S = 120.0

SEVERAL = 0.25
"""Share of requests with three files instead of one."""
REPLAYED = 0.05
"""Share of settled requests that are sent once more: the same must be answered."""
LEAVES = 0.01
"""Share of streams that the client hangs up on after the first line."""

Files = list[tuple[str, bytes]]
Send = Callable[[UploadRequest, Files, Callable[[Outcome], None]], Result]
"""Sends a request, tells of each outcome, and answers the whole. Raises `NotAnswered`."""


class NotAnswered(Exception):
    """No whole answer came; ``again`` says whether the same request may be sent again."""

    def __init__(self, why: str, *, again: bool) -> None:
        super().__init__(why)
        self.why = why
        self.again = again


class Client:
    """One seller's program, on a thread of its own."""

    def __init__(self, user: str, studio: Studio, send: Send, seed: int, over: Event) -> None:
        self.ledger: list[Request] = []
        self._user = user
        self._studio = studio
        self._send = send
        self._chance = random.Random(seed)  # noqa: S311 - no secret
        self._over = over

    def run(self) -> None:
        """Upload until it is over; what was begun is brought to its end."""
        while not self._over.is_set():
            count = 3 if self._chance.random() < SEVERAL else 1
            files = [(f"{at}.png", self._studio.next(self._chance)) for at in range(count)]
            message = UploadRequest(
                template=TEMPLATE.name,
                user_id=self._user,
                shop=self._user,
                digital=self._chance.random() < 0.5,
                idempotency_key=uuid4().hex,
            )
            request = Request(
                tenant(self._user), str(message.idempotency_key), [n for n, _ in files]
            )
            self.ledger.append(request)
            self._settle(request, message, files)
            if request.is_settled and self._chance.random() < REPLAYED:
                self._settle(request, message, files)

    def _settle(self, request: Request, message: UploadRequest, files: Files) -> None:
        give_up = monotonic() + PATIENCE_S
        while monotonic() < give_up:
            try:
                result = self._send(message, files, request.told.append)
            except NotAnswered as error:
                if not error.again:
                    request.refused = error.why
                    return
                request.retries.append(error.why)
            else:
                request.results.append(result)
                if request.is_settled:
                    return
                failed = [each.code for each in result.outcomes if each.retryable]
                request.retries.append(str(failed[0]))
            # Not the end of the run: it is over only when everything begun has its answer.
            Event().wait(PAUSE_S * (0.5 + self._chance.random()))


def over_http(url: str, seed: int) -> Send:
    """The function `upload` does it all, and streams."""
    # A proxy that the environment names knows nothing of this machine's own addresses.
    client = httpx.Client(timeout=LONGEST_S, trust_env=False)
    chance = random.Random(seed)  # noqa: S311 - no secret

    def send(message: UploadRequest, files: Files, on_outcome: Callable[[Outcome], None]) -> Result:
        form = {"request": message.model_dump_json(exclude_none=True)}
        parts = [("files", file) for file in files]
        leaves = chance.random() < LEAVES
        try:
            with client.stream("POST", url, data=form, files=parts) as answer:
                if not answer.is_success:
                    raise _refusal(answer.read())
                for event in _events(answer):
                    if leaves:
                        raise NotAnswered("left", again=True)
                    if event.outcome is not None:
                        on_outcome(event.outcome)
                    if event.error is not None:
                        raise NotAnswered(event.error.code, again=event.error.retryable)
                    if event.result is not None:
                        return event.result
        except httpx.TransportError as error:
            raise NotAnswered("connection lost", again=True) from error
        raise NotAnswered("answer broken off", again=True)

    return send


def by_driver(parts: Parts) -> Send:
    """The driver calls the functions dedupe, process and persist."""
    transport = Http(parts.settings)

    def send(message: UploadRequest, files: Files, on_outcome: Callable[[Outcome], None]) -> Result:
        def on_event(event: Told) -> None:
            if event.outcome is not None:
                on_outcome(event.outcome)

        sources = [parts.source(*file) for file in files]
        return upload(
            *(sources, message, transport, parts.settings, parts.executor, parts.workers),
            on_event=on_event,
        )

    return send


def _events(answer: httpx.Response) -> Iterator[Told]:
    for line in answer.iter_lines():
        yield Told.model_validate_json(line)


def _refusal(body: bytes) -> NotAnswered:
    failure = json.loads(body)
    return NotAnswered(failure["code"], again=failure["retryable"])
