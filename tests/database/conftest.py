"""The database behind a proxy that breaks connections."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

import pytest
import sqlalchemy as sa

from shared.database.designs import PostgresDesigns
from shared.database.engine import create
from tests.proxy import Proxy, proxy


@pytest.fixture
def between(database_url: str) -> Iterator[Proxy]:
    path = sa.make_url(database_url).query["unix_sock"]
    assert isinstance(path, str)
    with proxy(unquote(path)) as between:
        yield between


@pytest.fixture
def cut(database_url: str, between: Proxy) -> Iterator[PostgresDesigns]:
    """The database behind the proxy."""
    url = sa.make_url(database_url).difference_update_query(["unix_sock"])
    url = url.set(host="127.0.0.1", port=between.port).update_query_dict({"sslmode": "disable"})
    engine = create(url.render_as_string(hide_password=False), pool=2, timeout_s=3)
    yield PostgresDesigns(engine)
    engine.dispose()
