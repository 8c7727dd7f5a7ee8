"""Whatever the driver, the pool or the network raise arrives as an error of Platen's own."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pg8000
import pytest
import sqlalchemy as sa
from database_rows import USER, a_design, disconnect_all, file_design

from shared.database.designs import PostgresDesigns
from shared.database.engine import create, patient, translated
from shared.errors import (
    DatabaseNotReady,
    DatabaseRefused,
    DatabaseUnavailable,
    NameTaken,
    PlatenError,
)
from shared.settings import SettingsInvalid

# pg8000 leaves the socket of a connection that failed to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


def from_server(state: str) -> sa.exc.DBAPIError:
    return sa.exc.ProgrammingError("", {}, pg8000.ProgrammingError({"C": state}))


@pytest.mark.parametrize(
    ("foreign", "own"),
    [
        (from_server("08006"), DatabaseUnavailable),
        (from_server("25006"), DatabaseNotReady),
        (from_server("25P03"), DatabaseUnavailable),
        (from_server("40001"), DatabaseUnavailable),
        (from_server("40P01"), DatabaseUnavailable),
        (from_server("53300"), DatabaseUnavailable),
        (from_server("55P03"), DatabaseUnavailable),
        (from_server("57014"), DatabaseUnavailable),
        (from_server("57P01"), DatabaseUnavailable),
        (from_server("57P03"), DatabaseUnavailable),
        (from_server("58030"), DatabaseUnavailable),
        (from_server("XX000"), DatabaseUnavailable),
        (from_server("28P01"), DatabaseNotReady),
        (from_server("3D000"), DatabaseNotReady),
        (from_server("42P01"), DatabaseNotReady),
        (from_server("42703"), DatabaseNotReady),
        (from_server("42883"), DatabaseNotReady),
        (from_server("22021"), DatabaseRefused),
        (from_server("23502"), DatabaseRefused),
        (from_server("23503"), DatabaseRefused),
        (from_server("23505"), DatabaseRefused),
        (from_server("42501"), DatabaseRefused),
        (from_server("42601"), DatabaseRefused),
        (
            sa.exc.InterfaceError("", {}, pg8000.InterfaceError("network error")),
            DatabaseUnavailable,
        ),
        (
            sa.exc.InterfaceError("", {}, pg8000.InterfaceError("Server refuses SSL")),
            DatabaseNotReady,
        ),
        (sa.exc.TimeoutError("the pool is exhausted"), DatabaseUnavailable),
        (sa.exc.PendingRollbackError("a transaction was lost"), DatabaseRefused),
        (sa.exc.NoResultFound("a row is gone"), DatabaseRefused),
        (TimeoutError("timed out"), DatabaseUnavailable),
        (ConnectionResetError("reset"), DatabaseUnavailable),
        (BrokenPipeError("broken"), DatabaseUnavailable),
        (ssl.SSLError("the handshake"), DatabaseUnavailable),
        (ssl.SSLCertVerificationError("certificate"), DatabaseNotReady),
        (socket.gaierror("unknown host"), DatabaseUnavailable),
        (struct.error("an answer was cut short"), DatabaseUnavailable),
    ],
    ids=lambda value: getattr(value, "__name__", repr(value)),
)
def test_a_foreign_exception_becomes_ours(foreign: Exception, own: type[PlatenError]) -> None:
    with pytest.raises(PlatenError) as raised, translated():
        raise foreign
    assert type(raised.value) is own
    assert raised.value.__cause__ is foreign


@pytest.mark.parametrize("error", [NameTaken(name="x"), KeyError("x"), ValueError("x")])
def test_what_is_not_the_databases_passes(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, translated():
        raise error
    assert raised.value is error


@pytest.fixture
def one(database_url: str) -> Iterator[sa.Engine]:
    """An engine of one connection with short limits: statements end in a second."""
    engine = create(database_url, pool=1, timeout_s=2)
    yield engine
    engine.dispose()


def test_a_pool_that_is_used_up_is_told_in_time(one: sa.Engine) -> None:
    designs = PostgresDesigns(one)
    with one.connect(), pytest.raises(DatabaseUnavailable) as raised:
        designs.watermark(USER)
    assert isinstance(raised.value.__cause__, sa.exc.TimeoutError)
    assert designs.watermark(USER) == 0


def test_a_statement_that_takes_too_long_is_ended_by_the_server(one: sa.Engine) -> None:
    with pytest.raises(DatabaseUnavailable) as raised, translated(), one.connect() as connection:
        connection.exec_driver_sql("SELECT pg_sleep(30)")
    assert "57014" in str(raised.value.__cause__)
    with one.connect() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1


def test_a_wait_for_a_lock_ends(one: sa.Engine, database_url: str) -> None:
    engine = patient(database_url)
    with engine.begin() as holder:
        holder.exec_driver_sql("LOCK TABLE shops")
        designs = PostgresDesigns(one)
        with pytest.raises(DatabaseUnavailable) as raised, designs.unit(USER) as unit:
            unit.claim("Shop")
        assert "55P03" in str(raised.value.__cause__)
    engine.dispose()


def test_a_transaction_that_is_left_idle_is_ended(one: sa.Engine) -> None:
    with one.connect() as connection:
        limits = "idle_in_transaction_session_timeout", "statement_timeout", "lock_timeout"
        shown = [connection.exec_driver_sql(f"SHOW {limit}").scalar() for limit in limits]
        assert shown == ["2s", "1s", "400ms"]
        assert connection.exec_driver_sql("SHOW application_name").scalar() == "platen"


def test_connections_that_the_server_ended_are_not_noticed(
    database_url: str, designs: PostgresDesigns
) -> None:
    design = file_design(designs, a_design())
    # Which error a dead connection raises is a matter of luck.
    for _ in range(20):
        disconnect_all(database_url)
        assert designs.get(USER, design.design_id) == design


def test_a_text_that_can_not_be_sent_spoils_no_connection(one: sa.Engine) -> None:
    designs = PostgresDesigns(one)
    for _ in range(3):
        with pytest.raises(UnicodeEncodeError):
            designs.template(USER, "\ud800")
        design = file_design(designs, a_design())
        assert designs.get(USER, design.design_id) == design


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_server_that_never_answers_is_given_up(silent_port: int) -> None:
    url = f"postgresql+pg8000://platen@127.0.0.1:{silent_port}/platen"
    designs = PostgresDesigns(create(url, pool=1, timeout_s=0.3))
    with pytest.raises(DatabaseUnavailable):
        designs.check()


def test_a_server_that_is_away_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    designs = PostgresDesigns(create(f"postgresql://u@127.0.0.1:{port}/d", pool=1, timeout_s=1))
    with pytest.raises(DatabaseUnavailable), designs.unit(USER):
        pass


def test_an_unknown_database_is_not_ready(postgres_url: str) -> None:
    url = sa.make_url(postgres_url).set(database="elsewhere").render_as_string(hide_password=False)
    for _ in range(10):
        with pytest.raises(DatabaseNotReady):
            PostgresDesigns(create(url, pool=1, timeout_s=30)).check()


class Stopped(Exception):
    """Raised in place of a connection."""


def options_for(url: str) -> dict[str, Any]:
    """What an engine for the URL hands to pg8000."""
    handed: dict[str, Any] = {}

    def note(**options: Any) -> None:
        handed.update(options)
        raise Stopped

    engine = create(url, pool=1, timeout_s=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.database.engine.Connection", note)
        with pytest.raises(Stopped):
            engine.connect()
    return handed


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_tls_checks_the_certificate_and_the_hosts_name(mode: str) -> None:
    context = options_for(f"postgresql://u:p@db/d?sslmode={mode}")["ssl_context"]
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_tls_is_off_where_it_is_disabled_and_over_unix_sockets() -> None:
    for url in ("postgresql://u@db/d?sslmode=disable", "postgresql://u@/d?unix_sock=/s"):
        assert options_for(url)["ssl_context"] is False


def test_a_certificate_authority_that_is_no_file_is_told() -> None:
    with pytest.raises(SettingsInvalid, match="sslrootcert: No such file"):
        create("postgresql://u@db/d?sslmode=require&sslrootcert=/none", pool=1, timeout_s=1)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "secret",
        "postgresql://u:secret@db:port/d",
        "postgresql+psycopg://u:secret@db/d",
        "mysql://u:secret@db/d",
        "sqlite:////secret",
        "postgresql://u:secret@db/d?channel_binding=require",
        "postgresql://u:secret@db/d?sslmode=prefer",
    ],
)
def test_a_url_that_can_t_be_used_is_refused_by_the_setting_s_name_alone(url: str) -> None:
    with pytest.raises(SettingsInvalid, match="DATABASE_URL") as raised:
        create(url, pool=1, timeout_s=1)
    assert "secret" not in str(raised.value)


def test_threads_never_see_each_others_answers(designs: PostgresDesigns) -> None:
    users = [file_design(designs, a_design()) for _ in range(8)]
    wrong: list[object] = []

    def read(place: int) -> None:
        own = users[place]
        for _ in range(25):
            if designs.get(USER, own.design_id) != own:
                wrong.append(own)

    threads = [Thread(target=read, args=(place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
