"""Connections to PostgreSQL, and the one place where its driver's exceptions become ours.

A connection of pg8000 is never shared: each block of work checks one out of the pool.
"""

from __future__ import annotations

import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine, ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection

from shared.database.address import target
from shared.database.prepared import Connection
from shared.errors import (
    DatabaseError,
    DatabaseNotReady,
    DatabaseRefused,
    DatabaseUnavailable,
)

_POOL_SECONDS = 3.0
"""Longest wait for a free connection: an error in time is better than a queue."""

_PLANNER = {
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "0",
    "plan_cache_mode": "force_custom_plan",
}
"""Every query here goes by an index. Planned for turning disks, and with a guess of 8 % of the rows
for a look-up of keys, a large library would be read as a whole instead. So would it by a plan
that is made once for whatever keys are asked for."""

_UNKNOWN_ACCOUNT = ("28", "3D")
"""Classes of SQLSTATE: invalid authorization, unknown database."""

_READ_ONLY = "25006"
"""A standby's answer to a write, or that of a database which is set to be read only."""

_NOT_MIGRATED = ("42P01", "42703", "42883")
"""Undefined table, column, function."""

UNMIGRATED = "it is not migrated to this version of Platen; run 'python -m shared.driver migrate'"

UNTRUSTED = "its certificate is not trusted; check the host and sslrootcert in DATABASE_URL"
UNENCRYPTED = "it does not speak TLS; turn ssl on there, or take sslmode out of DATABASE_URL"
_PLAIN = "Server refuses SSL"
"""pg8000's only words for it."""

_REFUSALS = ("22", "23", "42")
"""What comes again however often a statement is sent: data, integrity, syntax and rights."""


def create(url: str, *, pool: int, timeout_s: float) -> Engine:
    """An engine of at most ``pool`` connections, none of which waits for ever.

    Each statement commits itself: a transaction around a read costs two more trips to the server.
    `transaction` is for writes that belong together.
    ``timeout_s``: longest wait for an answer of the server. Statements end in half of it, waits
    for a lock in a fifth, and the server drops a transaction that is idle for all of it.
    Raises SettingsInvalid for a URL that can't be used.
    """
    address, options = target(url)
    options["timeout"] = timeout_s
    options["startup_params"] = {
        "statement_timeout": _milliseconds(timeout_s / 2),
        "lock_timeout": _milliseconds(timeout_s / 5),
        "idle_in_transaction_session_timeout": _milliseconds(timeout_s),
        **_PLANNER,
    }
    engine = sa.create_engine(
        address,
        connect_args=options,
        pool_size=pool,
        max_overflow=0,
        pool_timeout=_POOL_SECONDS,
        isolation_level="AUTOCOMMIT",
    )
    sa.event.listen(engine, "do_connect", _connect)
    sa.event.listen(engine, "checkout", _ask_for_life)
    sa.event.listen(engine, "handle_error", _drop_doubtful)
    return engine


def patient(url: str) -> Engine:
    """An engine without a pool, whose statements may take as long as they need: for migrations."""
    address, options = target(url)
    return sa.create_engine(address, connect_args=options, poolclass=sa.NullPool)


@contextmanager
def transaction(engine: Engine) -> Iterator[sa.Connection]:
    """A connection whose statements are committed together, or on an error not at all.

    Raises what `translated` does where the database fails; what the body raises passes as it is.
    """
    with translated():
        connection = engine.connect()
    try:
        with translated():
            connection.exec_driver_sql("BEGIN ISOLATION LEVEL READ COMMITTED")
        yield connection
        with translated():
            connection.exec_driver_sql("COMMIT")
    finally:
        connection.close()  # rolls back what is not committed


@contextmanager
def translated() -> Iterator[None]:
    """Turn what SQLAlchemy, pg8000 and the socket raise into Platen's own errors.

    Raises DatabaseUnavailable (a retry may help), DatabaseNotReady or DatabaseRefused.
    """
    try:
        yield
    except sa.exc.DBAPIError as error:
        if _PLAIN in str(error.orig):
            raise DatabaseNotReady(reason=UNENCRYPTED) from error
        raise _translation(details(error).get("C", "")) from error
    except sa.exc.TimeoutError as error:  # the pool is exhausted
        raise DatabaseUnavailable from error
    except sa.exc.SQLAlchemyError as error:
        raise DatabaseRefused from error
    except ssl.SSLCertVerificationError as error:
        raise DatabaseNotReady(reason=UNTRUSTED) from error
    except (OSError, struct.error) as error:  # pg8000 lets these through
        raise DatabaseUnavailable from error


def details(error: sa.exc.DBAPIError) -> dict[str, str]:
    """The fields of the server's error message by their letters; none where it sent none.

    https://www.postgresql.org/docs/current/protocol-error-fields.html
    """
    cause: BaseException | None = error.orig
    while cause is not None:
        if cause.args and isinstance(cause.args[0], dict):
            return cause.args[0]
        # Where the server refused a connection, pg8000's own farewell may fail on top of that.
        cause = cause.__context__
    return {}


def _translation(state: str) -> DatabaseError:
    """Our error for a SQLSTATE; empty is none: the connection itself failed."""
    if state.startswith(_UNKNOWN_ACCOUNT):
        return DatabaseNotReady(
            reason="it refuses the account or the database's name; check DATABASE_URL"
        )
    if state == _READ_ONLY:
        return DatabaseNotReady(
            reason="it can only be read; check that DATABASE_URL names the primary server"
        )
    if state in _NOT_MIGRATED:
        return DatabaseNotReady(reason=UNMIGRATED)
    if state.startswith(_REFUSALS):
        return DatabaseRefused()
    return DatabaseUnavailable()


def _connect(
    _dialect: sa.Dialect, _record: object, _arguments: object, options: dict[str, Any]
) -> DBAPIConnection:
    return Connection(**options)


def _ask_for_life(connection: Connection, *_pool: object) -> None:
    """Have the pool replace a connection that the server ended meanwhile.

    SQLAlchemy's own ``pool_pre_ping`` misses one in ten: pg8000 lets some of the socket's errors
    through as they are. It takes a trip to the server, too.
    """
    try:
        connection.ask_for_life()
    except Exception as error:
        raise sa.exc.DisconnectionError from error


def _drop_doubtful(context: ExceptionContext) -> None:
    """Have the pool drop a connection whose state is unknown.

    pg8000 raises other than its own exceptions in the middle of a conversation (a socket's
    timeout, a string that can't be encoded); the next borrower would read the answer to this
    question.
    """
    if context.sqlalchemy_exception is None:
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = False


def _milliseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))
