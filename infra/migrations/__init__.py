"""Alembic's steps from an empty or a legacy database to the one that the code expects."""
