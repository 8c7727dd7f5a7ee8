"""PostgreSQL crashes and comes back, again and again, while a function takes uploads in."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

import httpx
import pytest

from shared.database import embedded, migrate
from shared.identity import tenant
from shared.nas.names import STAGING
from shared.settings import Settings
from shared.wiring import Parts
from tests.draw import encoded, wrap
from tests.faults.faults_checks import files, rows
from tests.faults.faults_worker import TINY
from tests.functions.functions_server import Server, serving

UPLOADS = 24
CRASHES = 3
PATIENCE_S = 300
"""No upload may take that long on any machine; one that hangs does."""


class Postgres:
    """An embedded server that can crash."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._hold = embedded.start(home)
        self.url = self._hold.url

    def crash(self) -> None:
        """What pg_ctl calls an immediate stop: nothing is finished, the log is replayed later."""
        process = (self._home / "postgres" / "data" / "postmaster.pid").read_text().split("\n")[0]
        os.kill(int(process), signal.SIGQUIT)

    def start(self) -> None:
        embedded.start(self._home).close()

    def close(self) -> None:
        self._hold.close()


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    home = Path(tempfile.mkdtemp(prefix="platen-crash-"))
    home.chmod(0o711)
    server = Postgres(home)
    try:
        migrate.upgrade(server.url)
        yield server
    finally:
        server.close()
        shutil.rmtree(home)


class Told:
    """Every outcome that any upload was ever told."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._outcomes: list[dict[str, Any]] = []

    def add(self, outcome: dict[str, Any]) -> None:
        with self._lock:
            self._outcomes.append(outcome)

    def of(self, outcome: str) -> list[dict[str, Any]]:
        with self._lock:
            return [told for told in self._outcomes if told["outcome"] == outcome]


def send(server: Server, at: int) -> dict[str, Any]:
    """One upload's outcome. Raises httpx.HTTPError where there is none."""
    request = {
        "template": TINY.name,
        "user_id": "seller",
        "shop": "seller",
        "idempotency_key": f"key-{at}",
    }
    answer = httpx.post(
        server.url,
        data={"request": json.dumps(request)},
        files={"file": (f"{at}.png", encoded(wrap(at, 400, 182)))},
        timeout=PATIENCE_S,
    )
    if answer.status_code != 200:
        return {"outcome": "failed", **answer.json()}
    outcome: dict[str, Any]
    (outcome,) = json.loads(answer.text.splitlines()[-1])["result"]["outcomes"]
    return outcome


def send_until_filed(server: Server, at: int, told: Told) -> dict[str, Any]:
    while True:
        outcome = send(server, at)
        told.add(outcome)
        if outcome["outcome"] != "failed":
            return outcome
        assert outcome["retryable"], outcome
        time.sleep(0.1)


def await_more(outcome: str, than: int, told: Told, sent: list[Future[dict[str, Any]]]) -> None:
    """Return when more than so many uploads were told it; where one raised, raise that."""
    deadline = time.monotonic() + PATIENCE_S
    while len(told.of(outcome)) <= than:
        assert time.monotonic() < deadline
        for future in sent:
            if future.done():
                future.result()
        time.sleep(0.02)


def test_uploads_fail_retryably_or_succeed_and_the_function_recovers_by_itself(
    postgres: Postgres, tmp_path: Path
) -> None:
    own = {"database_url": postgres.url, "nas_url": tmp_path.as_uri()}
    parts = Parts(Settings(_env_file=None, **own))
    parts.designs.save_template(tenant("seller"), TINY)
    told = Told()
    environment = {name.upper(): value for name, value in own.items()}
    with serving("upload", **environment) as [server], ThreadPoolExecutor(4) as clients:
        workers = server.workers()
        sent = [clients.submit(send_until_filed, server, at, told) for at in range(UPLOADS)]
        for crash in range(CRASHES):
            await_more("created", crash * UPLOADS // (CRASHES + 1), told, sent)
            failed = len(told.of("failed"))
            postgres.crash()
            await_more("failed", failed, told, sent)
            postgres.start()
        first = [future.result() for future in sent]
        again = [send(server, at) for at in range(UPLOADS)]
        assert server.workers() == workers

    assert {outcome["code"] for outcome in told.of("failed")} == {"database_unavailable"}
    assert {outcome["outcome"] for outcome in first} == {"created"}
    assert [(each["design_id"], each["file_path"]) for each in again] == [
        (each["design_id"], each["file_path"]) for each in first
    ]
    filed = rows(parts, "seller")
    assert len(filed) == UPLOADS
    assert files(parts, "seller") == filed
    assert list(parts.nas.list(STAGING)) == []
    parts.close()
