"""The way to PostgreSQL, with a proxy on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

import sqlalchemy as sa

from tests.proxy import Proxy, proxy


@contextmanager
def before_database(url: str) -> Iterator[Proxy]:
    """A proxy before the server, which is reached over a unix socket."""
    path = sa.make_url(url).query["unix_sock"]
    assert isinstance(path, str)
    with proxy(unquote(path)) as between:
        yield between


def by_way_of(between: Proxy, url: str) -> str:
    """The URL of the same database behind the proxy."""
    reached = sa.make_url(url).difference_update_query(["unix_sock"])
    reached = reached.set(host="127.0.0.1", port=between.port)
    reached = reached.update_query_dict({"sslmode": "disable"})
    return reached.render_as_string(hide_password=False)
