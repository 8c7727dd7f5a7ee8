"""A database that is slow, silent or asked by too many at once: answers in time, and recovery."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from werkzeug.test import TestResponse

from shared.database.engine import patient
from tests.draw import encoded, wrap
from tests.functions.conftest import Configure
from tests.functions.functions_calls import SELLER, Site, inline, to_persist

CLIENTS = 12
SECONDS = {"DATABASE_TIMEOUT_S": "2"}
"""A wait for a lock ends in 0.4 of them."""

# pg8000 leaves the socket of a connection that failed to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@contextmanager
def locked(database_url: str) -> Iterator[None]:
    """Nobody can read the designs meanwhile."""
    engine = patient(database_url)
    with engine.begin() as holder:
        holder.exec_driver_sql("LOCK TABLE design_images")
        yield
    engine.dispose()


def at_once(call: Callable[[int], TestResponse], clients: int = CLIENTS) -> list[TestResponse]:
    with ThreadPoolExecutor(clients) as executor:
        return list(executor.map(call, range(clients)))


def ask(site: Site, number: int) -> TestResponse:
    """dedupe, which reads the designs."""
    file = (f"{number}.png", encoded(wrap(number, 120, 55)))
    return site.post("dedupe", SELLER, file)


class TestAPoolThatIsUsedUp:
    @pytest.mark.parametrize("pool", ["1", "2"])
    def test_by_slow_queries_is_told_to_each_and_is_free_again(
        self, configure: Configure, database_url: str, pool: str
    ) -> None:
        site = configure(DATABASE_URL=database_url, DATABASE_POOL=pool, **SECONDS)
        assert ask(site, 0).status_code == 200

        with locked(database_url):
            answers = at_once(lambda number: ask(site, number))
        after = [ask(site, number) for number in range(CLIENTS)]

        for answer in answers:
            assert (answer.status_code, answer.json["code"]) == (503, "database_unavailable")
            assert answer.headers["Retry-After"] == "2"
        assert {answer.status_code for answer in after} == {200}
        site.parts.close()

    def test_by_many_writers_lets_each_through(
        self, configure: Configure, database_url: str
    ) -> None:
        """Who waited for a second connection while holding the first would wait for ever."""
        site = configure(DATABASE_URL=database_url, DATABASE_POOL="1", DATABASE_TIMEOUT_S="60")

        def file(number: int) -> TestResponse:
            name = f"{number}.png"
            upload = (name, encoded(wrap(number, 300, 137)))
            (finding,) = site.post("dedupe", SELLER, upload).json["files"]
            processed = site.process(upload, finding["design_id"], digital=True)
            return site.post("persist", to_persist(processed, name, digital=True))

        assert [answer.status_code for answer in at_once(file, 4)] == [201] * 4
        site.parts.close()


@pytest.mark.parametrize("bad", ["\ud800", "a\0b"], ids=["surrogate", "NUL"])
def test_texts_that_can_not_be_stored_spoil_no_connection(
    configure: Configure, database_url: str, bad: str
) -> None:
    site = configure(DATABASE_URL=database_url, DATABASE_POOL="2")
    fields = ["template", "user_id", "shop", "idempotency_key"]
    whole = SELLER | {"files": [inline(("a.png", encoded(wrap(1, 120, 55))))]}
    refused = [
        site.client("dedupe").post(
            "/",
            data=json.dumps(whole | {fields[turn % len(fields)]: bad}),
            content_type="application/json",
        )
        for turn in range(100)
    ]
    after = [ask(site, number) for number in range(CLIENTS)]

    assert {answer.status_code for answer in refused} == {400}
    assert {answer.status_code for answer in after} == {200}
    site.parts.close()


@pytest.mark.parametrize("away", ["database", "smb", "s3"])
def test_what_never_answers_is_found_out_in_time(
    configure: Configure, database_url: str, away: str
) -> None:
    """Readiness ends within the setting's time; health does not ask."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        settings = {
            "database": {"DATABASE_URL": f"postgresql://u@{place}/d", "DATABASE_TIMEOUT_S": "1"},
            "smb": {"NAS_URL": f"smb://u@{place}/Graphics", "NAS_PASSWORD": "any"},
            "s3": {"NAS_URL": f"s3://bucket?endpoint=http://{place}&region=any"},
        }[away]
        keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}
        own = {"DATABASE_URL": database_url, "NAS_TIMEOUT_S": "1"} | keys | settings
        site = configure(**own)
        with ThreadPoolExecutor(1) as executor:
            ready = executor.submit(site.client("persist").get, "/readyz")
            health = site.client("persist").get("/healthz")
            assert not ready.done()
            answer = ready.result(timeout=20)
        site.parts.close()

    assert health.status_code == 200
    which = "database" if away == "database" else "nas"
    assert (answer.status_code, answer.json["code"]) == (503, f"{which}_unavailable")
