"""Designs that sellers wanted beside others: "upload anyway" is asked once a picture."""

from __future__ import annotations

from alembic import op

revision = "allowed_pairs"
down_revision = "band_index"

_PAIRS = """
CREATE TABLE IF NOT EXISTS allowed_pairs (
    design_id uuid NOT NULL REFERENCES design_images (id) ON DELETE CASCADE,
    other_id uuid NOT NULL REFERENCES design_images (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (design_id, other_id)
);
CREATE INDEX IF NOT EXISTS idx_allowed_pairs_other ON allowed_pairs (other_id)
"""


def upgrade() -> None:
    op.execute(_PAIRS)
