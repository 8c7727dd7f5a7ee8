"""Hashes as bits, and an index of equal ones.

The index of bands that gave this step its name was on `design_images`. `search_keys` makes one of
another table in its place, so it is made no more.
"""

from __future__ import annotations

from alembic import op

revision = "band_index"
down_revision = "add_phash_indexes"

_BITS = """
CREATE OR REPLACE FUNCTION platen_bits(hash text) RETURNS bit(256)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    -- 64 lower-case hex characters as bits; NULL for anything else, such as older, shorter hashes
    SELECT CASE WHEN hash ~ '^[0-9a-f]{64}$' THEN ('x' || hash)::bit(256) END
$$
"""

_INDEX = """
CREATE INDEX IF NOT EXISTS idx_design_images_user_index_hash
    ON design_images (user_id, index_hash) WHERE index_hash IS NOT NULL
"""


def upgrade() -> None:
    op.execute(_BITS)
    op.execute(_INDEX)
