"""What near matches are searched by, in a narrow table of its own.

A search looks at up to some thousand rows that share a key with the upload. In `design_images`
five share a page, here eighty, so that they stay in memory. And a change of a design that leaves
its hashes alone, such as from pending to active, no longer makes its keys anew. The index of those
is made by `search_keys`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "design_hashes"
down_revision = "legacy_pages"

_TABLE = """
CREATE TABLE IF NOT EXISTS design_hashes (
    design_id uuid PRIMARY KEY
        REFERENCES design_images (id) ON UPDATE CASCADE ON DELETE CASCADE,
    user_id uuid NOT NULL,
    sequence bigint NOT NULL,
    fingerprint_version smallint NOT NULL,
    -- the index hash; of rows that have none, the phash
    hash bit(256) NOT NULL,
    -- where it is another than the hash
    phash bit(256)
)
"""


# Whoever writes designs may not know of this table, nor be let write it: hence SECURITY DEFINER,
# for which the schema is named, and a writer's temporary tables come last.
_KEEP = """
CREATE OR REPLACE FUNCTION platen_keep_hashes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
DECLARE
    of_phash bit(256) := platen_bits(NEW.phash);
    to_search bit(256) := coalesce(NEW.index_hash, of_phash);
BEGIN
    IF to_search IS NULL OR NEW.fingerprint_version IS NULL THEN
        DELETE FROM design_hashes WHERE design_id = NEW.id;
    ELSE
        INSERT INTO design_hashes
        VALUES (NEW.id, NEW.user_id, NEW.sequence, NEW.fingerprint_version, to_search,
                nullif(of_phash, to_search))
        ON CONFLICT (design_id) DO UPDATE SET
            user_id = excluded.user_id, fingerprint_version = excluded.fingerprint_version,
            hash = excluded.hash, phash = excluded.phash;
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER platen_keep_hashes
    AFTER INSERT OR UPDATE OF user_id, fingerprint_version, index_hash, phash ON design_images
    FOR EACH ROW EXECUTE FUNCTION platen_keep_hashes()
"""

_FILL = """
INSERT INTO design_hashes
SELECT id, user_id, sequence, fingerprint_version, coalesce(index_hash, platen_bits(phash)),
       CASE WHEN index_hash <> platen_bits(phash) THEN platen_bits(phash) END
FROM design_images
WHERE coalesce(index_hash, platen_bits(phash)) IS NOT NULL AND fingerprint_version IS NOT NULL
ON CONFLICT DO NOTHING
"""

_DROP = "ALTER TABLE design_images DROP COLUMN IF EXISTS band_keys"


def upgrade() -> None:
    op.execute(_TABLE)
    schema = op.get_bind().execute(sa.text("SELECT quote_ident(current_schema)")).scalar_one()
    op.execute(_KEEP.format(schema=schema))
    op.execute(_FILL)
    op.execute(_DROP)
