"""The database behind a proxy that breaks connections."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.database.designs import PostgresDesigns
from shared.database.engine import create
from tests.database_way import before_database, by_way_of
from tests.proxy import Proxy


@pytest.fixture
def between(database_url: str) -> Iterator[Proxy]:
    with before_database(database_url) as between:
        yield between


@pytest.fixture
def cut(database_url: str, between: Proxy) -> Iterator[PostgresDesigns]:
    """The database behind the proxy."""
    engine = create(by_way_of(between, database_url), pool=2, timeout_s=3)
    yield PostgresDesigns(engine)
    engine.dispose()
