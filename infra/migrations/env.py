"""Alembic's environment: one transaction on the connection that `shared.database.migrate` gives."""

from __future__ import annotations

from alembic import context

from shared.database.migrate import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
