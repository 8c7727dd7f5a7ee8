"""Brings a database to the state that the code expects, with Alembic."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, text

from shared.database.engine import UNMIGRATED, patient, translated
from shared.errors import DatabaseNotReady

STEPS = Path(__file__).parents[2] / "infra" / "migrations"

HEAD = "phash_keys"
"""The newest step: what a database must stand at."""

VERSION_TABLE = "platen_migrations"
"""Not Alembic's usual name: a legacy database uses that for steps of its own."""

_LOCK = 0x506C6174656E
"""Advisory lock of migrations: processes that start together must not both migrate."""


def upgrade(url: str) -> None:
    """Apply the steps that the database lacks: all of them, or on an error none.

    Raises DatabaseUnavailable or DatabaseRefused.
    """
    engine = patient(url)
    try:
        with translated(), engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            if _version(connection) != HEAD:
                _run(connection)
    finally:
        engine.dispose()


def check(connection: Connection) -> None:
    """Return when the database is migrated; raises DatabaseNotReady when it is not."""
    if _version(connection) != HEAD:
        raise DatabaseNotReady(reason=UNMIGRATED)


def _version(connection: Connection) -> str | None:
    there = connection.execute(text("SELECT to_regclass(:table)"), {"table": VERSION_TABLE})
    if there.scalar() is None:
        return None
    version = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - our own constant
    return None if version is None else str(version)


def _run(connection: Connection) -> None:
    # Heavy, and not needed where the database stands at the newest step already.
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    # Alembic's options go through a parser in which % starts a variable.
    config.set_main_option("script_location", str(STEPS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, "head")
