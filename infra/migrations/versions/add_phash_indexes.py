"""Indexes for the exact tier: the workflow's own, and those of the two sha256."""

from __future__ import annotations

from alembic import op

revision = "add_phash_indexes"
down_revision = "base_tables"


def upgrade() -> None:
    for column in ("phash", "ahash", "dhash", "whash"):
        op.execute(
            f"CREATE INDEX IF NOT EXISTS idx_design_images_{column} ON design_images ({column})"
        )
    op.execute(
        "CREATE INDEX IF NOT EXISTS idx_design_images_user_active "
        "ON design_images (user_id, is_active)"
    )
    for column in ("upload_sha256", "content_sha256"):
        op.execute(
            f"CREATE INDEX IF NOT EXISTS idx_design_images_user_{column} "
            f"ON design_images (user_id, {column}) WHERE {column} IS NOT NULL"
        )
