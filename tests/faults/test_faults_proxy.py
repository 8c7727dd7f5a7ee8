"""The way to PostgreSQL breaks at any exchange of an upload, before it is done or after."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.identity import tenant
from shared.messages import Done, Result, Trouble
from shared.nas.names import STAGING
from shared.settings import Settings
from shared.wiring import Parts
from tests.database_way import before_database, by_way_of
from tests.faults.faults_checks import EVERY_POINT, HEALED, files, outcomes, reconciled, rows
from tests.faults.faults_worker import TINY, take_in
from tests.proxy import Broken, Fault, Line, Proxy

# pg8000 leaves the socket of a connection that failed to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

EVERY = {Fault.RESET: 1, Fault.HOLE: 1} if EVERY_POINT else {Fault.RESET: 5, Fault.HOLE: 23}
"""Each so many-th exchange is tried. In a hole, each try waits for its timeout."""

TIMEOUT_S = {Fault.RESET: 60, Fault.HOLE: 3}
"""Only in a hole does it count; a machine may be too busy for the shorter one."""

SWAPPED = [
    (Done.DUPLICATE, "UV_001.png"),
    (Done.CREATED, "UV_001.png"),
    (Done.CREATED, "UV_002.png"),
]
"""Where the first of the two equal files had failed, the second was filed in its place."""

READY = ord("Z")
"""The last message of each of the server's answers.
https://www.postgresql.org/docs/current/protocol-message-formats.html"""


class Way:
    """Counts the exchanges of all connections, and breaks at one of them."""

    def __init__(self, place: int, fault: Fault, *, after: bool) -> None:
        self.left = place
        self.fault = fault
        self.after = after
        self.happened = False

    def line(self) -> Line:
        return Exchanges(self)

    def exchange(self) -> None:
        """Raises Broken where it is the one."""
        self.left -= 1
        if self.left == 0:
            self.happened = True
            raise Broken(self.fault)


class Exchanges(Line):
    """Cuts a connection's streams into questions and their answers."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._answer = bytearray()
        self._is_asked = False

    def up(self, data: bytes) -> bytes:
        if not self._is_asked and not self._way.after:
            self._way.exchange()
        self._is_asked = True
        return data

    def down(self, data: bytes) -> bytes:
        self._answer += data
        while len(self._answer) >= 5:
            size = 1 + int.from_bytes(self._answer[1:5], "big")
            if len(self._answer) < size:
                break
            if self._answer[0] == READY:
                self._is_asked = False
                if self._way.after:
                    self._way.exchange()
            del self._answer[:size]
        return data


@pytest.fixture
def between(database_url: str) -> Iterator[Proxy]:
    with before_database(database_url) as between:
        yield between


def through(between: Proxy, database_url: str, nas: Path, timeout_s: float) -> Parts:
    """The adapters of a process that reaches the database by the proxy."""
    return Parts(
        Settings(
            _env_file=None,
            database_url=by_way_of(between, database_url),
            database_timeout_s=timeout_s,
            nas_url=nas.as_uri(),
        )
    )


def is_honest(parts: Parts, seller: str, told: Result) -> bool:
    """Whether what was told is so: what is filed stands there, what failed may be sent again."""
    known = {filing.filename for filing in told.designs}
    standing = files(parts, seller)
    return known <= set(standing) and all(
        each.retryable for each in told.outcomes if each.outcome is Done.FAILED
    )


@pytest.mark.parametrize("after", [False, True], ids=["unasked", "unanswered"])
@pytest.mark.parametrize("fault", [Fault.RESET, Fault.HOLE])
def test_the_same_key_heals_what_a_broken_exchange_left(
    database_url: str, between: Proxy, tmp_path: Path, fault: Fault, after: bool
) -> None:
    parts = Parts(Settings(_env_file=None, database_url=database_url, nas_url=tmp_path.as_uri()))
    place, failed, swapped = 1, 0, 0
    while True:
        seller = f"seller{place}"
        parts.designs.save_template(tenant(seller), TINY)
        way = Way(place, fault, after=after)
        between.line = way.line
        cut = through(between, database_url, tmp_path, TIMEOUT_S[fault])

        first = take_in(cut, seller)

        cut.close()
        assert is_honest(parts, seller, first), (place, first)
        failed += any(each.outcome is Done.FAILED for each in first.outcomes)
        if not way.happened:
            break

        again = take_in(parts, seller)

        assert outcomes(again) in (HEALED, SWAPPED), (place, first)
        filed = rows(parts, seller)
        assert sorted(filed) == ["UV_001.png", "UV_002.png"], place
        assert files(parts, seller) == filed, place
        # What was staged for the first then waits for the sweep.
        swapped += outcomes(again) == SWAPPED
        assert len(list(parts.nas.list(STAGING))) <= swapped, place
        place += EVERY[fault]
    assert {each.trouble for each in reconciled(parts, repair=True)} <= {Trouble.LEFTOVER}
    assert reconciled(parts, repair=False) == []
    parts.close()
    assert failed >= 3
    assert place > 50
