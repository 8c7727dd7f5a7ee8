"""An index that lists rows of fingerprint version 1 page by page, a tenant's or everybody's.

In the order of the primary key alone, a page of the few such rows that are left in a large library
reads the library: with the statistics of before they were upgraded, that took seconds.
"""

from __future__ import annotations

from alembic import op

revision = "legacy_pages"
down_revision = "allowed_pairs"


def upgrade() -> None:
    op.execute(
        "CREATE INDEX IF NOT EXISTS idx_design_images_user_legacy_id "
        "ON design_images (user_id, id) WHERE fingerprint_version < 2"
    )
    # The same without the id.
    op.execute("DROP INDEX IF EXISTS idx_design_images_user_legacy")
