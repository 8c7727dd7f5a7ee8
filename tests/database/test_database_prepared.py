"""A statement takes one trip to the server, and a connection that was cut off is replaced."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from database_rows import USER, a_design, file_design
from pg8000.core import CoreConnection

from shared.database import prepared
from shared.database.designs import PostgresDesigns
from shared.database.engine import create, patient
from shared.errors import DatabaseUnavailable
from tests.proxy import Broken, Fault, Line, Proxy

# pg8000 leaves the socket of a connection that failed to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture
def one(database_url: str) -> Iterator[sa.Engine]:
    engine = create(database_url, pool=1, timeout_s=30)
    yield engine
    engine.dispose()


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """An entry for each time that the server was waited for."""
    made: list[None] = []
    wait = CoreConnection.handle_messages

    def counted(self: CoreConnection, context: object) -> None:
        made.append(None)
        wait(self, context)

    monkeypatch.setattr(CoreConnection, "handle_messages", counted)
    monkeypatch.setattr(prepared, "_FRESH_SECONDS", 3600.0)
    return made


def test_a_question_that_was_asked_before_takes_one_trip(one: sa.Engine, trips: list[None]) -> None:
    designs = PostgresDesigns(one)
    design = file_design(designs, a_design())
    designs.get(USER, design.design_id)
    trips.clear()
    assert designs.get(USER, design.design_id) == design
    assert len(trips) == 1


def test_a_transaction_takes_a_trip_for_its_begin_its_lock_and_its_end(
    one: sa.Engine, trips: list[None]
) -> None:
    designs = PostgresDesigns(one)
    with designs.unit(USER):
        pass
    trips.clear()
    with designs.unit(USER):
        pass
    assert len(trips) == 3
    trips.clear()
    with pytest.raises(KeyError), designs.unit(USER):
        raise KeyError
    assert len(trips) == 3


def test_a_statement_that_the_server_has_no_more_is_prepared_anew(one: sa.Engine) -> None:
    designs = PostgresDesigns(one)
    design = file_design(designs, a_design())
    assert designs.get(USER, design.design_id) == design
    with one.connect() as connection:
        connection.exec_driver_sql("DEALLOCATE ALL")
    with pytest.raises(DatabaseUnavailable):
        designs.get(USER, design.design_id)
    assert designs.get(USER, design.design_id) == design


def test_a_statement_whose_columns_were_changed_is_prepared_anew(
    one: sa.Engine, database_url: str
) -> None:
    designs = PostgresDesigns(one)
    design = file_design(designs, a_design())
    assert designs.get(USER, design.design_id) == design
    engine = patient(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE design_images ALTER COLUMN shop TYPE varchar(99)")
    engine.dispose()
    with pytest.raises(DatabaseUnavailable):
        designs.get(USER, design.design_id)
    assert designs.get(USER, design.design_id) == design


def test_statements_beyond_those_that_are_kept_are_answered_too(
    one: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "_MOST", 1)
    designs = PostgresDesigns(one)
    design = file_design(designs, a_design())
    assert designs.get(USER, design.design_id) == design
    with one.connect() as connection:
        kept = connection.exec_driver_sql("SELECT count(*) FROM pg_prepared_statements")
        assert kept.scalar_one() == 1


class Swallowed(Line):
    """Passes everything on until it is cut; then nobody is told anything."""

    def __init__(self) -> None:
        self.is_cut = False

    def up(self, data: bytes) -> bytes:
        if self.is_cut:
            raise Broken(Fault.HOLE)
        return data


@pytest.fixture
def swallowed(cut: PostgresDesigns, between: Proxy) -> Swallowed:
    """The first connection of ``cut``, which is used and idle."""
    line = Swallowed()
    between.strike(lambda: line, times=1)
    cut.watermark(USER)
    line.is_cut = True
    return line


@pytest.mark.usefixtures("swallowed")
def test_a_connection_that_was_cut_off_while_it_was_idle_is_replaced(
    cut: PostgresDesigns, between: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "_FRESH_SECONDS", 0.0)
    assert cut.watermark(USER) == 0
    assert between.connections == 2


@pytest.mark.usefixtures("swallowed")
def test_one_that_is_cut_off_in_use_is_told_once(
    cut: PostgresDesigns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "_FRESH_SECONDS", 60.0)
    with pytest.raises(DatabaseUnavailable):
        cut.watermark(USER)
    assert cut.watermark(USER) == 0
