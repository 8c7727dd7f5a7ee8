"""What all tests share: one embedded PostgreSQL, and a fresh migrated database for each test."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import hypothesis
import pytest
import sqlalchemy as sa

from shared.database import embedded, migrate
from shared.database.designs import PostgresDesigns
from shared.database.engine import create, patient
from shared.settings import Settings
from shared.wiring import Parts

# Examples kept in the checkout could not be written by another user of it, which is a warning;
# a deadline would fail examples on a busy machine.
hypothesis.settings.register_profile("platen", database=None, deadline=None)
hypothesis.settings.load_profile("platen")


def pytest_xdist_auto_num_workers() -> int:
    """Processes that the tests are spread over: one more than processors, as tests often wait."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where CI=true, fail instead of skipping for a part that is not installed: CI has them all."""
    report = yield
    if (
        report.skipped
        and "not installed" in str(report.longrepr)
        and os.environ.get("CI") == "true"
    ):
        report.outcome = "failed"
    return report


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A server of the tests' own, not migrated."""
    # Not pytest's folder: its parents are closed to the user that a server of root's runs as.
    home = Path(tempfile.mkdtemp(prefix="platen-tests-"))
    home.chmod(0o711)
    try:
        with embedded.start(home) as server:
            # What these databases hold may be lost in a power cut.
            _execute(server.url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
            yield server.url
    finally:
        shutil.rmtree(home)


@pytest.fixture(scope="session")
def _template_database(postgres_url: str) -> str:
    """The name of a migrated database that others are copied from."""
    name = "platen_template"
    _execute(postgres_url, f"CREATE DATABASE {name}")
    migrate.upgrade(_named(postgres_url, name))
    return name


@pytest.fixture
def database_url(postgres_url: str, _template_database: str) -> Iterator[str]:
    """A migrated database without designs, gone after the test."""
    with _database(postgres_url, _template_database) as url:
        yield url


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """A database without tables, gone after the test."""
    with _database(postgres_url, "template0") as url:
        yield url


@pytest.fixture
def designs(database_url: str) -> Iterator[PostgresDesigns]:
    engine = create(database_url, pool=5, timeout_s=60)
    yield PostgresDesigns(engine)
    engine.dispose()


@pytest.fixture
def parts(database_url: str, tmp_path: Path) -> Iterator[Parts]:
    """The adapters of a process of its own: a fresh database and a folder as NAS."""
    made = Parts(Settings(database_url=database_url, platen_home=tmp_path, driver_workers=3))
    yield made
    made.close()


@contextmanager
def _database(server: str, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _named(server, name)
    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def _named(server: str, database: str) -> str:
    url = sa.make_url(server).set(database=database)
    return url.render_as_string(hide_password=False)


def _execute(url: str, *statements: str) -> None:
    engine = patient(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()
