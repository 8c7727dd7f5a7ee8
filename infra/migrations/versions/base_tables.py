"""The tables: users, templates, designs, shops and the numbers of folders.

Each statement can meet a database that has the seed's tables already: it adds what is missing and
changes no row but to number it.
"""

from __future__ import annotations

from unicodedata import normalize

import sqlalchemy as sa
from alembic import op

revision = "base_tables"
down_revision = None

_USERS = """
CREATE TABLE IF NOT EXISTS users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    shop_name text,
    created_at timestamptz DEFAULT now()
);
ALTER TABLE users
    ADD COLUMN IF NOT EXISTS shop_name text,
    ADD COLUMN IF NOT EXISTS created_at timestamptz DEFAULT now()
"""

_TEMPLATES = """
CREATE TABLE IF NOT EXISTS product_templates (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid,
    name text NOT NULL
);
ALTER TABLE product_templates
    ADD COLUMN IF NOT EXISTS width_in double precision,
    ADD COLUMN IF NOT EXISTS height_in double precision,
    ADD COLUMN IF NOT EXISTS fit text,
    ADD COLUMN IF NOT EXISTS dpi integer,
    ADD COLUMN IF NOT EXISTS canvas_width_in double precision,
    ADD COLUMN IF NOT EXISTS canvas_height_in double precision,
    ADD COLUMN IF NOT EXISTS rotate boolean,
    ADD COLUMN IF NOT EXISTS pattern text
"""

# Built-in templates belong to no user and fill none of a legacy table's own columns.
_OPTIONAL_TEMPLATE_COLUMNS = """
DO $$
DECLARE required text;
BEGIN
    FOR required IN
        SELECT column_name FROM information_schema.columns
        WHERE table_schema = current_schema AND table_name = 'product_templates'
          AND is_nullable = 'NO' AND column_default IS NULL AND column_name NOT IN ('id', 'name')
    LOOP
        EXECUTE format('ALTER TABLE product_templates ALTER COLUMN %I DROP NOT NULL', required);
    END LOOP;
END $$
"""

# A legacy table may hold one name twice; only templates with a size are ours.
_TEMPLATE_NAMES = """
CREATE UNIQUE INDEX IF NOT EXISTS idx_product_templates_user_name
    ON product_templates
       (coalesce(user_id, '00000000-0000-0000-0000-000000000000'::uuid), lower(name))
    WHERE width_in IS NOT NULL
"""

_BUILT_IN = """
INSERT INTO product_templates
    (id, user_id, name, width_in, height_in, fit, dpi, canvas_width_in, canvas_height_in,
     rotate, pattern)
VALUES
    (gen_random_uuid(), NULL, 'UVDTF 16oz', 9.5, 4.33, 'stretch', 400, NULL, NULL,
     false, '{prefix}_{number}'),
    (gen_random_uuid(), NULL, 'UVDTF Decal', 4, 4, 'longest', 400, 4, 4,
     false, '{prefix}_{number}'),
    (gen_random_uuid(), NULL, 'DTF Adult+', 12, 16, 'longest', 400, NULL, NULL,
     false, '{prefix}_{number}'),
    (gen_random_uuid(), NULL, 'DTF Adult', 10, 14, 'longest', 400, NULL, NULL,
     false, '{prefix}_{number}'),
    (gen_random_uuid(), NULL, 'DTF Youth', 8, 12, 'longest', 400, NULL, NULL,
     false, '{prefix}_{number}')
ON CONFLICT DO NOTHING
"""

_DESIGNS = """
CREATE TABLE IF NOT EXISTS design_images (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id),
    filename text NOT NULL,
    file_path text NOT NULL
);
ALTER TABLE design_images
    -- the seed's
    ADD COLUMN IF NOT EXISTS description text,
    ADD COLUMN IF NOT EXISTS phash varchar(64),
    ADD COLUMN IF NOT EXISTS ahash varchar(64),
    ADD COLUMN IF NOT EXISTS dhash varchar(64),
    ADD COLUMN IF NOT EXISTS whash varchar(64),
    ADD COLUMN IF NOT EXISTS tags jsonb,
    ADD COLUMN IF NOT EXISTS tags_metadata jsonb,
    ADD COLUMN IF NOT EXISTS canvas_config_id uuid,
    ADD COLUMN IF NOT EXISTS platform text,
    ADD COLUMN IF NOT EXISTS is_active boolean DEFAULT true,
    ADD COLUMN IF NOT EXISTS is_digital boolean,
    ADD COLUMN IF NOT EXISTS created_at timestamptz DEFAULT now(),
    ADD COLUMN IF NOT EXISTS updated_at timestamptz DEFAULT now(),
    -- where the row stands
    ADD COLUMN IF NOT EXISTS state text NOT NULL DEFAULT 'active'
        CHECK (state IN ('pending', 'active')),
    ADD COLUMN IF NOT EXISTS shop text,
    ADD COLUMN IF NOT EXISTS template text,
    ADD COLUMN IF NOT EXISTS number bigint,
    ADD COLUMN IF NOT EXISTS source_filename text,
    -- the upload and the print file
    ADD COLUMN IF NOT EXISTS upload_sha256 varchar(64),
    ADD COLUMN IF NOT EXISTS file_sha256 varchar(64),
    ADD COLUMN IF NOT EXISTS file_size bigint,
    ADD COLUMN IF NOT EXISTS width_px integer,
    ADD COLUMN IF NOT EXISTS height_px integer,
    ADD COLUMN IF NOT EXISTS dpi integer,
    ADD COLUMN IF NOT EXISTS preflight jsonb,
    -- the fingerprint
    ADD COLUMN IF NOT EXISTS fingerprint_version smallint NOT NULL DEFAULT 1,
    ADD COLUMN IF NOT EXISTS index_hash bit(256),
    ADD COLUMN IF NOT EXISTS signature bytea,
    ADD COLUMN IF NOT EXISTS content_sha256 varchar(64),
    ADD COLUMN IF NOT EXISTS is_opaque boolean,
    ADD COLUMN IF NOT EXISTS crop_width integer,
    ADD COLUMN IF NOT EXISTS crop_height integer
"""

# Rows that are there already are numbered by age: the newest 1,000 stay the newest 1,000.
_SEQUENCE = """
DO $$
BEGIN
    IF EXISTS (SELECT FROM information_schema.columns
               WHERE table_schema = current_schema AND table_name = 'design_images'
                 AND column_name = 'sequence') THEN
        RETURN;
    END IF;
    ALTER TABLE design_images ADD COLUMN sequence bigint;
    UPDATE design_images SET sequence = aged.rank
    FROM (SELECT id, row_number() OVER (ORDER BY created_at NULLS FIRST, id) AS rank
          FROM design_images) AS aged
    WHERE aged.id = design_images.id;
    ALTER TABLE design_images ALTER COLUMN sequence SET NOT NULL;
    ALTER TABLE design_images ALTER COLUMN sequence ADD GENERATED ALWAYS AS IDENTITY;
    PERFORM setval(pg_get_serial_sequence('design_images', 'sequence'), max(sequence))
    FROM design_images HAVING count(*) > 0;
END $$
"""

_DESIGN_INDEXES = """
CREATE UNIQUE INDEX IF NOT EXISTS idx_design_images_filed_path
    ON design_images (lower(file_path)) WHERE fingerprint_version >= 2;
CREATE INDEX IF NOT EXISTS idx_design_images_user_sequence
    ON design_images (user_id, sequence);
CREATE INDEX IF NOT EXISTS idx_design_images_user_legacy
    ON design_images (user_id) WHERE fingerprint_version < 2;
CREATE INDEX IF NOT EXISTS idx_design_images_user_unnumbered
    ON design_images (user_id, lower(substring(file_path, '([^/]+)/[^/]+$')))
    WHERE number IS NULL
"""

_SHOPS = """
CREATE TABLE IF NOT EXISTS shops (
    key text PRIMARY KEY,
    name text NOT NULL,
    user_id uuid NOT NULL
);
CREATE TABLE IF NOT EXISTS folder_numbers (
    folder text PRIMARY KEY,
    last_number bigint NOT NULL
)
"""


_NAMED_SHOPS = """
SELECT id, shop_name FROM users WHERE shop_name <> '' ORDER BY created_at NULLS LAST, id
"""

_CLAIM = """
INSERT INTO shops (key, name, user_id) VALUES (:key, :name, :user_id) ON CONFLICT DO NOTHING
"""


def _claim_shops() -> None:
    """A legacy user's shop is that user's, before another one uploads to it."""
    connection = op.get_bind()
    for user_id, name in connection.execute(sa.text(_NAMED_SHOPS)).all():
        folded = normalize("NFC", normalize("NFC", name).casefold())
        connection.execute(sa.text(_CLAIM), {"key": folded, "name": name, "user_id": user_id})


def upgrade() -> None:
    op.execute(_USERS)
    op.execute(_TEMPLATES)
    op.execute(_OPTIONAL_TEMPLATE_COLUMNS)
    op.execute(_TEMPLATE_NAMES)
    op.execute(_BUILT_IN)
    op.execute(_DESIGNS)
    op.execute(_SEQUENCE)
    op.execute(_DESIGN_INDEXES)
    op.execute(_SHOPS)
    _claim_shops()
